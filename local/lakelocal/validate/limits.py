"""Checks that a job keeps within the limits of Databricks.

Source: Jobs API 2.2 and SDK docstrings: at most 1000 tasks, 25 tags and 1000 concurrent runs per job, a concurrency of
100 for each for-each task, 1 MB of base_parameters, 10 kB of parameters per run, and 3 webhooks per event.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.lakeflow.findings import Finding, Steps
from lakelocal.validate.job_view import JobView, TaskView

TASKS, TAGS, CONCURRENT_RUNS, WEBHOOKS = 1000, 25, 1000, 3
BASE_PARAMETERS_BYTES, RUN_PARAMETERS_BYTES = 1_000_000, 10_000
FOREVER = -1


def check_job_limits(view: JobView) -> Iterator[Finding]:
    """Check the numbers of tasks, tags, concurrent runs and webhooks of the job, and the size of its parameters."""
    source = view.source
    yield from _at_most(view, "tasks", len(view.tasks), TASKS, "Split the job.", path=("tasks",))
    yield from _at_most(view, "tags", len(source.get("tags") or {}), TAGS, "Remove some.", path=("tags",))
    runs = whole_number(source.get("max_concurrent_runs"))
    path: Steps = ("max_concurrent_runs",)
    yield from _at_most(view, "max_concurrent_runs", runs, CONCURRENT_RUNS, "Lower it.", path=path)
    if source.get("max_concurrent_runs") is not None and runs == 0:
        found, expected = "max_concurrent_runs 0, so that every run is skipped", f"1 to {CONCURRENT_RUNS}"
        yield view.finding("useless-setting", found, expected, "Pause the schedule instead.", path=path)
    yield from _not_negative(view, None, "max_concurrent_runs")
    yield from _not_negative(view, None, "timeout_seconds")
    size = _size({name: value for name, value in view.job.parameters.items() if "{{" not in value})
    unit = "bytes of job parameters"
    yield from _at_most(view, unit, size, RUN_PARAMETERS_BYTES, "Put large values into a file.", path=("parameters",))
    yield from _webhooks(view, None)


def check_task_limits(view: JobView) -> Iterator[Finding]:
    """Check the sizes of parameters, negative numbers and webhooks of each task.

    The concurrency of for-each tasks is checked by `lakelocal.bundle.jobs`.
    """
    for task in view.all_tasks:
        for field, most in (("base_parameters", BASE_PARAMETERS_BYTES), ("job_parameters", RUN_PARAMETERS_BYTES)):
            size, path = _size(task.inner.get(field) or {}), (task.kind, field)
            action = "Put large values into a file."
            yield from _at_most(view, f"bytes of {field}", size, most, action, task=task, path=path)
        yield from _not_negative(view, task, "timeout_seconds")
        yield from _not_negative(view, task, "min_retry_interval_millis")
        retries = whole_number(task.settings.get("max_retries"))
        if retries < FOREVER:
            found, expected = f"max_retries {retries}", "0 or more, or -1 for unlimited retries"
            yield view.finding("limit", found, expected, "Correct it.", task=task, path=("max_retries",))
        yield from _webhooks(view, task)


def whole_number(value: Any) -> int:
    """*value* as a whole number; 0 if it is none, as in the case of a reference."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def _at_most(
    view: JobView, unit: str, count: int, most: int, action: str, *, task: TaskView | None = None, path: Steps
) -> Iterator[Finding]:
    if count > most:
        yield view.finding("limit", f"{unit}: {count:,}", f"at most {most:,}", action, task=task, path=path)


def _not_negative(view: JobView, task: TaskView | None, field: str) -> Iterator[Finding]:
    value = whole_number((task.source if task else view.source).get(field))
    if value < 0:
        found, expected = f"{field} {value}", "0 or more"
        yield view.finding("limit", found, expected, "Correct it.", task=task, path=(field,))


def _webhooks(view: JobView, task: TaskView | None) -> Iterator[Finding]:
    block = "webhook_notifications"
    events = (task.source if task else view.source).get(block) or {}
    for event, receivers in events.items():
        count = len(receivers or [])
        yield from _at_most(
            view, f"webhooks for {event}", count, WEBHOOKS, "Remove some.", task=task, path=(block, event)
        )


def _size(parameters: Mapping[str, Any]) -> int:
    return len(json.dumps(parameters, ensure_ascii=False).encode())
