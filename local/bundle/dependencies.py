"""The graph of a job's tasks: how it is read, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from local.bundle.model import Dependency, Task
from local.bundle.texts import as_text
from local.lakeflow.graph import circles


class Wrong(NamedTuple):
    """A mistake in the graph: its *rule*, what was found, and at which *task*; None for the job as a whole."""

    rule: str
    found: str
    task: Task | None = None


def read_dependencies(listed: Any) -> tuple[Dependency, ...]:
    """The entries of `depends_on`, each task once."""
    result: dict[str, Dependency] = {}
    for entry in listed or []:
        if isinstance(entry, dict) and "task_key" in entry:
            outcome = entry.get("outcome")
            key = str(entry["task_key"])
            result[key] = Dependency(key, None if outcome is None else as_text(outcome))
    return tuple(result.values())


def wrong_dependencies(tasks: Iterable[Task]) -> Iterator[Wrong]:
    """Dependencies name tasks of the job, have an outcome only where it is a condition's, and form no circle."""
    tasks = tuple(tasks)
    keys = {task.key for task in tasks}
    conditions = {task.key for task in tasks if task.kind == "condition_task"}
    for task in tasks:
        for dependency in task.depends_on:
            if dependency.task_key not in keys:
                known = ", ".join(f"`{key}`" for key in sorted(keys - {task.key})) or "none"
                found = f"depends_on: found `{dependency.task_key}`; expected one of {known}"
                yield Wrong("unknown-dependency", found, task)
            elif dependency.outcome is not None and dependency.task_key not in conditions:
                found = f"depends_on: found an outcome of `{dependency.task_key}`; only a condition_task has one"
                yield Wrong("outcome", found, task)
            elif dependency.outcome not in (None, "true", "false"):
                found = f"depends_on: found the outcome `{dependency.outcome}`; expected `true` or `false`"
                yield Wrong("outcome", found, task)
    if found := circles({task.key: task.needs for task in tasks}):
        names = ", ".join(f"`{key}`" for key in sorted(found))
        yield Wrong("circle", f"found a circle of dependencies in {names}; expected none. Remove one of them")
