"""Who is notified of an occasion: all switches of a job and a task, as pure functions.

| switch                                             | what it does                                                |
| -------------------------------------------------- | ----------------------------------------------------------- |
| `email_notifications.<event>`                      | addresses; an empty list sends nothing                      |
| `webhook_notifications.<event>`                    | ids of notification destinations, each called               |
| `health.rules`                                     | without a rule for its metric, a warning notifies nobody    |
| `notification_settings.no_alert_for_skipped_runs`  | `on_failure` does not apply to a skipped run                |
| `notification_settings.no_alert_for_canceled_runs` | the same for a cancelled run                                |
| `notification_settings.alert_on_last_attempt`      | for a task: no `on_start` of retries, only the last failure |
| `email_notifications.no_alert_for_skipped_runs`    | deprecated; as above, for e-mail only                       |

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
    """Is anyone notified of *what*, according to the switches that apply to every channel?"""
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
    """How a run or an attempt ended, for notifications; None if it has not, or if nobody is notified of such an end.

    A run that never began counts as skipped, whether because of the limit of concurrent runs or because a task failed.
    """
    return meaning(what.result or what.life_cycle).told


def threshold(what: Occasion) -> int | None:
    """The seconds that the health rule on durations allows; None without one; of several rules, the last exceeded."""
    rules = [*reversed(what.subject.get("health_warnings") or []), *_health(what.settings)]
    return next((int(rule["value"]) for rule in rules if rule["metric"] == "RUN_DURATION_SECONDS"), None)


def email_is_muted(what: Occasion) -> bool:
    """Is e-mail about *what* muted by the deprecated switch that applies to e-mail only?"""
    emails = what.settings.get("email_notifications") or {}
    return (
        what.event == events.ON_FAILURE
        and ending(what) == Ending.SKIPPED
        and _is_on(emails, "no_alert_for_skipped_runs")
    )


def listed(what: Occasion, field: str) -> tuple[str, ...]:
    """The addresses or ids listed for the event, each once; a variable may have left an empty string."""
    entries = (what.settings.get(field) or {}).get(what.event) or []
    texts = (str(entry.get("id", "") if isinstance(entry, Mapping) else entry) for entry in entries)
    return tuple(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))


def _health(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (settings.get("health") or {}).get("rules") or []


def _is_on(switches: Mapping[str, Any], name: str) -> bool:
    """Is the switch *name* on? A bundle variable gives its value as text."""
    return str(switches.get(name, "")).lower() == "true"
