"""Finds references to values that only a workspace has, such as the URL of an app: they stay as they are written.

Source: Databricks CLI 1.13: a deployment replaces `${resources.KIND.KEY.FIELD}` by the value that the resource has got.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.bundle.references import references_in
from lakelocal.lakeflow.environment_variables import environment_variables
from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.model import Job, Task
from lakelocal.lakeflow.task_types import type_of


def workspace_values_in_job(parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each such reference in the *parameters* of a job; its path is the name of the parameter."""
    yield from _findings(parameters, ())


def workspace_values_in_task(job: Job, task: Task) -> Iterator[Finding]:
    """A finding for each such reference that the code of *task* is given; its path is the field that gives it."""
    for field in type_of(task.kind).parameters:
        yield from _findings(task.inner.get(field), (task.kind, field))
    yield from _findings(environment_variables(job, task), ())


def explanation(job: Job, task: Task, parameters: Mapping[str, Any]) -> str:
    """What is added to the reason of a failed task whose code was given such references; "" if it was not."""
    found = dict.fromkeys(
        each.found for each in (*workspace_values_in_task(job, task), *workspace_values_in_job(parameters))
    )
    return f" It was given {', '.join(found)}." if found else ""


def _findings(given: Any, path: tuple[str, ...]) -> Iterator[Finding]:
    pairs = given.items() if isinstance(given, Mapping) else [("", given)]
    for name, value in pairs:
        for reference in references_in(value):
            if reference.startswith("resources."):
                yield Finding(
                    Where(path=(*path, name) if name else path),
                    "workspace-value",
                    f"`${{{reference}}}` as plain text, since only a workspace has its value",
                    "a value that exists without one",
                    "If the code needs the value, set another one in a target for this machine.",
                )
