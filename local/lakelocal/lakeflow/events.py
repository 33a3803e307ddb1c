"""The events of runs and tasks that people may be notified of, and which of them each result is.

Source: Jobs API 2.2, `JobEmailNotifications`, `TaskEmailNotifications`, `WebhookNotifications`, `ConditionTask`.
"""

from lakelocal.lakeflow.results import Ending, meaning
from lakelocal.lakeflow.task_types import type_of

ON_START = "on_start"
ON_SUCCESS = "on_success"
ON_FAILURE = "on_failure"
ON_DURATION = "on_duration_warning_threshold_exceeded"
ON_BACKLOG = "on_streaming_backlog_exceeded"
HERE = (ON_START, ON_SUCCESS, ON_FAILURE, ON_DURATION)  # those that happen in a local run


def event_of(result: str) -> str | None:
    """The event for an end with *result*: `on_success`, `on_failure`, or None if nobody is notified of it.

    Everything that did not succeed is an `on_failure`, including what was cancelled, and what never ran because of a
    failure, a cancellation or the limit of concurrent runs. EXCLUDED and DISABLED tasks are neither success nor
    failure; nor is a task that was passed over on request: it counts as a success, but it did not run.
    """
    found = meaning(result)
    if found.told is Ending.SUCCEEDED:
        return ON_SUCCESS
    return None if found.told is None or found.succeeded else ON_FAILURE


def has_notifications(kind: str) -> bool:
    """May people be notified of tasks of the type *kind*? Condition tasks support neither retries nor notifications."""
    return not type_of(kind).branches
