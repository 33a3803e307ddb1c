"""A connection that is lost in the middle of a run: one line, quickly, and a repair once it is restored."""

import re

import pytest

from tests.remote.conftest import CLIENTS
from tests.remote.projects import Build
from tests.remote.signs import Signs
from tests.remote.sockets import Proxy

LIMIT = 120
SILENCE = pytest.mark.slow("it waits through the silence twice, as the cut does")
LOST = r"^`sc://localhost:\d+`: the Spark Connect server has not answered for 12 seconds: the connection is"


@pytest.mark.parametrize("how", ["cut", pytest.param("freeze", marks=SILENCE)])
@CLIENTS
def test_a_lost_connection_fails_the_task_and_a_repair_goes_on(build: Build, url: str, signs: Signs, how: str) -> None:
    """Whether it is closed or nothing passes any more; Spark's client would try for ten minutes, or wait forever."""
    target = int(re.search(r":(\d+)/", url)[1])
    proxy = Proxy(target)
    remote = url.replace(f":{target}/", f":{proxy.port}/")
    project = build(remote, first=["assert spark.range(3).count() == 3"], second=[signs.waiting])

    run, took = signs.run_until_lost(project, getattr(proxy, how))

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
