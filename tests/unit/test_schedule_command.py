"""`python -m local schedule`: next times and simulations as people and programs read them; wrong usage."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.history.records import Records
from lakelocal.program import PROGRAM

BUNDLE = """
bundle: {name: b}
resources:
  jobs:
    nightly:
      name: Nightly
      schedule: {quartz_cron_expression: "0 30 2 * * ?", timezone_id: Europe/Berlin}
      timeout_seconds: 7200
      tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]
    files:
      name: Files
      trigger: {file_arrival: {url: /Volumes/a/b/c/}}
      tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]
targets:
  dev: {default: true, presets: {trigger_pause_status: PAUSED}}
  prod:
    variables: {catalog: production}
    resources: {jobs: {nightly: {queue: {enabled: false}}}}
variables: {catalog: {default: development}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "databricks.yml").write_text(BUNDLE)
    (root / "n.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    return root


Out = pytest.CaptureFixture[str]


def call(project: Path, *arguments: str) -> int:
    return main(["--project", str(project), "schedule", *arguments])


def answer(project: Path, capsys: Out, *arguments: str) -> dict[str, Any]:
    assert call(project, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_next_shows_both_zones_and_says_that_it_is_paused(project: Path, capsys: Out) -> None:
    """Two firings, and between them the local time that the clock change skips."""
    assert call(project, "next", "nightly", "-n", "2", "--from", "2026-03-28T00:00") == 0

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "nightly, target dev: 0 30 2 * * ? (Europe/Berlin), PAUSED",
        "UTC in Europe/Berlin",
        "2026-03-28 01:30:00 Sat 2026-03-28 02:30:00 +0100",
        "Sun 2026-03-29 02:30:00 NO SUCH TIME: the clocks go forward past it",
        "2026-03-30 00:30:00 Mon 2026-03-30 02:30:00 +0200",
    ]


def test_next_as_json(project: Path, capsys: Out) -> None:
    """`--from` with an offset is that instant."""
    found = answer(
        project, capsys, "next", "nightly", "-n", "1", "--target", "prod", "--from", "2026-10-25T02:15+02:00"
    )

    assert (found["target"], found["job"], found["timezone"], found["pause_status"]) == (
        *("prod", "nightly"),
        *("Europe/Berlin", "UNPAUSED"),
    )
    assert found["times"] == [
        {"scheduled_at": "2026-10-25T01:30:00Z", "local_time": "2026-10-25T02:30:00", "exists": True}
    ]


def test_a_simulation_is_of_all_targets_and_creates_nothing(project: Path, capsys: Out) -> None:
    """Three nights with the clock change: paused in dev, run in prod; runs with a guessed duration."""
    found = answer(project, capsys, "--simulate", "3d", "--from", "2026-03-28T00:00")

    assert [(job["target"], job["job"], job["outcomes"]) for job in found["jobs"]] == [
        ("dev", "nightly", {"PAUSED": 2, "NO SUCH TIME": 1}),
        ("dev", "files", {}),
        ("prod", "nightly", {"RUN": 2, "NO SUCH TIME": 1}),
        ("prod", "files", {}),
    ]
    assert found["jobs"][1]["trigger"] == "new files in /Volumes/a/b/c/"
    assert found["jobs"][2]["assumption"].startswith("guessed")
    assert [change["at"] for change in found["clock_changes"]] == ["2026-03-29T01:00:00Z"]
    assert found["firings"][1] == {
        "target": "prod",
        "job": "nightly",
        "scheduled_at": "2026-03-28T01:30:00Z",
        "local_time": "2026-03-28T02:30:00",
        "outcome": "RUN",
        "reason": "",
        "begins": "2026-03-28T01:30:00Z",
        "ends": "2026-03-28T01:40:00Z",
    }
    assert not (project.parent / "state").exists()


def test_a_simulation_marks_the_skipped_time_for_people(project: Path, capsys: Out) -> None:
    """The clock change has its own row."""
    assert call(project, "nightly", "--simulate", "1d", "--from", "2026-03-29T00:00", "--target", "prod") == 0

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:3] == [
        "2026-03-29 01:00:00 clocks of Europe/Berlin go forward from 02:00 to 03:00",
        "2026-03-29 01:00:00 Sun 2026-03-29 02:30:00 prod nightly NO SUCH TIME 02:30:00 is skipped in Europe/Berlin",
    ]
    assert lines[-1].startswith("prod nightly 0 30 2 * * ? (Europe/Berlin) 0:10:00 (guessed")


def test_firings_that_are_paused_are_counted_and_not_listed(project: Path, capsys: Out) -> None:
    """A month of a paused job would be a screen of lines that all say the same."""
    assert call(project, "nightly", "--simulate", "30d", "--from", "2026-05-01T00:00", "--target", "dev") == 0

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2
    assert lines[-1].endswith("30 PAUSED")


def test_durations_are_given_measured_or_cut(project: Path, capsys: Out) -> None:
    """`--assume` first, else the median of successful runs; never more than the timeout; the source is shown."""
    options = ("nightly", "--simulate", "1d", "--target", "prod")
    job_id = answer(project, capsys, *options)["jobs"][0]["job_id"]
    state = project.parent / "state" / "production"
    state.mkdir(parents=True)
    records = Records(state / "runs.db")
    for seconds, result in ((60, "SUCCESS"), (90, "SUCCESS"), (300, "SUCCESS_WITH_FAILURES"), (5000, "FAILED")):
        run = start_run(records, job_id=job_id, job_key="nightly", run_name="N", target="prod", trigger="PERIODIC")
        began = records.run(run).start_time
        records.update_run(run, result_state=result, life_cycle_state="TERMINATED", end_time=began + seconds * 1000)

    (measured,) = answer(project, capsys, *options)["jobs"]
    (given,) = answer(project, capsys, *options, "--assume", "nightly=1h30m")["jobs"]
    (cut,) = answer(project, capsys, *options, "--assume", "nightly=3h")["jobs"]

    assert (measured["assumed_seconds"], measured["assumption"]) == (90, "median of 3 recorded runs")
    assert (given["assumed_seconds"], given["assumption"]) == (5400, "given with --assume")
    assert (cut["assumed_seconds"], cut["assumption"]) == (7200, "given with --assume, limited by timeout_seconds")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["next"], "found 0 jobs; expected one"),
        (["next", "other"], "found no job `other`"),
        (["--simulate", "1d", "--assume", "other=1h"], "found no job `other`"),
        (["--from", "2026-03-28"], "found --from; a scheduler takes --stop-runs"),
        (["next", "nightly", "--simulate", "1d"], "found --simulate; `schedule next` takes --from, -n, --json"),
        (["--target", "dev"], "nothing to schedule: `nightly`: 0 30 2 * * ? (Europe/Berlin), PAUSED; `files`:"),
    ],
)
def test_wrong_use_is_explained(project: Path, capsys: Out, arguments: list[str], message: str) -> None:
    """Exit code 2, one paragraph, nothing created."""
    assert call(project, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (project.parent / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["next", "nightly", "--from", "tomorrow"], "--from: found `tomorrow`; expected a date or time in ISO 8601"),
        (["--simulate", "7"], "--simulate: found `7`; expected numbers with w, d, h, m or s"),
        (["--simulate", "0d"], "--simulate: found `0d`; expected a time longer than zero"),
        (["--simulate", "1d", "--assume", "nightly"], "--assume: found `nightly`; expected JOB=TIME"),
        (["--simulate", "1d", "--assume", "nightly=long"], "--assume: found `long`; expected numbers with w, d"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_explained(
    project: Path, capsys: Out, arguments: list[str], message: str
) -> None:
    """Exit code 2, the option and an example, nothing created."""
    with pytest.raises(SystemExit) as stopped:
        call(project, *arguments)

    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (project.parent / "state").exists()


def test_now_is_where_a_simulation_begins_by_default(project: Path, capsys: Out) -> None:
    """In whole seconds, UTC."""
    before = datetime.now(UTC).replace(microsecond=0)

    begins = datetime.fromisoformat(answer(project, capsys, "--simulate", "1d")["from"])

    assert before <= begins <= datetime.now(UTC)


def test_a_misspelt_next_is_no_job(project: Path, capsys: Out) -> None:
    """The list of the jobs would not help."""
    assert call(project, "nxt", "nightly", "--target", "dev") == 2

    assert f"found no job `nxt`. Did you mean `{PROGRAM} schedule next JOB`?" in capsys.readouterr().err
