"""How other commands find the server that runs, and whether it is the one that they take it for."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakelocal.errors import ServerError
from lakelocal.processes import started_at
from lakelocal.project import Project
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.running import RunningServer
from tests.unit.notification_servers import certificate
from tests.workspace.served import Served

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes a certificate with the program openssl"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project."""
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    (tmp_path / "databricks.yml").write_text("bundle: {name: shop}\n")
    return tmp_path


@needs_openssl
def test_a_self_signed_server_gives_a_link_to_its_pages(root: Path) -> None:
    """As `runs open` asks for it; no authority of this machine knows the certificate."""
    file, key = certificate(root)
    served = Served(root)
    served.start(options=["--ssl-certfile", str(file), "--ssl-keyfile", str(key)])
    try:
        running = RunningServer.of(served.places)
        assert running is not None and running.url.startswith("https://localhost:")
        assert running.link("/runs").startswith(f"{running.url}/login?code=")
    finally:
        assert served.stop() == 0


@needs_openssl
def test_another_server_at_its_address_is_not_told_the_token(root: Path) -> None:
    """It has a certificate for the same name, and takes the port when the server has ended."""
    (root / "own").mkdir()
    (root / "others").mkdir()
    own, _ = certificate(root / "own")
    places = WorkspacePlaces.of(Project.at(root)).make()
    places.token.write_text("secret")
    with another_server(*certificate(root / "others")) as (port, heard):
        process = {"pid": os.getpid(), "pid_started": started_at(os.getpid())}
        told = {"url": f"https://localhost:{port}", "certificate": str(own), **process}
        places.server.write_text(json.dumps(told))

        running = RunningServer.of(places)
        assert running is not None
        with pytest.raises(ServerError, match="another certificate"):
            running.link()

    assert heard == [b""]


@contextmanager
def another_server(file: Path, key: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A server of TLS for one connection: its port, and what it is told before the client goes away."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
                heard.append(connection.recv(1000))

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(20)


def test_a_server_begins_without_the_client_of_spark() -> None:
    """It takes seconds to import and doubles the memory; most requests need neither it nor the tables of pandas."""
    code = (
        "import sys, lakelocal.workspace.serve; print([m for m in ('pyspark', 'pandas', 'grpc') if m in sys.modules])"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "[]\n"
