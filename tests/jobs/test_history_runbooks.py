"""The runbooks that read the run history, each in the situation that it is meant for, on a bundle without Spark."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from lakelocal.history.records import Records
from lakelocal.jobs.command import get_run
from tests.jobs.conftest import Build, Case, task
from tests.outputs import shown

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
    return shown(json.loads(place.read_text())["cells"])


def started_job(key: str, *after: str) -> dict[str, Any]:
    """A task that runs the job of its own name."""
    inner = {"job_id": f"${{resources.jobs.{key}.id}}"}
    return {"task_key": key, "depends_on": [{"task_key": each} for each in after], "run_job_task": inner}


def with_target(case: Case) -> Case:
    """The bundle with the target that the runbooks name by default."""
    bundle = "bundle: {name: example}\ninclude: [jobs.json]\ntargets: {dev: {default: true}}\n"
    case.file("databricks.yml").write_text(bundle)
    return case


def test_a_timeout_is_explained(build: Build) -> None:
    """The task, its limit and the cell in which it was reached; the newest run does not count as fixed."""
    hang = ["# Read", "x = 1", "# Wait for the source", "import time\ntime.sleep(600)"]
    case = with_target(
        build({"job": {"name": "Hang", "timeout_seconds": 300, "tasks": [task("a", timeout_seconds=15)]}}, {"a": hang})
    )
    run_id = case.run()["run_id"]

    said = execute(case, "O50_pipeline_timeout")
    assert "Timed out after 15 seconds." in said
    assert f"run {run_id}" in said
    assert "Wait for the source" in said
    assert re.search(r"\b300\b", said), "the limit of the job"
    with pytest.raises(PapermillExecutionError, match="the newest run timed out too"):
        execute(case, "O50_pipeline_timeout", fixed=True)


def test_a_failure_is_followed_to_its_cell_in_another_job_and_repaired(build: Build) -> None:
    """The reason, the cell below its heading, the kind of cause; nothing runs again before it is said to be fixed."""
    read = ["# Read the input", "print(open('input.csv').read())"]
    case = with_target(
        build(
            {
                "outer": {"name": "Outer", "tasks": [task("prepare"), started_job("inner", "prepare")]},
                "inner": {"name": "Inner", "tasks": [task("load"), task("report", "load")]},
            },
            {"prepare": ["1"], "load": read, "report": ["1"]},
        )
    )
    run_id = case.run("outer")["run_id"]

    said = execute(case, "O05_a_task_failed")
    assert "inner > load: found no file `input.csv`" in said
    assert "# Read the input\nprint(open('input.csv').read())" in said
    assert "a file is missing" in said
    assert said.rstrip().endswith("Fix the cause as shown above, then run this again with fixed = True.")
    assert get_run(case.state, run_id)["state"]["result_state"] == "FAILED"

    case.file("input.csv").write_text("a,b\n")
    execute(case, "O05_a_task_failed", fixed=True)
    repaired = get_run(case.state, run_id)
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert [each["task_key"] for each in repaired["tasks"]] == ["prepare", "inner", "inner"]


def test_failures_of_different_kinds_have_different_remedies(build: Build) -> None:
    """In one run; a task that only waited for them is no cause. A cause that was not fixed fails the repair."""
    causes = {
        "package": ("import holidays_of_brazil", "a package is missing"),
        "late": ("import time\ntime.sleep(60)", "it took longer than its limit"),
        "check": ("assert 1 == 2, 'totals differ'", "a check of the notebook failed"),
        "odd": ("raise RuntimeError('on strike')", "another cause"),
    }
    limits = {"late": {"timeout_seconds": 10}}
    tasks = [task(key, **limits.get(key, {})) for key in causes]
    case = with_target(
        build(
            {"job": {"name": "Broken", "tasks": [*tasks, task("after", "odd")]}},
            {"after": ["1"], **{key: [code] for key, (code, _) in causes.items()}},
        )
    )
    case.run()

    said = execute(case, "O05_a_task_failed")

    assert [key for key, (_, kind) in causes.items() if not re.search(rf"{key}\s+{kind}", said)] == []
    assert not re.search(r"(?m)^\d+ +\d+ +after\b", said)
    with pytest.raises(PapermillExecutionError, match="it failed again: "):
        execute(case, "O05_a_task_failed", fixed=True)


def test_a_failed_iteration_and_a_failed_loop_are_told_apart(build: Build) -> None:
    """The iteration, if one failed; the loop itself, if its inputs are none. A run that succeeded has no cause."""
    notebook = {"notebook_path": "./city.ipynb", "base_parameters": {"city": "{{input}}"}}
    loop = {"inputs": '["Recife", "Natal"]', "task": {"task_key": "city", "notebook_task": notebook}}
    tasks = [
        {"task_key": "each", "for_each_task": loop},
        {"task_key": "none", "for_each_task": {**loop, "inputs": "{{job.parameters.cities}}"}},
    ]
    job = {"name": "Cities", "parameters": [{"name": "cities", "default": "no list"}], "tasks": tasks}
    case = with_target(
        build(
            {"job": job, "good": {"name": "Good", "tasks": [task("fine")]}},
            {"fine": ["1"], "city": ["# parameters\ncity = ''", "assert city != 'Natal', 'no trips in ' + city"]},
        )
    )
    run_id = case.run()["run_id"]
    good = case.run("good")["run_id"]

    said = execute(case, "O05_a_task_failed", run_id=run_id)
    rows = [line.split()[:2] for line in said.partition("in_run")[2].splitlines()[1:] if line.split()[1:2]]
    assert [str(run_id), "city"] in rows and [str(run_id), "none"] in rows and [str(run_id), "each"] not in rows
    assert "no trips in Natal" in said
    assert f"Run {good} has not failed, it is SUCCESS" in execute(case, "O05_a_task_failed", run_id=good)


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


@pytest.mark.parametrize("name", ["O05_a_task_failed", "O50_pipeline_timeout", "O70_repair_a_run"])
def test_without_a_run_there_is_nothing_to_do(build: Build, name: str) -> None:
    """A runbook may be opened too early."""
    case = with_target(build({"job": {"name": "Never", "tasks": [task("a")]}}, {"a": ["1"]}))

    assert re.search("[Nn]o run (of this target )?has", execute(case, name))


def test_a_paused_schedule_is_told_with_its_next_times(build: Build) -> None:
    """It also shows its next times; before the first run of this target, no time was missed."""
    schedule = {"quartz_cron_expression": "0 30 5 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}
    case = with_target(build({"job": {"name": "Asleep", "schedule": schedule, "tasks": [task("a")]}}, {"a": ["1"]}))

    said = execute(case, "O60_job_not_running_on_schedule", job="job")

    assert "paused" in said.lower()
    assert "05:30" in said
    assert "0 of 0 times have no run" in said


def test_times_are_missed_only_since_the_first_run(build: Build) -> None:
    """The first run was an hour and a half ago, so a schedule for each minute has missed about ninety times."""
    schedule = {"quartz_cron_expression": "0 * * * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}
    case = with_target(build({"job": {"name": "Each", "schedule": schedule, "tasks": [task("a")]}}, {"a": ["1"]}))
    run_id = case.run()["run_id"]
    with Records.of(case.state).opened() as database:
        database.execute("UPDATE runs SET start_time = start_time - 90 * 60000 WHERE run_id = ?", (run_id,))

    said = execute(case, "O60_job_not_running_on_schedule", job="job")

    missed, times = map(int, re.findall(r"(\d+) of (\d+) times", said)[0])

    assert missed == times and 88 <= times <= 93
