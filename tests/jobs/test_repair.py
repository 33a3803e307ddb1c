"""Repairs and backfills: real runs; all but one need no kernel."""

import itertools
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_ending import HANG, LIMIT_SECONDS, start_runner, until

from lakelocal.bundle import load_bundle
from lakelocal.cli.values import interval, moment
from lakelocal.errors import RunError, UsageError
from lakelocal.history.records import Records
from lakelocal.jobs.backfill import backfill_job, backfill_times
from lakelocal.jobs.command import RunOptions, get_run, list_runs
from lakelocal.jobs.repair import repair_run
from tests.jobs.conftest import Build, condition, left_running, task

pytestmark = pytest.mark.usefixtures("one_pool")

# first succeeds, check needs a number in `n`, last follows check, handler runs after a failure
TASKS = [
    condition("first", "1", "EQUAL_TO", "1"),
    condition("check", "{{job.parameters.n}}", "GREATER_THAN", "1", "first"),
    condition("last", "{{tasks.check.execution_count}} {{job.repair_count}}", "NOT_EQUAL", "", "check=true"),
    condition("handler", "1", "EQUAL_TO", "1", "check", run_if="AT_LEAST_ONE_FAILED"),
]
JOB = {"job": {"name": "Repair", "parameters": [{"name": "n", "default": "none"}], "tasks": TASKS}}
QUIET = RunOptions(json=True)


def entries(run: dict) -> list[tuple]:
    return [(each["task_key"], each["attempt_number"], each["state"]["result_state"]) for each in run["tasks"]]


def repair(case: Any, run: dict, **settings: Any) -> dict:
    return repair_run(load_bundle(case.project), run["run_id"], state=case.state, options=QUIET, **settings)


def test_a_repair_runs_what_failed_and_what_depends_on_it(build: Build) -> None:
    """In the same run, with another parameter: numbers continue, what succeeded is kept, the history has both."""
    case = build(JOB, {})
    failed = case.run()

    run = repair(case, failed, parameters={"n": "2"})

    assert entries(failed) == [("first", 0, "SUCCESS"), ("check", 0, "FAILED"), ("last", 0, "UPSTREAM_FAILED"),
                               ("handler", 0, "SUCCESS")]  # fmt: skip
    assert entries(run)[4:] == [("check", 1, "SUCCESS"), ("handler", 1, "EXCLUDED"), ("last", 1, "SUCCESS")]
    assert run["run_id"] == failed["run_id"]
    assert run["state"]["result_state"] == "SUCCESS"
    assert run["start_time"] == failed["start_time"]
    assert run["job_parameters"] == [{"name": "n", "default": "none", "value": "2"}]
    assert run["tasks"][-1]["condition_task"]["left"] == "2 1"
    original, first = run["repair_history"]
    assert (original["type"], original["state"]["result_state"]) == ("ORIGINAL", "FAILED")
    assert (first["type"], first["id"], first["state"]["result_state"]) == ("REPAIR", 1, "SUCCESS")
    assert original["task_run_ids"] + first["task_run_ids"] == [each["run_id"] for each in run["tasks"]]
    assert original["end_time"] == failed["end_time"] <= first["start_time"]


def test_a_repair_may_fail_and_be_repaired_again(build: Build) -> None:
    """The parameters of the run stay those of its last repair; `repair_count` counts."""
    case = build(JOB, {})
    failed = case.run()

    second = repair(case, failed, parameters={"n": "still none"})
    third = repair(case, second, dependents=False, tasks="check", parameters={"n": "0"})

    assert second["state"]["result_state"] == "FAILED"
    assert entries(third)[-1] == ("check", 2, "SUCCESS")
    assert third["state"]["result_state"] == "FAILED", "`last` was not repaired and stays UPSTREAM_FAILED"
    assert [each["state"]["result_state"] for each in third["repair_history"]] == ["FAILED", "FAILED", "FAILED"]


def test_current_settings_and_original_parameters(build: Build) -> None:
    """A repair takes the job as it is defined now, and the values that the run had."""
    case = build(JOB, {})
    failed = case.run(n="nine")
    mended = [TASKS[0], condition("check", "{{job.parameters.n}}{{job.parameters.new}}", "EQUAL_TO", "nine!", "first")]
    parameters = [{"name": "n", "default": "changed"}, {"name": "new", "default": "!"}]
    build({"job": {"name": "Repair", "parameters": parameters, "tasks": mended}}, {})

    run = repair(case, failed)

    assert run["tasks"][-1]["condition_task"]["outcome"] == "true"
    assert run["state"]["result_state"] == "SUCCESS"


def test_what_cannot_be_repaired(build: Build) -> None:
    """Nothing failed, it has not ended, unknown names: the run is left unchanged."""
    case = build(JOB, {})
    run = case.run(n="2")

    with pytest.raises(UsageError, match="found no task that failed"):
        repair(case, run)
    with pytest.raises(UsageError, match="found no task `z`"):
        repair(case, run, tasks="z")
    with pytest.raises(UsageError, match="found `m`; its parameters are `n`"):
        repair(case, run, tasks="last", parameters={"m": "1"})
    with pytest.raises(RunError, match="found no run 99"):
        repair(case, {"run_id": 99})
    assert get_run(case.state, run["run_id"]) == run

    Records.of(case.state).update_run(run["run_id"], end_time=None, life_cycle_state="RUNNING")
    with pytest.raises(RunError, match="found it RUNNING, expected a run that has ended"):
        repair(case, run, tasks="last")


def test_a_partial_run_is_repaired_within_its_selection(build: Build) -> None:
    """Tasks that it left out are not run now."""
    case = build(JOB, {})
    failed = case.run(options=RunOptions(json=True, only="check"))

    run = repair(case, failed, parameters={"n": "2"})

    assert entries(run) == [("check", 0, "FAILED"), ("check", 1, "SUCCESS")]


def test_a_repair_starts_a_new_run_of_a_child_job(build: Build) -> None:
    """The failed child run is left unchanged."""
    start = {"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.child.id}"}}
    parameters = [{"name": "n", "default": "none"}]
    tasks = [condition("a", "{{job.parameters.n}}", "GREATER_THAN", "1")]
    child = {"name": "Child", "parameters": parameters, "tasks": tasks}
    case = build({"job": {"name": "Parent", "parameters": parameters, "tasks": [start]}, "child": child}, {})
    failed = case.run()

    run = repair(case, failed, parameters={"n": "2"})

    first, second = (each["run_job_output"]["run_id"] for each in run["tasks"])
    assert get_run(case.state, first)["state"]["result_state"] == "FAILED"
    assert get_run(case.state, second)["state"]["result_state"] == run["state"]["result_state"] == "SUCCESS"


def test_a_repair_runs_all_inputs_of_a_for_each_task_again(build: Build) -> None:
    """Including those that had succeeded."""
    nested = condition("inner", "{{input}}", "GREATER_THAN", "1")
    loop = {"task_key": "loop", "for_each_task": {"inputs": "{{job.parameters.inputs}}", "task": nested}}
    parameters = [{"name": "inputs", "default": '[1, "x"]'}]
    case = build({"job": {"name": "Loop", "parameters": parameters, "tasks": [loop]}}, {})
    failed = case.run()

    run = repair(case, failed, parameters={"inputs": "[1, 2]"})

    again = run["tasks"][len(failed["tasks"]) :]
    assert [each["iteration"]["input"] for each in again if each["task_key"] == "inner"] == [1, 2]
    assert run["state"]["result_state"] == "SUCCESS"


def test_a_run_whose_runner_was_killed_is_repaired(build: Build) -> None:
    """Task values of what had succeeded are still there; what never ran runs; no process of the first run is left."""
    wait = "import pathlib\npathlib.Path('here').touch()\nif not pathlib.Path('again').exists():\n    " + HANG.replace(
        "\n", "\n    "
    )
    read = "assert dbutils.jobs.taskValues.get('a', 'rows') == 12"
    case = build(
        {"job": {"name": "Killed", "tasks": [task("a"), task("b", "a"), condition("c", "1", "EQUAL_TO", "1", "b")]}},
        {"a": ["dbutils.jobs.taskValues.set('rows', 12)"], "b": [wait, read]},
    )
    runner = start_runner(case.project.root)
    until(lambda: case.file("here").exists() or runner.poll() is not None)
    os.kill(runner.pid, signal.SIGKILL)
    runner.communicate(timeout=LIMIT_SECONDS)
    case.file("again").touch()

    run = repair(case, list_runs(case.state)[0])

    assert entries(run) == [("a", 0, "SUCCESS"), ("b", 0, "FAILED"), ("b", 1, "SUCCESS"), ("c", 0, "SUCCESS")]
    assert run["state"]["result_state"] == "SUCCESS"
    assert Path(run["tasks"][2]["output_notebook"]).name == "b-1.ipynb"
    # What the killed runner left notices that by itself, and first ends its kernel; the repair does not wait for it.
    until(lambda: left_running(case.state) == [])


def times_of(start: str, end: str, every: str) -> list[datetime]:
    """The times of a backfill with these options, given as text."""
    return backfill_times(moment(start), moment(end), interval(every))


def test_a_backfill_has_one_run_a_date(build: Build) -> None:
    """In the order of the dates, each with its own values; a run that fails does not end the others."""
    job = {
        "name": "Backfill",
        "parameters": [{"name": "day", "default": ""}, {"name": "n", "default": "{{backfill.day}}"}],
        "tasks": [condition("a", "{{job.parameters.day}}", "EQUAL_TO", "2018-02-01")],
    }
    case = build({"job": job}, {})
    bundle, times = load_bundle(case.project), times_of("2018-01-31", "2018-02-02", "1d")

    runs = backfill_job(
        bundle, "job", times, state=case.state, parameters={"day": "{{backfill.iso_date}}"}, options=QUIET
    )

    values = [{each["name"]: each["value"] for each in run["job_parameters"]} for run in runs]
    assert values == [
        {"day": "2018-01-31", "n": "31"},
        {"day": "2018-02-01", "n": "1"},
        {"day": "2018-02-02", "n": "2"},
    ]
    assert [run["tasks"][0]["condition_task"]["outcome"] for run in runs] == ["false", "true", "false"]
    assert all(one["end_time"] <= two["start_time"] for one, two in itertools.pairwise(runs))


def test_times_of_a_backfill() -> None:
    """The end is included if an interval falls on it; zones are converted to UTC."""

    def times(*given: str) -> list[str]:
        return [each.strftime("%m-%d %H:%M") for each in times_of(*given)]

    assert times("2018-01-31", "2018-02-02", "1d") == ["01-31 00:00", "02-01 00:00", "02-02 00:00"]
    assert times("2018-01-31", "2018-02-02", "36h") == ["01-31 00:00", "02-01 12:00"]
    assert times("2018-01-01", "2018-01-20", "1w") == ["01-01 00:00", "01-08 00:00", "01-15 00:00"]
    assert times("2018-01-01T00:30+01:00", "2018-01-01T00:30+01:00", "1d") == ["12-31 23:30"]
    assert times_of("2018-01-01", "2018-01-01", "1d") == [datetime(2018, 1, 1, tzinfo=UTC)]
    assert len(times_of("2018-01-01", "2018-04-10", "1d")) == 100


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("2018-01-01", "2018-04-11", "1d"), "found 101 runs .* expected at most 100"),
        (("2018-01-02", "2018-01-01", "1d"), "--to: found `2018-01-01`"),
    ],
)
def test_times_that_are_none(given: tuple[str, str, str], message: str) -> None:
    """The message names the option, and nothing runs."""
    with pytest.raises(UsageError, match=message):
        times_of(*given)
