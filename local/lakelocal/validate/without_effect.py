"""Settings that have no effect, and so are not what their author meant.

Source: Jobs API 2.2: condition tasks support neither retries nor notifications; a warning about the duration needs a
health rule; a timeout is a failure, and told as one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lakelocal.lakeflow.events import ON_DURATION, ON_FAILURE, has_notifications
from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.plan import has_retries
from lakelocal.validate.job_view import JobView, TaskView
from lakelocal.validate.limits import whole


def check_without_effect(view: JobView) -> Iterator[Finding]:
    """Settings of tasks that have no effect."""
    for task in view.all_tasks:
        for field, is_idle, why, action in _IDLE:
            if task.settings.get(field) and is_idle(task):
                yield view.finding(
                    "useless-setting",
                    f"`{field}` {why}",
                    "settings that have an effect",
                    action,
                    task=task,
                    path=(field,),
                )


def check_duration_warnings(view: JobView) -> Iterator[Finding]:
    """A warning about the duration needs a health rule, with a threshold that comes before the timeout.

    A threshold at the timeout itself may stand where all who hear of the duration hear of the failure: nobody waits in
    vain, and a target with a longer timeout has its warning.
    """
    for task in (None, *view.all_tasks):
        settings = task.source if task else view.source
        rules = (settings.get("health") or {}).get("rules") or []
        limits = [whole(rule.get("value")) for rule in rules if rule.get("metric") == "RUN_DURATION_SECONDS"]
        for block in ("email_notifications", "webhook_notifications"):
            if (settings.get(block) or {}).get(ON_DURATION) and not limits:
                found = f"`{ON_DURATION}` without a health rule RUN_DURATION_SECONDS: it is never sent"
                action, path = "Add the rule to `health.rules`, or remove it.", (block, ON_DURATION)
                yield view.finding("useless-setting", found, "such a rule", action, task=task, path=path)
        timeout = whole(settings.get("timeout_seconds"))
        if timeout and any(limit > timeout or (limit == timeout and _waits(settings)) for limit in limits):
            found = f"a health rule at {max(limits)} s with timeout_seconds {timeout}: the run ends before the warning"
            expected, action = "a threshold below the timeout", "Lower the threshold, or raise the timeout."
            yield view.finding("useless-setting", found, expected, action, task=task, path=("health",))


def _waits(settings: Mapping[str, Any]) -> bool:
    """Is there somebody who hears of the duration and not of the failure?"""
    for block in ("email_notifications", "webhook_notifications"):
        told = settings.get(block) or {}
        if any(each not in (told.get(ON_FAILURE) or []) for each in told.get(ON_DURATION) or []):
            return True
    return False


def _is_never_retried(task: TaskView) -> bool:
    return not whole(task.settings.get("max_retries"))


def _never_times_out(task: TaskView) -> bool:
    return bool(whole(task.settings.get("max_retries"))) and not whole(task.settings.get("timeout_seconds"))


def _cannot_be_retried(task: TaskView) -> bool:
    return not has_retries(task.kind)


def _tells_nobody(task: TaskView) -> bool:
    return not has_notifications(task.kind)


_IDLE: tuple[tuple[str, Callable[[TaskView], bool], str, str], ...] = (
    ("min_retry_interval_millis", _is_never_retried, "without max_retries", "Set max_retries, or remove it."),
    ("retry_on_timeout", _is_never_retried, "without max_retries", "Set max_retries, or remove it."),
    ("retry_on_timeout", _never_times_out, "without timeout_seconds", "Set timeout_seconds, or remove it."),
    ("max_retries", _cannot_be_retried, "of a condition task, which is never retried", "Remove it."),
    ("email_notifications", _tells_nobody, "of a condition task, which notifies nobody", "Move it to another task."),
    ("webhook_notifications", _tells_nobody, "of a condition task, which notifies nobody", "Move it to another task."),
)
