"""Parts of a job: what is upstream of a task, what `--only a,+b,c+` selects, and what a repair runs again.

Source: Jobs API, `run-now.only`: `+t` adds everything upstream of t, `t+` everything downstream; `runs/repair`.
"""

from collections.abc import Mapping

from lakelocal.errors import UsageError
from lakelocal.lakeflow.graph import downstream, upstream
from lakelocal.lakeflow.model import Job, Task
from lakelocal.lakeflow.results import meaning
from lakelocal.near_names import next_step


def select_tasks(job: Job, text: str) -> frozenset[str]:
    """The keys of the tasks that *text*, a comma-separated list, selects in *job*.

    Raises:
        UsageError: *text* is empty, or names a task that the job does not have; the message lists the tasks.
    """
    needs = _needs(job)
    known = ", ".join(f"`{key}`" for key in needs)
    result: set[str] = set()
    for word in _words(text):
        key = word.strip("+")
        _check_known(job, key, "--only")
        result.add(key)
        if word.startswith("+"):
            result |= upstream(needs, key)
        if word.endswith("+"):
            result |= downstream(needs, key)
    if not result:
        raise UsageError(f"--only: job `{job.key}`: found no task key; expected some of {known}. Name them.")
    return frozenset(result)


def upstream_of(job: Job, task: Task) -> list[str]:
    """The keys of all tasks upstream of *task*, directly or not, in the order of the job."""
    found = upstream(_needs(job), task.key)
    return [each.key for each in job.tasks if each.key in found]


def tasks_to_repair(
    job: Job, results: Mapping[str, str], *, chosen: str = "", dependents: bool = True
) -> frozenset[str]:
    """The keys of the tasks that a repair runs again.

    Args:
        results: the last result of each task of the run; a task that is missing never ran.
        chosen: a comma-separated list of tasks; empty: those that failed, were cancelled, or did not run as a result.
        dependents: whether the tasks that depend on them run again too.

    Raises:
        UsageError: *chosen* names a task that the job does not have.
    """
    keys = list(_words(chosen))
    for key in keys:
        _check_known(job, key, "--tasks")
    if not keys:
        # A task that its condition excluded stays excluded, unless a task that it depends on is repaired.
        keys = [task.key for task in job.tasks if not meaning(results.get(task.key)).is_fine]
    again = set(keys)
    if dependents:
        needs = _needs(job)
        again.update(other for key in keys for other in downstream(needs, key))
    return frozenset(again)


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_known(job: Job, key: str, option: str) -> None:
    known = [task.key for task in job.tasks]
    if key not in known:
        legal = ", ".join(f"`{each}`" for each in known)
        step = next_step(key, known)
        raise UsageError(f"{option}: job `{job.key}`: found no task `{key}`; its tasks are {legal}. {step}")


def _needs(job: Job) -> dict[str, list[str]]:
    return {task.key: task.needs for task in job.tasks}
