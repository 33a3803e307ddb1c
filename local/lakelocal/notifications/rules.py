"""Who hears of an occasion: every switch of a job and of a task, as a pure function.

| switch                                             | what it does                                             |
| -------------------------------------------------- | -------------------------------------------------------- |
| `email_notifications.<event>`                      | addresses; an empty list sends nothing                   |
| `webhook_notifications.<event>`                    | ids of notification destinations, each called            |
| `health.rules`                                     | without a rule of its metric, a warning tells nobody     |
| `notification_settings.no_alert_for_skipped_runs`  | `on_failure` says nothing of a skipped run               |
| `notification_settings.no_alert_for_canceled_runs` | the same for a cancelled run                             |
| `notification_settings.alert_on_last_attempt`      | of a task: no `on_start` of retries, the last failure    |
| `email_notifications.no_alert_for_skipped_runs`    | deprecated; as above, for e-mail only                    |

Source: Jobs API 2.2, `JobEmailNotifications`, `TaskEmailNotifications`, `WebhookNotifications`,
`JobNotificationSettings`, `TaskNotificationSettings`, `JobsHealthRule`; Databricks documentation, "Add notifications
on a job". A task has its own switches: those of its job do not reach it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.lakeflow import events
from lakelocal.lakeflow.results import Ending, meaning
from lakelocal.notifications.occasion import Occasion


def is_told(what: Occasion) -> bool:
    """Does anyone hear of *what*, by the switches that count for every channel?"""
    if what.task and not events.has_notifications(what.task.kind):
        return False
    switches = what.settings.get("notification_settings") or {}
    only_last = what.task is not None and _is_on(switches, "alert_on_last_attempt")
    match what.event:
        case events.ON_START:
            return not (only_last and what.attempt_number > 0)
        case events.ON_SUCCESS:
            return ending(what) == Ending.SUCCEEDED
        case events.ON_FAILURE:
            muted: dict[Ending | None, bool] = {
                Ending.SKIPPED: _is_on(switches, "no_alert_for_skipped_runs"),
                Ending.CANCELED: _is_on(switches, "no_alert_for_canceled_runs"),
                Ending.FAILED: only_last and not what.last,
            }
            return not muted.get(ending(what), True)
        case events.ON_DURATION:
            return threshold(what) is not None
        case events.ON_BACKLOG:
            return any(str(rule["metric"]).startswith("STREAMING_BACKLOG_") for rule in _health(what.settings))
    return False


def ending(what: Occasion) -> Ending | None:
    """How a run or an attempt ended, for notifications; None where it has not, or nobody is told of it.

    A run that never began is skipped, whether it met the limit of concurrent runs or a task before it failed.
    """
    return meaning(what.result or what.life_cycle).told


def threshold(what: Occasion) -> int | None:
    """The seconds that the health rule on durations allows, None without one; of several rules the last exceeded."""
    rules = [*reversed(what.subject.get("health_warnings") or []), *_health(what.settings)]
    return next((int(rule["value"]) for rule in rules if rule["metric"] == "RUN_DURATION_SECONDS"), None)


def email_is_muted(what: Occasion) -> bool:
    """Does e-mail say nothing of *what*, by the deprecated switch that counts for it alone?"""
    emails = what.settings.get("email_notifications") or {}
    return (
        what.event == events.ON_FAILURE
        and ending(what) == Ending.SKIPPED
        and _is_on(emails, "no_alert_for_skipped_runs")
    )


def listed(what: Occasion, field: str) -> tuple[str, ...]:
    """The addresses or ids of the event, each once; a variable may have left an empty text."""
    entries = (what.settings.get(field) or {}).get(what.event) or []
    texts = (str(entry.get("id", "") if isinstance(entry, Mapping) else entry) for entry in entries)
    return tuple(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))


def _health(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (settings.get("health") or {}).get("rules") or []


def _is_on(switches: Mapping[str, Any], name: str) -> bool:
    """A variable of the bundle gives a switch as text."""
    return str(switches.get(name, "")).lower() == "true"
