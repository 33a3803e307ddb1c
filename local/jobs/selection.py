"""`--only a,+b,c+`: the tasks of a partial run.

Source: `run-now.only` of the Jobs API: `+t` adds everything upstream of t, `t+` everything downstream.
"""

from local.bundle.model import Job
from local.errors import UsageError


def select_tasks(job: Job, text: str) -> frozenset[str]:
    """The keys that *text*, a comma list, selects in *job*.

    Raises:
        UsageError: it is empty, or names no task of the job; the message lists the tasks.
    """
    up = {task.key: {d.task_key for d in task.depends_on} for task in job.tasks}
    down = {key: {other for other, needs in up.items() if key in needs} for key in up}
    known = ", ".join(f"`{key}`" for key in up)
    result: set[str] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        key = word.strip("+")
        if key not in up:
            raise UsageError(
                f"--only: job `{job.key}`: found no task `{key}`; its tasks are {known}. Name one of them."
            )
        result.add(key)
        if word.startswith("+"):
            result |= _reach(key, up)
        if word.endswith("+"):
            result |= _reach(key, down)
    if not result:
        raise UsageError(f"--only: job `{job.key}`: found no task key; expected some of {known}. Name them.")
    return frozenset(result)


def _reach(key: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [key]
    while todo:
        for other in edges[todo.pop()] - found:
            found.add(other)
            todo.append(other)
    return found
