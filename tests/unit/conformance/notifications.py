"""Notifications: a case -> who is notified, as e-mail addresses and ids of webhooks in the order of the settings."""

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

# One address and one webhook are notified of everything, unless the settings of a case say otherwise.
EVERYTHING = {
    "email_notifications": {event: [MAIL] for event in EVENTS},
    "webhook_notifications": {event: [{"id": HOOK}] for event in EVENTS},
}


@dataclass(frozen=True)
class Case:
    """What happened: *event* to a run (*level* `job`) or an attempt (`task`), now in *state*.

    *state* is a result (`FAILED`), a life cycle state (`RUNNING`), or both (`SKIPPED/EXCLUDED`). *settings* are those
    of the level, over `EVERYTHING`; *other* those of the other level. *attempt* is the number of the attempt; *last*:
    no further one follows.
    """

    level: str
    event: str
    state: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    last: bool = True
    kind: str = "notebook_task"

    @property
    def shape(self) -> dict[str, str]:
        """`state` of a run or an attempt, as `runs/get` shows it."""
        life_cycle, _, result = self.state.rpartition("/")
        if result in ("RUNNING", "SKIPPED", "INTERNAL_ERROR"):
            return {"life_cycle_state": result, "state_message": ""}
        return {"life_cycle_state": life_cycle or "TERMINATED", "state_message": "", "result_state": result}


def switch(**switches: bool | str) -> dict[str, Any]:
    """Settings with these switches."""
    return {"notification_settings": switches}


def lists(emails: Any, webhooks: Any = None) -> dict[str, Any]:
    """Settings with these `email_notifications` and, if given, `webhook_notifications` instead of `EVERYTHING`."""
    return {"email_notifications": emails, **({} if webhooks is None else {"webhook_notifications": webhooks})}


def health(metric: str) -> dict[str, Any]:
    """Settings with a rule for this metric."""
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


def of(level: str, name: str, what: str, source: str, event: str, told: Told, *state: Any, **case: Any) -> Rule:
    """The rule for one level; *state* is that of the case, and its settings if it has some."""
    return Rule(f"notifications.{level}.{name}", what, source, (Case(level, event, *state, **case), told))


def both(name: str, what: str, source: str, event: str, told: Told, *state: Any) -> list[Rule]:
    """The rule for a run of a job, and for an attempt of a task."""
    return [of(level, name, what, source, event, told, *state) for level in ("job", "task")]


def failure(name: str, what: str, source: str, told: Told, *state: Any) -> list[Rule]:
    """The rule for both, on failure."""
    return both(name, what, source, FAILURE, told, *state)


# A table: each rule with its source, then its case.
# fmt: off
RULES = [
    *both("start", "on_start: a run begins", EMAIL, START, BOTH, "RUNNING"),
    *both("success", "on_success: a run ends with SUCCESS", EMAIL, SUCCESS, BOTH, "SUCCESS"),
    *both("partly", "SUCCESS_WITH_FAILURES is a success", PAGE, SUCCESS, BOTH, "SUCCESS_WITH_FAILURES"),
    *failure("partly-no-failure", "SUCCESS_WITH_FAILURES is not a failure", PAGE, NOBODY, "SUCCESS_WITH_FAILURES"),
    *failure("failed", "on_failure: a run ends with FAILED", EMAIL, BOTH, "FAILED"),
    *failure("timed-out", "on_failure: a run ends with TIMEDOUT", EMAIL, BOTH, "TIMEDOUT"),
    *failure("internal-error", "on_failure: a run ends with INTERNAL_ERROR", EMAIL, BOTH, "INTERNAL_ERROR"),
    *failure("canceled", "on_failure: also for a canceled run", SETTINGS, BOTH, "CANCELED"),
    *failure("skipped", "on_failure: also for a skipped run", SETTINGS, BOTH, "SKIPPED"),
    *failure("excluded", "EXCLUDED is not a failure", UNDOCUMENTED, NOBODY, "SKIPPED/EXCLUDED"),
    *failure("disabled", "DISABLED is not a failure", UNDOCUMENTED, NOBODY, "DISABLED"),
    # The switches.
    *failure("canceled.muted", "no_alert_for_canceled_runs mutes a canceled run", SETTINGS,
        NOBODY, "CANCELED", NO_CANCELED),
    *failure("canceled.failed", "no_alert_for_canceled_runs does not mute a failed run", SETTINGS,
        BOTH, "FAILED", NO_CANCELED),
    *failure("canceled.timed-out", "no_alert_for_canceled_runs does not mute a run that timed out", SETTINGS,
        BOTH, "TIMEDOUT", NO_CANCELED),
    *failure("canceled.skipped", "no_alert_for_canceled_runs does not mute a skipped run", SETTINGS,
        BOTH, "SKIPPED", NO_CANCELED),
    *failure("skipped.muted", "no_alert_for_skipped_runs mutes a skipped run", SETTINGS, NOBODY, "SKIPPED", NO_SKIPPED),
    *failure("skipped.failed", "no_alert_for_skipped_runs does not mute a failed run", SETTINGS,
        BOTH, "FAILED", NO_SKIPPED),
    *failure("skipped.canceled", "no_alert_for_skipped_runs does not mute a canceled run", SETTINGS,
        BOTH, "CANCELED", NO_SKIPPED),
    *failure("skipped.email", "the deprecated switch in email_notifications mutes only the e-mail", EMAIL,
        (HOOK,), "SKIPPED", NO_SKIPPED_EMAIL),
    *failure("skipped.email-failed", "the deprecated switch does not mute a failed run", EMAIL,
        BOTH, "FAILED", NO_SKIPPED_EMAIL),
    *both("switches.start", "the switches mute only on_failure", SETTINGS,
        START, BOTH, "RUNNING", switch(no_alert_for_canceled_runs=True, no_alert_for_skipped_runs=True)),
    *failure("switches.false", "a switch that is false mutes nothing", SETTINGS,
        BOTH, "CANCELED", switch(no_alert_for_canceled_runs=False)),
    *failure("switches.true-by-variable", "a variable's text `true` is true", VARIABLE,
        NOBODY, "CANCELED", switch(no_alert_for_canceled_runs="true")),
    *failure("switches.false-by-variable", "a variable's text `false` is false", VARIABLE,
        BOTH, "CANCELED", switch(no_alert_for_canceled_runs="false")),
    # The lists.
    *failure("lists.empty", "an empty list sends nothing", EMAIL,
        NOBODY, "FAILED", lists({FAILURE: []}, {FAILURE: []})),
    *failure("lists.none", "an event without a list sends nothing", EMAIL,
        NOBODY, "FAILED", lists({SUCCESS: [MAIL]}, {})),
    *failure("lists.empty-text", "an address that a variable left empty gets nothing", UNDOCUMENTED,
        (MAIL,), "FAILED", lists({FAILURE: ["", " ", MAIL]}, ids(""))),
    *failure("lists.twice", "a recipient who is listed twice is notified once", UNDOCUMENTED,
        BOTH, "FAILED", lists({FAILURE: [MAIL, MAIL]}, ids(HOOK, HOOK))),
    *failure("lists.three-webhooks", "up to three webhooks per event, each of which is called", WEBHOOK,
        ("a", "b", "c"), "FAILED", lists({}, ids("a", "b", "c"))),
    # The warnings.
    *both("duration", "a rule RUN_DURATION_SECONDS causes a duration warning", EMAIL, DURATION, BOTH, "RUNNING", SLOW),
    *both("duration.no-rule", "without a rule RUN_DURATION_SECONDS nobody is warned", EMAIL,
        DURATION, NOBODY, "RUNNING"),
    *both("duration.other-rule", "a rule of another metric causes no duration warning", EMAIL,
        DURATION, NOBODY, "RUNNING", BEHIND),
    *both("backlog", "a rule STREAMING_BACKLOG_... causes a backlog warning", EMAIL, BACKLOG, BOTH, "RUNNING", BEHIND),
    *both("backlog.no-rule", "without a rule STREAMING_BACKLOG_... nobody is warned", UNDOCUMENTED,
        BACKLOG, NOBODY, "RUNNING", SLOW),
    # Jobs.
    of("job", "limit", "a run over max_concurrent_runs is a skipped run", SETTINGS,
        FAILURE, BOTH, "SKIPPED/MAXIMUM_CONCURRENT_RUNS_REACHED"),
    of("job", "limit.muted", "no_alert_for_skipped_runs mutes a run over max_concurrent_runs", SETTINGS,
        FAILURE, NOBODY, "SKIPPED/MAXIMUM_CONCURRENT_RUNS_REACHED", NO_SKIPPED),
    of("job", "failed-task", "a run with a failed task is INTERNAL_ERROR and FAILED", EMAIL,
        FAILURE, BOTH, "INTERNAL_ERROR/FAILED"),
    of("job", "own-lists", "the lists of its tasks are not the job's", PAGE,
        FAILURE, NOBODY, "FAILED", NONE, other=EVERYTHING),
    of("job", "own-switches", "the switches of a task do not mute its job", PAGE,
        FAILURE, BOTH, "CANCELED", other=NO_CANCELED),
    of("job", "no-last-attempt", "a job has no alert_on_last_attempt", SETTINGS,
        FAILURE, BOTH, "FAILED", LAST, last=False),
    # Tasks.
    of("task", "own-lists", "the lists of its job are not the task's", PAGE,
        FAILURE, NOBODY, "FAILED", NONE, other=EVERYTHING),
    of("task", "own-switches", "the switches of a job do not mute its tasks", PAGE,
        FAILURE, BOTH, "CANCELED", other=NO_CANCELED),
    of("task", "own-health", "the health rule of a job does not warn for its tasks", UNDOCUMENTED,
        DURATION, NOBODY, "RUNNING", other=SLOW),
    of("task", "retry.failed", "each failed attempt is notified, even before a retry", PAGE,
        FAILURE, BOTH, "FAILED", last=False),
    of("task", "retry.start", "the start of each attempt is notified", LAST_ATTEMPT,
        START, BOTH, "RUNNING", attempt=1, last=False),
    of("task", "last-attempt.earlier", "alert_on_last_attempt mutes failures before it", LAST_ATTEMPT,
        FAILURE, NOBODY, "FAILED", LAST, last=False),
    of("task", "last-attempt.failed", "alert_on_last_attempt lets the failure of the last attempt pass", LAST_ATTEMPT,
        FAILURE, BOTH, "FAILED", LAST, attempt=2),
    of("task", "last-attempt.first-start", "alert_on_last_attempt lets the first start pass", LAST_ATTEMPT,
        START, BOTH, "RUNNING", LAST, last=False),
    of("task", "last-attempt.retry-start", "alert_on_last_attempt mutes the start of every retry", LAST_ATTEMPT,
        START, NOBODY, "RUNNING", LAST, attempt=1),
    of("task", "last-attempt.success", "alert_on_last_attempt lets the success of a retry pass", LAST_ATTEMPT,
        SUCCESS, BOTH, "SUCCESS", LAST, attempt=1),
    of("task", "last-attempt.duration", "alert_on_last_attempt does not mute a duration warning", UNDOCUMENTED,
        DURATION, BOTH, "RUNNING", {**LAST, **SLOW}, last=False),
    of("task", "upstream-failed", "a task after a failed one counts as a skipped run", UNDOCUMENTED,
        FAILURE, BOTH, "UPSTREAM_FAILED"),
    of("task", "upstream-failed.muted", "no_alert_for_skipped_runs mutes a task after a failed one", UNDOCUMENTED,
        FAILURE, NOBODY, "UPSTREAM_FAILED", NO_SKIPPED),
    of("task", "upstream-canceled", "a task after a canceled one counts as canceled", UNDOCUMENTED,
        FAILURE, BOTH, "UPSTREAM_CANCELED"),
    of("task", "upstream-canceled.muted", "no_alert_for_canceled_runs mutes a task after a canceled one", UNDOCUMENTED,
        FAILURE, NOBODY, "UPSTREAM_CANCELED", NO_CANCELED),
    of("task", "condition", "a condition task has no notifications", "Jobs API: ConditionTask",
        FAILURE, NOBODY, "FAILED", kind="condition_task"),
]
# fmt: on
