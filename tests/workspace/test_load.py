"""Many clients, many runs and a long history at once: no request fails, and the server needs little memory."""

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.workspace import load
from tests.workspace.served import Served

MEMORY = 300 * 1024**2


@pytest.mark.slow("fifty processes at once, for half a minute")
def test_no_request_fails_under_load(tmp_path: Path) -> None:
    """100 clients, 50 runs at once, 10,000 recorded runs; `python -m tests.workspace.load` prints the figures."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: load}\n")
    load.record(tmp_path, 10_000)
    served, found = Served(tmp_path).start(), load.Load()
    assert served.process is not None
    try:
        asyncio.run(load.load(served, found, runs=50, clients=100))
        memory = psutil.Process(served.process.pid).memory_info().rss
        runs = list(served.client().jobs.list_runs(job_id=found.job_id))
    finally:
        served.stop()

    assert not found.failed
    ends = {(run.state.result_state.value, run.state.state_message) for run in runs}  # type: ignore[union-attr]
    assert (len(runs), ends) == (50, {("SUCCESS", "")})
    assert memory < MEMORY
    assert (tmp_path / "server.log").read_text() == ""
