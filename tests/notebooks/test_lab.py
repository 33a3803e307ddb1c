"""JupyterLab's own server runs a notebook of the project: what `make lab` opens works for a person."""

import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import websocket

from tests.notebooks.conftest import ROOT

LIMIT = 300


@dataclass(frozen=True)
class Lab:
    """A running Jupyter server: its address and its token."""

    url: str
    token: str

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            f"{self.url}api/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else {}


@pytest.fixture
def lab(shell, tmp_path) -> Iterator[Lab]:
    """A headless JupyterLab on a free port of loopback."""
    command = [
        sys.executable, "-m", "local", "lab", "notebooks/00_setup.ipynb", "--no-browser", "--port", "0",
        "--jupyter=--allow-root", "--jupyter=--ServerApp.ip=127.0.0.1",
    ]  # fmt: skip
    environment = {**shell, "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    with (tmp_path / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        yield _when_ready(tmp_path / "runtime", server, tmp_path / "lab.log")
    finally:
        server.terminate()
        server.wait(30)


def _when_ready(runtime: Path, server: subprocess.Popen, log: Path) -> Lab:
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit and server.poll() is None:
        for record in runtime.glob("jpserver-*.json"):
            known = json.loads(record.read_text() or "{}")
            if known:
                return Lab(known["url"], known["token"])
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def execute(channel: websocket.WebSocket, code: str) -> str:
    """Run *code* in the kernel and return what it printed; fails with the error of the cell."""
    message_id = uuid.uuid4().hex
    header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "test", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    printed = ""
    while True:
        answer = json.loads(channel.recv())
        if answer["parent_header"].get("msg_id") != message_id:
            continue
        if answer["msg_type"] == "stream":
            printed += answer["content"]["text"]
        if answer["msg_type"] == "execute_reply":
            assert answer["content"]["status"] == "ok", answer["content"]
            return printed


def test_a_notebook_runs_through_the_jupyter_servers_api(lab):
    """`spark` and `dbutils` are there, with no line in the notebook."""
    notebook = lab.call("GET", "contents/notebooks/00_setup.ipynb")["content"]
    kernel = lab.call("POST", "kernels", {"name": "python3", "path": "notebooks"})
    address = f"{lab.url.replace('http', 'ws', 1)}api/kernels/{kernel['id']}/channels?token={lab.token}"
    channel = websocket.create_connection(address, timeout=LIMIT)
    try:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                execute(channel, "".join(cell["source"]))

        said = execute(
            channel, "print(spark.sql('SELECT 6 * 7 AS n').first().n, dbutils.fs.ls(f'/Volumes/{catalog}/raw'))"
        )
    finally:
        channel.close()
        lab.call("DELETE", f"kernels/{kernel['id']}")

    assert said.startswith("42 ") and "olist" in said


def test_the_runbooks_and_the_executed_notebooks_can_be_opened(lab):
    """The root is the project, including hidden folders; no question about news covers the first notebook."""
    assert "O10_daily_run.ipynb" in {each["name"] for each in lab.call("GET", "contents/runbooks")["content"]}
    assert {each["name"] for each in lab.call("GET", "contents/.github")["content"]} == {"workflows"}
    settings = urllib.request.Request(
        f"{lab.url}lab/api/settings/@jupyterlab/apputils-extension:notification",
        headers={"Authorization": f"token {lab.token}"},
    )
    with urllib.request.urlopen(settings, timeout=60) as answer:
        default = json.loads(answer.read())["schema"]["properties"]["fetchNews"]["default"]

    assert default == "false"
