"""When a job starts: Quartz expressions, time zones, and what a continuous job may not have."""

from collections.abc import Iterator
from importlib.util import find_spec

from local.errors import LocalError
from local.validate.findings import Finding
from local.validate.subject import Subject

# Where a schedule can stand in a job; a list entry is a number.
_SCHEDULE = ("schedule",)
RETRIES = ("max_retries", "min_retry_interval_millis", "retry_on_timeout")


def check_schedules(subject: Subject) -> Iterator[Finding]:
    """Quartz expressions that never fire or are none, and unknown time zones."""
    places = [
        _SCHEDULE,
        *(("triggers", number, "schedule") for number in range(len(subject.source.get("triggers") or []))),
    ]
    for path in places:
        schedule = subject.source
        for step in path:
            schedule = (schedule.get(step) if isinstance(step, str) else schedule[step]) or {}
        expression, zone = schedule.get("quartz_cron_expression"), schedule.get("timezone_id")
        if not isinstance(expression, str) or not isinstance(zone, str):
            continue  # no schedule, or its missing fields are reported
        problem = schedule_problem(expression, zone)
        if problem:
            found = f"`{expression}` in `{zone}`: {problem}"
            expected = "a Quartz expression of 6 or 7 fields, such as `0 0 6 * * ?`, and an IANA time zone"
            at = (*path, "quartz_cron_expression")
            yield subject.finding("schedule", found, expected, "Correct the schedule.", path=at)


def check_continuous(subject: Subject) -> Iterator[Finding]:
    """A continuous job has neither a schedule nor dependencies nor retries of tasks."""
    if subject.source.get("continuous") is None:
        return
    if subject.source.get("schedule") is not None:
        found, expected = "`schedule` beside `continuous`", "one of them"
        yield subject.finding("continuous", found, expected, "Remove one of them.", path=("schedule",))
    for task in subject.all_tasks:
        for field in ("depends_on", *RETRIES):
            if task.settings.get(field):
                found, expected = f"`{field}` in a continuous job", "none: its tasks start together and are not retried"
                action = "Remove it; `continuous.task_retry_mode` says what happens after a failure."
                yield subject.finding("continuous", found, expected, action, task=task, path=(field,))


def schedule_problem(expression: str, zone: str) -> str | None:
    """What is wrong with a schedule, None if nothing is."""
    if find_spec("local.schedule") is None:
        return None
    from local.schedule.quartz import Schedule

    try:
        Schedule(expression, zone)
    except LocalError as error:
        return str(error).rstrip(".")
    return None
