"""Notebooks before the tasks of a run: one that a state needs once, with which a repair also begins, and a check."""

import json

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.jobs.command import RunOptions, get_run, list_runs
from lakelocal.jobs.repair import repair_run
from tests.jobs.conftest import Build, task, write_notebook

pytestmark = pytest.mark.usefixtures("one_pool")

WRITES = "from pathlib import Path\nwith Path('log').open('a') as log:\n    log.write({name!r} + ' ')"

LOGS_WHAT_IT_GOT = "with Path('log').open('a') as log:\n    log.write(day + source + ' ')"


def test_it_runs_once_before_the_first_task(build: Build) -> None:
    """A changed one runs again; the history shows it as a run of its own."""
    case = build(
        {"job": {"name": "job", "tasks": [task("a")]}},
        {"a": [WRITES.format(name="a")], "setup": [WRITES.format(name="setup")]},
    )
    options = RunOptions(json=True, before=case.file("setup.ipynb"))

    for _ in range(2):
        assert case.run(options=options)["state"]["result_state"] == "SUCCESS"
    write_notebook(case.file("setup.ipynb"), [WRITES.format(name="changed")])
    case.run(options=options)

    assert case.file("log").read_text().split() == ["setup", "a", "a", "changed", "a"]
    assert [run["run_name"] for run in list_runs(case.state)] == ["setup", "job", "job", "setup", "job"]


def test_its_failure_is_the_runs_and_a_repair_runs_it_again(build: Build) -> None:
    """No task has begun; the repair knows which notebook was to come first."""
    case = build({"job": {"name": "job", "tasks": [task("a")]}}, {"a": [WRITES.format(name="a")], "setup": ["1 / 0"]})
    options = RunOptions(json=True, before=case.file("setup.ipynb"))

    failed = case.run(options=options)

    assert failed["state"]["result_state"] == "FAILED" and failed["tasks"] == []
    assert failed["state"]["state_message"].startswith(
        "`setup.ipynb`: ZeroDivisionError: division by zero, in `1 / 0` (cell 1)"
    )

    write_notebook(case.file("setup.ipynb"), [WRITES.format(name="setup")])
    repair_run(load_bundle(case.project), failed["run_id"], state=case.state, options=RunOptions(json=True))

    run = get_run(case.state, failed["run_id"])
    assert (run["state"]["result_state"], [each["task_key"] for each in run["tasks"]]) == ("SUCCESS", ["a"])
    assert case.file("log").read_text().split() == ["setup", "a"]
    assert "setup.ipynb" in json.loads((case.state.folder / "first.json").read_text())


def test_a_check_gets_parameters_and_given_variables_each_time_and_comes_first(build: Build) -> None:
    """It sees what the user gave; a run that it lets pass continues as if there were no check."""
    case = build(
        {"job": {"name": "job", "parameters": [{"name": "day", "default": "none"}], "tasks": [task("a")]}},
        {
            "a": [WRITES.format(name="a")],
            "setup": [WRITES.format(name="setup")],
            "check": [
                "# parameters\nday = ''\nsource = ''",
                WRITES.format(name="check") + "\n    log.write(day + source + ' ')",
            ],
        },
    )
    options = RunOptions(
        json=True, before=case.file("setup.ipynb"), check=case.file("check.ipynb"), variables={"source": "-files"}
    )

    for day in ("one", "two"):
        assert case.run(options=options, day=day)["state"]["result_state"] == "SUCCESS"

    assert case.file("log").read_text().split() == ["check", "one-files", "setup", "a", "check", "two-files", "a"]


def test_what_a_check_refuses_is_not_tried_again(build: Build) -> None:
    """The run has its message, no task has begun, and a task's retries do not count."""
    case = build(
        {"job": {"name": "job", "tasks": [{**task("a"), "max_retries": 3, "min_retry_interval_millis": 60_000}]}},
        {"a": [WRITES.format(name="a")], "check": ["raise ValueError('found no such day')"]},
    )

    failed = case.run(options=RunOptions(json=True, check=case.file("check.ipynb")))

    assert failed["state"]["result_state"] == "FAILED" and failed["tasks"] == []
    assert failed["state"]["state_message"] == "ValueError: found no such day (cell 1)"
    assert not case.file("log").exists()
