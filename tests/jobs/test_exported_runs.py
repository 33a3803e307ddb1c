"""Real runs, exported: the page and the report contain what the notebooks printed, and how they failed."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from lakelocal.export import junit, keep_newest, prune
from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.jobs.event_log import Doing, events_file, read_doing
from lakelocal.pages import run_file
from tests.jobs.conftest import Build, task

pytestmark = pytest.mark.usefixtures("one_pool")
FAILS_ONCE = """
import pathlib
flag = pathlib.Path("tried")
first = not flag.exists()
flag.touch()
assert not first, "the <first> time"
"""
JOBS = {
    "job": {
        "name": "Parent",
        "tasks": [
            task("load", max_retries=1),
            {"task_key": "start", "run_job_task": {"job_id": "${resources.jobs.child.id}"}},
        ],
    },
    "child": {"name": "Child", "tasks": [task("show")]},
}


def test_a_run_with_a_retry_and_a_child_run(build: Build) -> None:
    """Every executed notebook is in the page; once they are deleted, the page says so; pruning leaves nothing."""
    case = build(JOBS, {"load": [FAILS_ONCE, "# Loaded", "print('row', 6 * 7)"], "show": ["print('child', 6 * 8)"]})
    run_id = case.run()["run_id"]
    run = read_run(Records.of(case.state), run_id)

    doing = {each["task_key"]: read_doing(events_file(case.state, run_id, each)) for each in run.shape["tasks"]}
    assert doing["load"] == Doing(2, 2, "Loaded", ("row 42",)), "of the second attempt, which has a file of its own"
    assert doing["start"] is None, "it runs no notebook itself"

    text = run_file(run)
    assert "row 42" in text
    assert "child 48" in text
    assert text.count("<summary>Executed notebook") == 3
    assert "AssertionError: the &lt;first&gt; time" in text
    parent, child = ET.fromstring(junit(run))
    assert sorted(case.get("name") for case in parent.iter("testcase")) == ["load", "start"], "begun at the same time"
    assert "the <first> time" in parent.find("testcase/flakyFailure").get("message")
    assert [case.get("name") for case in child.iter("testcase")] == ["show"]

    for place in case.state.runs.glob("*/*.ipynb"):
        place.unlink()
    assert run_file(run).count("The executed notebook was deleted") == 3

    (pruned,) = prune(case.state, keep_newest(0))
    assert pruned.run_ids == (run_id, *(each.run_id for each in run.children))
    assert list(Path(case.state.runs).iterdir()) == []
