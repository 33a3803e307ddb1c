"""A connection that is lost in the middle of a run: one line, soon, and a repair once it is mended."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.remote.conftest import Build, Project
from tests.remote.sockets import Proxy

LIMIT = 30
# The second task says that it is there and waits for a word, so that the connection is lost between two calls of it.
WAITS = """
from pathlib import Path
import time
n = spark.range(10).count()
Path({there!r}).touch()
while not Path({go!r}).exists():
    time.sleep(0.05)
spark.range(n).count()
"""
LOST = r"^ServerError: `sc://localhost:\d+`: the Spark Connect server has not answered for 8 seconds: the connection is"


@pytest.fixture
def signs(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "there", tmp_path / "go"


def waiting(build: Build, url: str, signs: tuple[Path, Path], proxy: Proxy) -> Project:
    there, go = signs
    cells = [WAITS.format(there=str(there), go=str(go))]
    return build(re.sub(r":\d+/", f":{proxy.port}/", url), first=["assert spark.range(3).count() == 3"], second=cells)


def run_until_lost(project: Project, signs: tuple[Path, Path], lose) -> tuple[dict, float]:
    """The run, and the seconds from the loss of the connection to its end."""
    there, go = signs
    with subprocess.Popen(
        project.command("run", "job", "--json"), env=project.environment(), stdout=subprocess.PIPE, text=True
    ) as runner:
        deadline = time.monotonic() + 90
        while not there.exists():
            assert runner.poll() is None and time.monotonic() < deadline, runner.stdout.read()
            time.sleep(0.05)
        lose()
        lost = time.monotonic()
        go.touch()
        said = runner.communicate(timeout=120)[0]
        assert runner.returncode == 1
    return json.loads(said), time.monotonic() - lost


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_a_lost_connection_fails_the_task_and_a_repair_goes_on(build: Build, url: str, server, signs, how: str) -> None:
    """Whether it is closed or nothing passes any more; Spark's client would try for ten minutes, or wait for ever."""
    target = int(re.search(r":(\d+)/", url)[1])
    proxy = Proxy(target)
    project = waiting(build, url, signs, proxy)

    run, took = run_until_lost(project, signs, getattr(proxy, how))

    results = {task["task_key"]: task["state"]["result_state"] for task in run["tasks"]}
    error = next(task["error"] for task in run["tasks"] if "error" in task)
    assert results == {"first": "SUCCESS", "second": "FAILED"}
    assert re.search(LOST, error) and "\n" not in error, error
    assert took < LIMIT

    proxy.cut()
    mended = Proxy(target, proxy.port)
    repaired = project.run("runs", "repair", str(run["run_id"]))
    mended.cut()
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert [task["task_key"] for task in repaired["tasks"]] == ["first", "second", "second"]
