"""The runbooks that read the run history, each in the situation that it is meant for, on a bundle without Spark."""

import json
import re
import shutil
from pathlib import Path

import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from lakelocal.jobs.command import get_run
from tests.jobs.conftest import Build, Case, task

pytestmark = pytest.mark.usefixtures("one_pool")

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"


def execute(case: Case, name: str, **parameters) -> str:
    """Run a copy of a runbook beside the bundle, as a person would; return everything that it printed and showed."""
    folder = case.file("runbooks")
    folder.mkdir(exist_ok=True)
    place = Path(shutil.copy(RUNBOOKS / f"{name}.ipynb", folder))
    papermill.execute_notebook(
        str(place), str(place), parameters=parameters, cwd=str(folder), kernel_name="python3", progress_bar=False
    )
    cells = json.loads(place.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join(
        line for output in outputs for line in output.get("text", output.get("data", {}).get("text/plain", []))
    )


def with_target(case: Case) -> Case:
    """The bundle with the target that the runbooks name by default."""
    bundle = "bundle: {name: example}\ninclude: [jobs.json]\ntargets: {dev: {default: true}}\n"
    case.file("databricks.yml").write_text(bundle)
    return case


def test_a_timeout_is_explained(build: Build) -> None:
    """The task, its limit and the cell in which it was reached; the newest run does not count as fixed."""
    hang = ["# Read", "x = 1", "# Wait for the source", "import time\ntime.sleep(600)"]
    case = with_target(
        build({"job": {"name": "Hang", "timeout_seconds": 300, "tasks": [task("a", timeout_seconds=8)]}}, {"a": hang})
    )
    run_id = case.run()["run_id"]

    said = execute(case, "O50_pipeline_timeout")
    assert "Timed out after 8 seconds." in said
    assert f"run {run_id}" in said
    assert "Wait for the source" in said
    assert re.search(r"\b300\b", said), "the limit of the job"
    with pytest.raises(PapermillExecutionError, match="the newest run timed out too"):
        execute(case, "O50_pipeline_timeout", fixed=True)


def test_a_failed_run_is_repaired(build: Build) -> None:
    """First it shows the cause and does nothing; then the failed task runs again and the other is kept."""
    case = with_target(
        build(
            {"job": {"name": "Broken", "tasks": [task("good"), task("bad", "good")]}},
            {"good": ["1"], "bad": ["import pathlib\nassert pathlib.Path('mended').exists(), 'no such file'"]},
        )
    )
    run_id = case.run()["run_id"]

    said = execute(case, "O70_repair_a_run")
    assert "AssertionError: no such file" in said
    assert get_run(case.state, run_id)["state"]["result_state"] == "FAILED"

    case.file("mended").touch()
    execute(case, "O70_repair_a_run", repair=True)
    repaired = get_run(case.state, run_id)
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert [each["task_key"] for each in repaired["tasks"]] == ["good", "bad", "bad"]


@pytest.mark.parametrize("name", ["O50_pipeline_timeout", "O70_repair_a_run"])
def test_without_a_run_there_is_nothing_to_do(build: Build, name: str) -> None:
    """A runbook may be opened too early."""
    case = with_target(build({"job": {"name": "Never", "tasks": [task("a")]}}, {"a": ["1"]}))

    assert "no run has" in execute(case, name)


def test_a_paused_schedule_is_told_with_its_next_times(build: Build) -> None:
    """It also shows the times that passed without a run."""
    schedule = {"quartz_cron_expression": "0 30 5 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}
    case = with_target(build({"job": {"name": "Asleep", "schedule": schedule, "tasks": [task("a")]}}, {"a": ["1"]}))

    said = execute(case, "O60_job_not_running_on_schedule", job="job")

    assert "paused" in said.lower()
    assert "05:30" in said
