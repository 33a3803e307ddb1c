"""A real run of the engine, and what it leaves in the outbox. Its tasks are conditions: no kernel is started."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import ProjectError
from lakelocal.jobs.command import RunOptions, list_runs, run_job
from lakelocal.notifications.outbox import Entry, Outbox
from lakelocal.program import PROGRAM
from lakelocal.project import Project

EVENTS = ("on_start", "on_success", "on_failure")
Run = Callable[..., tuple[dict[str, Any], list[Entry]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a job with one condition; return the run, and the messages in the order of sending."""
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))

    def run(left: str, **settings: Any) -> tuple[dict[str, Any], list[Entry]]:
        condition = {"op": "GREATER_THAN", "left": left, "right": "9"}
        task = {"task_key": "more", "condition_task": condition, "email_notifications": _all("task@example.com")}
        job = {"name": "Check", "tasks": [task], "email_notifications": _all("job@example.com"), **settings}
        (tmp_path / "databricks.yml").write_text(
            json.dumps({"bundle": {"name": "example"}, "resources": {"jobs": {"check": job}}})
        )
        project = Project.at(tmp_path)
        state = project.state("main").make()
        shape = run_job(load_bundle(project), "check", state=state, options=RunOptions(json=True))
        return shape, Outbox(state.outbox).entries()[::-1]

    return run


def _all(address: str) -> dict[str, list[str]]:
    return {event: [address] for event in EVENTS}


def test_a_run_tells_of_its_start_and_its_success(run: Run) -> None:
    """The job's list is notified; a condition task has no notifications."""
    shape, messages = run("10")

    assert [(entry.event_type, entry.to) for entry in messages] == [
        ("jobs.on_start", ("job@example.com",)),
        ("jobs.on_success", ("job@example.com",)),
    ]
    assert all(f"{PROGRAM} runs open {shape['run_id']} --target default" in entry.body for entry in messages)


def test_a_failed_run_tells_why(run: Run) -> None:
    """With the reason, and not the state's message beside it, which only says that there is one."""
    shape, messages = run("ten")

    assert [entry.event_type for entry in messages] == ["jobs.on_start", "jobs.on_failure"]
    assert "Reason:   more: condition_task: left: found `ten`, expected a number" in messages[1].body
    assert shape["state"]["state_message"] not in messages[1].body


def test_a_skipped_run_tells_unless_muted(run: Run) -> None:
    """`max_concurrent_runs: 0` skips every run; it never starts."""
    limit = {"max_concurrent_runs": 0, "queue": {"enabled": False}}

    shape, messages = run("10", **limit)
    assert shape["state"]["life_cycle_state"] == "SKIPPED"
    assert [(entry.event_type, entry.subject.split(":")[0]) for entry in messages] == [("jobs.on_failure", "Skipped")]

    _, more = run("10", **limit, notification_settings={"no_alert_for_skipped_runs": True})
    assert more == messages


def test_a_mistake_in_the_settings_stops_the_run_before_it_begins(run: Run, tmp_path: Path) -> None:
    """Nothing is recorded. If no job lists anyone, the file is not even read."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "notifications.yml").write_text("smtp: {}")

    with pytest.raises(ProjectError, match=r"notifications\.yml`: `smtp\.host`: field required"):
        run("10")
    assert list_runs(Project.at(tmp_path).state("main")) == []
