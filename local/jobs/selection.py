"""Parts of a job: what lies before a task, what `--only a,+b,c+` selects, and what a repair runs again.

Source: `run-now.only` of the Jobs API: `+t` adds everything upstream of t, `t+` everything downstream; `runs/repair`.
"""

from collections.abc import Collection, Mapping

from local.bundle.model import Job, Task
from local.errors import UsageError
from local.jobs.plan import SUCCEEDED

# A task that was left out by its condition stays so, unless what it depends on is repaired.
_FINE = SUCCEEDED | {"EXCLUDED"}


def select_tasks(job: Job, text: str) -> frozenset[str]:
    """The keys that *text*, a comma list, selects in *job*.

    Raises:
        UsageError: it is empty, or names no task of the job; the message lists the tasks.
    """
    up, down = _upward(job), _downward(job)
    known = ", ".join(f"`{key}`" for key in up)
    result: set[str] = set()
    for word in _words(text):
        key = word.strip("+")
        _check_known(job, key, "--only")
        result.add(key)
        if word.startswith("+"):
            result |= _reach(key, up)
        if word.endswith("+"):
            result |= _reach(key, down)
    if not result:
        raise UsageError(f"--only: job `{job.key}`: found no task key; expected some of {known}. Name them.")
    return frozenset(result)


def upstream_of(job: Job, task: Task) -> list[str]:
    """The keys of all tasks before *task*, directly or not, in the order of the job."""
    found = _reach(task.key, _upward(job))
    return [each.key for each in job.tasks if each.key in found]


def tasks_to_repair(
    job: Job, results: Mapping[str, str], *, chosen: str = "", dependents: bool = True
) -> frozenset[str]:
    """The keys of the tasks that a repair runs again.

    Args:
        results: the last result of each task of the run; a task that is missing never ran.
        chosen: a comma list of tasks; empty: those that failed, were cancelled or did not run because of it.
        dependents: whether what depends on them runs again too.

    Raises:
        UsageError: *chosen* names a task that the job does not have.
    """
    keys = list(_words(chosen))
    for key in keys:
        _check_known(job, key, "--tasks")
    if not keys:
        keys = [task.key for task in job.tasks if results.get(task.key) not in _FINE]
    again = set(keys)
    if dependents:
        down = _downward(job)
        again.update(other for key in keys for other in _reach(key, down))
    return frozenset(again)


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_known(job: Job, key: str, option: str) -> None:
    known = [task.key for task in job.tasks]
    if key not in known:
        legal = ", ".join(f"`{each}`" for each in known)
        raise UsageError(f"{option}: job `{job.key}`: found no task `{key}`; its tasks are {legal}. Name one of them.")


def _upward(job: Job) -> dict[str, Collection[str]]:
    return {task.key: {d.task_key for d in task.depends_on} for task in job.tasks}


def _downward(job: Job) -> dict[str, Collection[str]]:
    up = _upward(job)
    return {key: {other for other, needs in up.items() if key in needs} for key in up}


def _reach(key: str, edges: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    todo = [key]
    while todo:
        for other in set(edges.get(todo.pop(), ())) - found:
            found.add(other)
            todo.append(other)
    return found
