"""Checks when a job starts: Quartz expressions and time zones, and what a continuous job may not have."""

from collections.abc import Iterator
from typing import Any

from lakelocal.lakeflow.findings import Finding, FindingError
from lakelocal.schedule.fields import parse
from lakelocal.schedule.zones import find_zone
from lakelocal.validate.job_view import JobView

RETRIES = ("max_retries", "min_retry_interval_millis", "retry_on_timeout")


def check_schedules(view: JobView) -> Iterator[Finding]:
    """Report expressions that Quartz would refuse, and unknown time zones."""
    places: list[tuple[str | int, ...]] = [
        ("schedule",),
        *(("triggers", number, "schedule") for number in range(len(view.source.get("triggers") or []))),
    ]
    for path in places:
        schedule: Any = view.source
        for step in path:
            schedule = (schedule.get(step) if isinstance(step, str) else schedule[step]) or {}
        expression, zone = schedule.get("quartz_cron_expression"), schedule.get("timezone_id")
        if not isinstance(expression, str) or not isinstance(zone, str):
            continue  # there is no schedule, or its missing fields are reported by another check
        for read, text in ((find_zone, zone), (parse, expression)):
            try:
                read(text)
            except FindingError as error:
                for finding in error.findings:
                    yield finding.moved(view.where(None, (*path, *finding.where.path)))


def check_continuous(view: JobView) -> Iterator[Finding]:
    """Check that a continuous job has no schedule, and that its tasks have no dependencies and no retries."""
    if view.source.get("continuous") is None:
        return
    if view.source.get("schedule") is not None:
        found, expected = "both `schedule` and `continuous`", "one of them"
        yield view.finding("continuous", found, expected, "Remove one of them.", path=("schedule",))
    for task in view.all_tasks:
        for field in ("depends_on", *RETRIES):
            if task.settings.get(field):
                found, expected = f"`{field}` in a continuous job", "none: its tasks start together and are not retried"
                action = "Remove it; `continuous.task_retry_mode` says what happens after a failure."
                yield view.finding("continuous", found, expected, action, task=task, path=(field,))
