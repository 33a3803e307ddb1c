"""A notebook that floods its output: what Databricks keeps is kept, and it says what is cut off."""

import json
import resource
import sys
from pathlib import Path

import pytest

from tests.jobs.conftest import Build, task

pytestmark = pytest.mark.usefixtures("one_pool")


def texts(cell: dict) -> list[str]:
    return ["".join(output["text"]) for output in cell["outputs"]]


def test_a_notebook_that_floods_its_output_keeps_what_databricks_keeps(build: Build) -> None:
    """200 MB printed: the task succeeds, the notebook has 10 MB and says so, the runner's memory does not grow."""
    flood = "for _ in range(200):\n    print('x' * 999_999)"
    case = build({"job": {"name": "Flood", "tasks": [task("a")]}}, {"a": [flood, "print('after')"]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    run = case.run()

    (attempt,) = run["tasks"]
    assert attempt["state"]["result_state"] == "SUCCESS"
    first, second = json.loads(Path(attempt["output_notebook"]).read_text())["cells"]
    *kept, note = texts(first)
    assert sum(map(len, kept)) == 10_000_000
    assert "more than 10 MB in this cell" in note
    assert texts(second) == ["after\n"]
    assert Path(attempt["output_notebook"]).stat().st_size < 11_000_000
    log = case.state.runs / str(run["run_id"]) / ".attempts" / "a.log"
    assert log.stat().st_size < 100_000
    megabyte = 2**20 if sys.platform == "darwin" else 2**10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * megabyte


def test_a_notebook_sets_its_own_limit(build: Build) -> None:
    """The Databricks magic, for the following cells; a number that Databricks refuses fails the cell."""
    magic = "%set_cell_max_output_size_in_mb"
    case = build(
        {"job": {"name": "Own", "tasks": [task("a")]}},
        {"a": [f"{magic} 1", "print('x' * 3_000_000)", f"{magic} 21"]},
    )

    (attempt,) = case.run()["tasks"]

    assert "found `21`; expected a whole number from 1 to 20" in attempt["error"]
    cells = json.loads(Path(attempt["output_notebook"]).read_text())["cells"]
    flooded = next(cell for cell in cells if "print" in "".join(cell["source"]))
    *kept, note = texts(flooded)
    assert sum(map(len, kept)) == 1_000_000
    assert "more than 1 MB in this cell" in note
