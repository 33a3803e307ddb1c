"""Who is notified of what: every rule of `conformance.notifications`, against the pure part."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conformance import cases
from conformance.notifications import DURATION, EVERYTHING, FAILURE, RULES, SLOW, SUCCESS, Case

from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.notifications.messages import are_asked_for, destinations
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.rules import threshold


def occasion(case: Case) -> Occasion:
    """*case*, as the engine reports it."""
    own = {**EVERYTHING, **case.settings}
    of_job, of_task = (own, case.other) if case.level == "job" else (case.other, own)
    task = Task("bronze", case.kind, settings=of_task)
    job = Job("daily", 1, "Daily", settings=of_job, tasks=(task,))
    if case.level == "job":
        return Occasion(case.event, job, {"run_id": 1, "state": case.shape}, at=0, last=case.last)
    attempt = {"run_id": 2, "attempt_number": case.attempt, "state": case.shape}
    run = {"run_id": 1, "state": {"life_cycle_state": "RUNNING", "state_message": ""}}
    return Occasion(case.event, job, run, at=0, task=task, attempt=attempt, last=case.last)


@pytest.mark.parametrize(("case", "told"), cases(RULES))
def test_rule(case: Case, told: tuple[str, ...]) -> None:
    """Those whom the rule names are notified of the event, and nobody else."""
    assert tuple(to for destination in destinations(occasion(case)) for to in destination.to) == told


@pytest.mark.parametrize("level", ["job", "task"])
def test_null_in_place_of_the_settings_sends_nothing(level: str) -> None:
    """As a variable of type complex may yield it."""
    nothing = {"email_notifications": None, "webhook_notifications": None, "notification_settings": None}

    assert destinations(occasion(Case(level, FAILURE, "FAILED", nothing))) == []


@pytest.mark.parametrize("event", ["on_maintenance_start", "on_something_new"])
def test_an_event_without_a_rule_tells_nobody(event: str) -> None:
    """Maintenance only concerns continuous jobs of the platform."""
    case = Case("job", event, "RUNNING", {"email_notifications": {event: ["a@example.com"]}})

    assert destinations(occasion(case)) == []


def test_one_email_goes_to_all_and_one_call_to_each_webhook() -> None:
    """In the order of the settings."""
    lists = {
        "email_notifications": {SUCCESS: ["a@example.com", "b@example.com"]},
        "webhook_notifications": {SUCCESS: [{"id": "x"}, {"id": "y"}]},
    }
    case = Case("job", SUCCESS, "SUCCESS", lists)

    found = [(each.channel.name, each.to) for each in destinations(occasion(case))]

    assert found == [("email", ("a@example.com", "b@example.com")), ("webhook", ("x",)), ("webhook", ("y",))]


def test_the_threshold_is_the_rule_that_was_exceeded() -> None:
    """With several rules, each warns once."""
    rules = [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": value} for value in (60, 120)]
    what = occasion(Case("job", DURATION, "RUNNING", {"health": {"rules": rules}}))

    assert threshold(what) == 60
    assert threshold(replace(what, run={**what.run, "health_warnings": rules})) == 120


def test_a_threshold_may_come_from_a_variable() -> None:
    """Values of --var are strings."""
    rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": "60"}

    assert threshold(occasion(Case("job", DURATION, "RUNNING", {"health": {"rules": [rule]}}))) == 60
    assert threshold(occasion(Case("job", DURATION, "RUNNING", SLOW))) == 60


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({}, False),
        ({"email_notifications": {}, "webhook_notifications": None}, False),
        ({"email_notifications": {"on_failure": [], "no_alert_for_skipped_runs": True}}, False),
        ({"email_notifications": {"on_failure": ["a@example.com"]}}, True),
        ({"webhook_notifications": {"on_success": [{"id": "x"}]}}, True),
    ],
)
def test_a_bundle_asks_for_notifications_where_it_lists_someone(settings: dict[str, Any], asked: bool) -> None:
    """For a job, a task, or a task in a for-each task; without, runs read nothing for them."""
    nested = Task("each", "notebook_task", settings=settings)
    task = Task("loop", "for_each_task", settings={}, nested=nested)
    for job in (Job("a", 1, "A", settings, ()), Job("a", 1, "A", {}, (nested,)), Job("a", 1, "A", {}, (task,))):
        bundle = Bundle("b", Path(), "dev", "main", {}, jobs={"a": job})
        assert are_asked_for(bundle) is asked
