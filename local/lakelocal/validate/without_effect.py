"""Finds settings that have no effect, and so are not what their author meant.

Source: Jobs API 2.2: condition tasks support neither retries nor notifications; a warning about the duration needs a
health rule; a timeout is a failure, and those who are notified of failures hear of it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lakelocal.lakeflow.events import ON_DURATION, ON_FAILURE, has_notifications
from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.plan import has_retries
from lakelocal.validate.job_view import JobView, TaskView
from lakelocal.validate.limits import whole_number


def check_without_effect(view: JobView) -> Iterator[Finding]:
    """Report settings of tasks that have no effect."""
    for task in view.all_tasks:
        for field, has_no_effect, why, action in _WITHOUT_EFFECT:
            if task.settings.get(field) and has_no_effect(task):
                yield view.finding(
                    "useless-setting",
                    f"`{field}` {why}",
                    "settings that have an effect",
                    action,
                    task=task,
                    path=(field,),
                )


def check_duration_warnings(view: JobView) -> Iterator[Finding]:
    """Check that a warning about the duration has a health rule, with a threshold below the timeout.

    A threshold equal to the timeout is accepted if everybody who would be warned is also notified of the failure:
    nobody misses anything then, and a target with a longer timeout gets its warning.
    """
    for task in (None, *view.all_tasks):
        settings = task.source if task else view.source
        rules = (settings.get("health") or {}).get("rules") or []
        limits = [whole_number(rule.get("value")) for rule in rules if rule.get("metric") == "RUN_DURATION_SECONDS"]
        for block in ("email_notifications", "webhook_notifications"):
            if (settings.get(block) or {}).get(ON_DURATION) and not limits:
                found = f"`{ON_DURATION}` without a health rule RUN_DURATION_SECONDS, so that it is never sent"
                action, path = "Add the rule to `health.rules`, or remove it.", (block, ON_DURATION)
                yield view.finding("useless-setting", found, "such a rule", action, task=task, path=path)
        timeout = whole_number(settings.get("timeout_seconds"))
        if timeout and any(limit > timeout or (limit == timeout and _misses_failure(settings)) for limit in limits):
            found = f"a health rule at {max(limits)} s with timeout_seconds {timeout}: the run ends before the warning"
            expected, action = "a threshold below the timeout", "Lower the threshold, or raise the timeout."
            yield view.finding("useless-setting", found, expected, action, task=task, path=("health",))


def _misses_failure(settings: Mapping[str, Any]) -> bool:
    """Is there somebody who is warned of the duration but not notified of a failure?"""
    for block in ("email_notifications", "webhook_notifications"):
        receivers = settings.get(block) or {}
        if any(each not in (receivers.get(ON_FAILURE) or []) for each in receivers.get(ON_DURATION) or []):
            return True
    return False


def _is_never_retried(task: TaskView) -> bool:
    return not whole_number(task.settings.get("max_retries"))


def _never_times_out(task: TaskView) -> bool:
    return bool(whole_number(task.settings.get("max_retries"))) and not whole_number(
        task.settings.get("timeout_seconds")
    )


def _cannot_be_retried(task: TaskView) -> bool:
    return not has_retries(task.kind)


def _sends_no_notifications(task: TaskView) -> bool:
    return not has_notifications(task.kind)


_WITHOUT_EFFECT: tuple[tuple[str, Callable[[TaskView], bool], str, str], ...] = (
    ("min_retry_interval_millis", _is_never_retried, "without max_retries", "Set max_retries, or remove it."),
    ("retry_on_timeout", _is_never_retried, "without max_retries", "Set max_retries, or remove it."),
    ("retry_on_timeout", _never_times_out, "without timeout_seconds", "Set timeout_seconds, or remove it."),
    ("max_retries", _cannot_be_retried, "of a condition task, which is never retried", "Remove it."),
    (
        "email_notifications",
        _sends_no_notifications,
        "of a condition task, which notifies nobody",
        "Move it to another task.",
    ),
    (
        "webhook_notifications",
        _sends_no_notifications,
        "of a condition task, which notifies nobody",
        "Move it to another task.",
    ),
)
