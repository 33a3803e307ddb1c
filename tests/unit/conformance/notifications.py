"""Notifications: a case -> who hears of it, e-mail addresses and ids of webhooks in the order of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance import UNDOCUMENTED, Rule

EMAIL = "Jobs API: JobEmailNotifications, TaskEmailNotifications"
WEBHOOK = "Jobs API: WebhookNotifications"
SETTINGS = "Jobs API: JobNotificationSettings, TaskNotificationSettings"
LAST_ATTEMPT = "Jobs API: TaskNotificationSettings.alert_on_last_attempt"
PAGE = "documentation: Add notifications on a job"
VARIABLE = "Databricks CLI: --var"

START, SUCCESS, FAILURE = "on_start", "on_success", "on_failure"
DURATION, BACKLOG = "on_duration_warning_threshold_exceeded", "on_streaming_backlog_exceeded"
EVENTS = (START, SUCCESS, FAILURE, DURATION, BACKLOG)

MAIL, HOOK = "team@example.com", "0481e838-0a59-4eff-9541-a4ca6f149574"
BOTH, NOBODY = (MAIL, HOOK), ()

# One address and one webhook hear of everything, unless the settings of a case say otherwise.
EVERYTHING = {
    "email_notifications": {event: [MAIL] for event in EVENTS},
    "webhook_notifications": {event: [{"id": HOOK}] for event in EVENTS},
}


@dataclass(frozen=True)
class Case:
    """What happened: *event* to a run (*level* `job`) or an attempt (`task`), now in *life_cycle* with *result*.

    *settings* are those of the level, over `EVERYTHING`; *other* those of the other level. *attempt* is the number of
    the attempt; *last*: no further one follows.
    """

    level: str
    event: str
    result: str | None = None
    life_cycle: str = "TERMINATED"
    settings: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    last: bool = True
    kind: str = "notebook_task"


def switch(**switches: bool | str) -> dict[str, Any]:
    """Settings with these switches."""
    return {"notification_settings": switches}


def lists(emails: Any, webhooks: Any = None) -> dict[str, Any]:
    """Settings with these `email_notifications` and, where given, `webhook_notifications` instead of `EVERYTHING`."""
    return {"email_notifications": emails, **({} if webhooks is None else {"webhook_notifications": webhooks})}


def health(metric: str) -> dict[str, Any]:
    """Settings with a rule of this metric."""
    return {"health": {"rules": [{"metric": metric, "op": "GREATER_THAN", "value": 60}]}}


def ids(*names: str) -> dict[str, Any]:
    """`webhook_notifications` that call these on failure."""
    return {FAILURE: [{"id": name} for name in names]}


NONE = {"email_notifications": {}, "webhook_notifications": {}}
NO_SKIPPED = switch(no_alert_for_skipped_runs=True)
NO_CANCELED = switch(no_alert_for_canceled_runs=True)
NO_SKIPPED_EMAIL = lists({FAILURE: [MAIL], "no_alert_for_skipped_runs": True})
LAST = switch(alert_on_last_attempt=True)
SLOW = health("RUN_DURATION_SECONDS")
BEHIND = health("STREAMING_BACKLOG_RECORDS")

Told = tuple[str, ...]


def of(level: str, name: str, what: str, source: str, event: str, told: Told, **case: Any) -> Rule:
    """The rule for one level."""
    return Rule(f"notifications.{level}.{name}", what, source, (Case(level, event, **case), told))


def both(name: str, what: str, source: str, event: str, told: Told, **case: Any) -> list[Rule]:
    """The rule for a run of a job, and for an attempt of a task."""
    return [of(level, name, what, source, event, told, **case) for level in ("job", "task")]


def failure(name: str, what: str, source: str, told: Told, **case: Any) -> list[Rule]:
    """The rule for both, on failure."""
    return both(name, what, source, FAILURE, told, **case)


RULES = [
    *both("start", "on_start: a run begins", EMAIL, START, BOTH, life_cycle="RUNNING"),
    *both("success", "on_success: a run ends with SUCCESS", EMAIL, SUCCESS, BOTH, result="SUCCESS"),
    *both("partly", "SUCCESS_WITH_FAILURES is a success", PAGE, SUCCESS, BOTH, result="SUCCESS_WITH_FAILURES"),
    *failure("partly-no-failure", "... and no failure", PAGE, NOBODY, result="SUCCESS_WITH_FAILURES"),
    *failure("failed", "on_failure: a run ends with FAILED", EMAIL, BOTH, result="FAILED"),
    *failure("timed-out", "on_failure: a run ends with TIMEDOUT", EMAIL, BOTH, result="TIMEDOUT"),
    *failure("internal-error", "on_failure: a run ends with INTERNAL_ERROR", EMAIL, BOTH, life_cycle="INTERNAL_ERROR"),
    *failure("canceled", "on_failure: a canceled run too", SETTINGS, BOTH, result="CANCELED"),
    *failure("skipped", "on_failure: a skipped run too", SETTINGS, BOTH, life_cycle="SKIPPED"),
    *failure("excluded", "EXCLUDED is no failure", UNDOCUMENTED, NOBODY, result="EXCLUDED", life_cycle="SKIPPED"),
    *failure("disabled", "DISABLED is no failure", UNDOCUMENTED, NOBODY, result="DISABLED"),
    # The switches.
    *failure(
        *("canceled.muted", "no_alert_for_canceled_runs mutes a canceled run", SETTINGS, NOBODY),
        result="CANCELED",
        settings=NO_CANCELED,
    ),
    *failure("canceled.failed", "... no failed run", SETTINGS, BOTH, result="FAILED", settings=NO_CANCELED),
    *failure("canceled.timed-out", "... no timed out run", SETTINGS, BOTH, result="TIMEDOUT", settings=NO_CANCELED),
    *failure("canceled.skipped", "... no skipped run", SETTINGS, BOTH, life_cycle="SKIPPED", settings=NO_CANCELED),
    *failure(
        *("skipped.muted", "no_alert_for_skipped_runs mutes a skipped run", SETTINGS, NOBODY),
        life_cycle="SKIPPED",
        settings=NO_SKIPPED,
    ),
    *failure("skipped.failed", "... no failed run", SETTINGS, BOTH, result="FAILED", settings=NO_SKIPPED),
    *failure("skipped.canceled", "... no canceled run", SETTINGS, BOTH, result="CANCELED", settings=NO_SKIPPED),
    *failure(
        *("skipped.email", "the deprecated switch in email_notifications mutes the e-mail alone", EMAIL, (HOOK,)),
        life_cycle="SKIPPED",
        settings=NO_SKIPPED_EMAIL,
    ),
    *failure("skipped.email-failed", "... of no failed run", EMAIL, BOTH, result="FAILED", settings=NO_SKIPPED_EMAIL),
    *both(
        *("switches.start", "the switches mute on_failure alone", SETTINGS, START, BOTH),
        life_cycle="RUNNING",
        settings=switch(no_alert_for_canceled_runs=True, no_alert_for_skipped_runs=True),
    ),
    *failure(
        *("switches.false", "a switch that is false mutes nothing", SETTINGS, BOTH),
        result="CANCELED",
        settings=switch(no_alert_for_canceled_runs=False),
    ),
    *failure(
        *("switches.true-by-variable", "a variable's text `true` is true", VARIABLE, NOBODY),
        result="CANCELED",
        settings=switch(no_alert_for_canceled_runs="true"),
    ),
    *failure(
        *("switches.false-by-variable", "a variable's text `false` is false", VARIABLE, BOTH),
        result="CANCELED",
        settings=switch(no_alert_for_canceled_runs="false"),
    ),
    # The lists.
    *failure(
        *("lists.empty", "an empty list sends nothing", EMAIL, NOBODY),
        result="FAILED",
        settings=lists({FAILURE: []}, {FAILURE: []}),
    ),
    *failure(
        *("lists.none", "an event without a list sends nothing", EMAIL, NOBODY),
        result="FAILED",
        settings=lists({SUCCESS: [MAIL]}, {}),
    ),
    *failure(
        *("lists.empty-text", "an address that a variable left empty gets nothing", UNDOCUMENTED, (MAIL,)),
        result="FAILED",
        settings=lists({FAILURE: ["", " ", MAIL]}, ids("")),
    ),
    *failure(
        *("lists.twice", "who is listed twice hears once", UNDOCUMENTED, BOTH),
        result="FAILED",
        settings=lists({FAILURE: [MAIL, MAIL]}, ids(HOOK, HOOK)),
    ),
    *failure(
        *("lists.three-webhooks", "up to three webhooks an event, each is called", WEBHOOK, ("a", "b", "c")),
        result="FAILED",
        settings=lists({}, ids("a", "b", "c")),
    ),
    # The warnings.
    *both("duration", "RUN_DURATION_SECONDS warns", EMAIL, DURATION, BOTH, life_cycle="RUNNING", settings=SLOW),
    *both("duration.no-rule", "without its rule it does not", EMAIL, DURATION, NOBODY, life_cycle="RUNNING"),
    *both(
        *("duration.other-rule", "a rule of another metric is none of it", EMAIL, DURATION, NOBODY),
        life_cycle="RUNNING",
        settings=BEHIND,
    ),
    *both("backlog", "STREAMING_BACKLOG_... warns", EMAIL, BACKLOG, BOTH, life_cycle="RUNNING", settings=BEHIND),
    *both(
        *("backlog.no-rule", "without a rule of its metrics it does not", UNDOCUMENTED, BACKLOG, NOBODY),
        life_cycle="RUNNING",
        settings=SLOW,
    ),
    # Jobs.
    of(
        *("job", "limit", "a run over max_concurrent_runs is a skipped run", SETTINGS, FAILURE, BOTH),
        result="MAXIMUM_CONCURRENT_RUNS_REACHED",
        life_cycle="SKIPPED",
    ),
    of(
        *("job", "limit.muted", "... and muted as one", SETTINGS, FAILURE, NOBODY),
        result="MAXIMUM_CONCURRENT_RUNS_REACHED",
        life_cycle="SKIPPED",
        settings=NO_SKIPPED,
    ),
    of(
        *("job", "failed-task", "a run with a failed task is INTERNAL_ERROR and FAILED", EMAIL, FAILURE, BOTH),
        result="FAILED",
        life_cycle="INTERNAL_ERROR",
    ),
    of(
        *("job", "own-lists", "the lists of its tasks are not the job's", PAGE, FAILURE, NOBODY),
        result="FAILED",
        settings=NONE,
        other=EVERYTHING,
    ),
    of(
        *("job", "own-switches", "the switches of a task do not mute its job", PAGE, FAILURE, BOTH),
        result="CANCELED",
        other=NO_CANCELED,
    ),
    of(
        *("job", "no-last-attempt", "a job has no alert_on_last_attempt", SETTINGS, FAILURE, BOTH),
        result="FAILED",
        last=False,
        settings=LAST,
    ),
    # Tasks.
    of(
        *("task", "own-lists", "the lists of its job are not the task's", PAGE, FAILURE, NOBODY),
        result="FAILED",
        settings=NONE,
        other=EVERYTHING,
    ),
    of(
        *("task", "own-switches", "the switches of a job do not mute its tasks", PAGE, FAILURE, BOTH),
        result="CANCELED",
        other=NO_CANCELED,
    ),
    of(
        *("task", "own-health", "the health rule of a job does not warn for its tasks", UNDOCUMENTED, DURATION, NOBODY),
        life_cycle="RUNNING",
        other=SLOW,
    ),
    of(
        *("task", "retry.failed", "each failed attempt is told, also before a retry", PAGE, FAILURE, BOTH),
        result="FAILED",
        last=False,
    ),
    of(
        *("task", "retry.start", "the start of each attempt is told", LAST_ATTEMPT, START, BOTH),
        life_cycle="RUNNING",
        attempt=1,
        last=False,
    ),
    of(
        *("task", "last-attempt.earlier", "alert_on_last_attempt mutes failures before it", LAST_ATTEMPT),
        *(FAILURE, NOBODY),
        result="FAILED",
        last=False,
        settings=LAST,
    ),
    of(
        *("task", "last-attempt.failed", "... not the last one's", LAST_ATTEMPT, FAILURE, BOTH),
        result="FAILED",
        attempt=2,
        settings=LAST,
    ),
    of(
        *("task", "last-attempt.first-start", "... not the start of the first attempt", LAST_ATTEMPT, START, BOTH),
        life_cycle="RUNNING",
        last=False,
        settings=LAST,
    ),
    of(
        *("task", "last-attempt.retry-start", "... the start of every retry", LAST_ATTEMPT, START, NOBODY),
        life_cycle="RUNNING",
        attempt=1,
        settings=LAST,
    ),
    of(
        *("task", "last-attempt.success", "... not the success of a retry", LAST_ATTEMPT, SUCCESS, BOTH),
        result="SUCCESS",
        attempt=1,
        settings=LAST,
    ),
    of(
        *("task", "last-attempt.duration", "... no warning", UNDOCUMENTED, DURATION, BOTH),
        life_cycle="RUNNING",
        last=False,
        settings={**LAST, **SLOW},
    ),
    of(
        *("task", "upstream-failed", "a task behind a failed one is a skipped run", UNDOCUMENTED, FAILURE, BOTH),
        result="UPSTREAM_FAILED",
    ),
    of(
        *("task", "upstream-failed.muted", "... and muted as one", UNDOCUMENTED, FAILURE, NOBODY),
        result="UPSTREAM_FAILED",
        settings=NO_SKIPPED,
    ),
    of(
        *("task", "upstream-canceled", "a task behind a canceled one is canceled", UNDOCUMENTED, FAILURE, BOTH),
        result="UPSTREAM_CANCELED",
    ),
    of(
        *("task", "upstream-canceled.muted", "... and muted as one", UNDOCUMENTED, FAILURE, NOBODY),
        result="UPSTREAM_CANCELED",
        settings=NO_CANCELED,
    ),
    of(
        *("task", "condition", "a condition task has no notifications", "Jobs API: ConditionTask", FAILURE, NOBODY),
        result="FAILED",
        kind="condition_task",
    ),
]
