"""The verbs `run`, `backfill`, `runs repair` and `runs cancel` as a person calls them."""

import json
import signal
import subprocess
import sys

import pytest
from test_ending import HANG, LIMIT_SECONDS, until

from lakelocal.cli.main import main
from lakelocal.jobs.command import list_runs
from tests.jobs.conftest import Build, condition, left_running, task

pytestmark = pytest.mark.usefixtures("one_pool")

JOB = {
    "job": {
        "name": "Cli",
        "parameters": [{"name": "day", "default": "{{job.trigger.type}}"}],
        "tasks": [condition("a", "{{job.parameters.day}}", "GREATER_THAN", "1")],
    }
}


def test_a_run_is_repaired(build: Build, capsys: pytest.CaptureFixture) -> None:
    """The exit code is that of the run; the output says what runs again and what is kept."""
    tasks = [condition("first", "1", "EQUAL_TO", "1"), *JOB["job"]["tasks"]]
    case = build({"job": {**JOB["job"], "tasks": tasks}}, {})
    project = ["--project", str(case.project.root)]

    assert main([*project, "run", "job"]) == 1
    (run,) = list_runs(case.state)
    assert main([*project, "runs", "repair", str(run["run_id"])]) == 1
    capsys.readouterr()
    assert main([*project, "runs", "repair", str(run["run_id"]), "--param", "day=2"]) == 0

    output = capsys.readouterr().out
    assert "repair 2 of run 1: a" in output
    assert "reused: first (SUCCESS)" in output


def test_the_only_job_needs_no_name(build: Build, capsys: pytest.CaptureFixture) -> None:
    """Of two jobs, one has to be named; the message says which there are."""
    case = build(JOB, {})
    assert main(["--project", str(case.project.root), "run", "--param", "day=2"]) == 0
    assert "run 1 of Cli started" in capsys.readouterr().out

    case = build({**JOB, "other": JOB["job"]}, {})
    assert main(["--project", str(case.project.root), "run"]) == 2
    assert "found no name of a job; its jobs are `job`, `other`. Name one of them." in capsys.readouterr().err


def test_a_scheduled_run_prints_its_json(build: Build, capsys: pytest.CaptureFixture) -> None:
    """Nothing else is on standard output."""
    case = build(JOB, {})

    status = main(
        ["--project", str(case.project.root), "run", "job", "--json", "--scheduled-at", "2018-01-31T06:00:00Z"]
    )

    run = json.loads(capsys.readouterr().out)
    assert (status, run["trigger"], run["job_parameters"][0]["value"]) == (1, "PERIODIC", "periodic")


def test_a_backfill_prints_a_table(build: Build, capsys: pytest.CaptureFixture) -> None:
    """One line per run; the exit code is 1 if one failed."""
    case = build(JOB, {})
    command = ["--project", str(case.project.root), "backfill", "job", "--from", "2018-01-31", "--to", "2018-02-01"]

    assert main([*command, "--param", "day={{backfill.day}}"]) == 0
    table = capsys.readouterr().out
    assert main([*command, "--param", "day={{backfill.iso_date}}"]) == 1

    assert "backfill of Cli: 2 runs, for 2018-01-31 to 2018-02-01" in table
    rows = table.partition("for ")[2].partition("run id")[2].splitlines()[1:]
    assert [row.split()[:3] for row in rows] == [["2018-01-31", "1", "SUCCESS"], ["2018-02-01", "2", "SUCCESS"]]
    last = capsys.readouterr().out.splitlines()[-2:]
    assert [line.split("runs ")[1] for line in last] == ["repair 3", "repair 4"]


def test_wrong_use_says_what_was_expected(build: Build, capsys: pytest.CaptureFixture) -> None:
    """Exit code 2, and nothing runs."""
    case = build(JOB, {})
    project = ["--project", str(case.project.root)]

    for words in (
        ["run", "job", "--scheduled-at", "tomorrow"],
        ["backfill", "job", "--from", "2018", "--to", "2018-02-01"],
        ["backfill", "job", "--from", "2018-01-01", "--to", "2018-02-01", "--every", "0d"],
    ):
        with pytest.raises(SystemExit) as raised:
            main([*project, *words])
        assert raised.value.code == 2
    assert main([*project, "runs", "cancel", "7"]) == 2

    errors = capsys.readouterr().err
    assert "--scheduled-at: found `tomorrow`; expected a date or time in ISO 8601" in errors
    assert "--from: found `2018`" in errors
    assert "--every: found `0d`" in errors
    assert list_runs(case.state) == []


def test_a_run_is_cancelled_from_another_terminal(build: Build, capsys: pytest.CaptureFixture) -> None:
    """Its tasks end, the runner says CANCELED and exits with 1, and no process is left."""
    case = build(
        {"job": {"name": "Long", "tasks": [task("a"), task("b", "a")]}},
        {"a": ["import pathlib\npathlib.Path('here').touch()", HANG], "b": ["1"]},
    )
    project = ["--project", str(case.project.root)]
    runner = subprocess.Popen(
        [sys.executable, "-m", "lakelocal", *project, "run", "job"], stdout=subprocess.PIPE, text=True
    )
    try:
        until(lambda: case.file("here").exists() or runner.poll() is not None)

        assert main([*project, "runs", "cancel", str(list_runs(case.state)[0]["run_id"]), "--json"]) == 0

        run = json.loads(capsys.readouterr().out)
        output, _ = runner.communicate(timeout=LIMIT_SECONDS)
    finally:
        if runner.poll() is None:
            runner.send_signal(signal.SIGTERM)
    assert run["state"]["result_state"] == "CANCELED"
    assert [each["state"]["result_state"] for each in run["tasks"]] == ["CANCELED", "UPSTREAM_CANCELED"]
    assert (runner.returncode, "CANCELED" in output) == (1, True)
    assert left_running(case.state) == []
