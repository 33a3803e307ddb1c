"""The graph of a job's tasks: reads the dependencies, and finds mistakes in them."""

from collections.abc import Iterable, Iterator
from typing import Any

from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.graph import nodes_in_cycles
from lakelocal.lakeflow.model import Dependency, Task
from lakelocal.lakeflow.task_types import type_of


def read_dependencies(listed: Any) -> tuple[Dependency, ...]:
    """The entries of `depends_on`, each task once."""
    return tuple({read.task_key: read for _, read in _entries(listed)}.values())


def check_dependencies(task: Task, tasks: Iterable[Task]) -> Iterator[Finding]:
    """Check that the dependencies of *task* name other *tasks* of the job, and an outcome only of a condition task.

    The findings have their path in the task, but no file and line yet.
    """
    kinds = {each.key: each.kind for each in tasks}
    for number, dependency in _entries(task.settings.get("depends_on")):
        before, outcome, path = dependency.task_key, dependency.outcome, ("depends_on", number)
        if before not in kinds:
            known = ", ".join(f"`{key}`" for key in sorted(kinds.keys() - {task.key}))
            expected = f"one of {known}" if known else "no dependency, since the job has no other task"
            action = "Correct the key, or remove the dependency."
            where = Where(path=(*path, "task_key"))
            yield Finding(where, "unknown-dependency", f"the dependency `{before}`", expected, action)
        elif outcome is not None and not type_of(kinds[before]).branches:
            found, expected = (
                f"an outcome of `{before}`, a {kinds[before] or 'task'}",
                "an outcome only of a condition_task",
            )
            yield Finding(Where(path=(*path, "outcome")), "outcome", found, expected, "Remove `outcome`.")
        elif outcome not in (None, "true", "false"):
            found, expected = f"the outcome `{outcome}` of `{before}`", "`true` or `false`"
            yield Finding(Where(path=(*path, "outcome")), "outcome", found, expected, "Correct the outcome.")


def check_cycles(tasks: Iterable[Task], where: Where) -> Iterator[Finding]:
    """Check that no task waits for itself, directly or through others; *where* is the place of the job's tasks."""
    if cycle := nodes_in_cycles({task.key: task.needs for task in tasks}):
        found = f"a cycle of dependencies in {', '.join(f'`{key}`' for key in sorted(cycle))}"
        yield Finding(where, "cycle", found, "none", "Remove one of them.")


def _entries(listed: Any) -> Iterator[tuple[int, Dependency]]:
    """The well-formed entries of the list *listed*, with their indexes."""
    for number, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict) and "task_key" in entry:
            outcome = entry.get("outcome")
            yield number, Dependency(str(entry["task_key"]), None if outcome is None else as_text(outcome))
