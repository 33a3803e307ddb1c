"""Checks dynamic value references (`{{...}}`), and reports references (`${...}`) that only a workspace could resolve.

What a dynamic value reference may name is defined in `lakelocal.lakeflow.references`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lakelocal.bundle.workspace_values import workspace_values_in_job, workspace_values_in_task
from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.notebook_interface import read_interface
from lakelocal.lakeflow.references import (
    BACKFILL,
    FILE_ARRIVAL,
    FOR_EACH,
    SCHEDULE,
    TABLE_UPDATE,
    Known,
    KnownTask,
    Need,
    wrong_references,
)
from lakelocal.lakeflow.task_types.for_each import literal_inputs
from lakelocal.validate.job_view import JobView, TaskView
from lakelocal.validate.task_types import notebook_of


def check_references(view: JobView) -> Iterator[Finding]:
    """Check every reference in the fields of task types and in the defaults of job parameters."""
    provided = {task.key: _provided_by(task, view) for task in view.tasks}
    known = Known(view.job.parameters, has=_provided_by_runs_of(view))
    for number, parameter in enumerate(view.source.get("parameters") or []):
        yield from _findings(view, parameter.get("default"), known, ("parameters", number, "default"))
    for task in view.all_tasks:
        upstream = {key: provided.get(key, KnownTask.of_type("")) for key in sorted(view.upstream(task))}
        fields = {name: value for name, value in task.inner.items() if (task.kind, name) != ("for_each_task", "task")}
        yield from _findings(view, fields, _in_task(task, view, replace(known, tasks=upstream)), (task.kind,), task)


def check_workspace_values(view: JobView) -> Iterator[Finding]:
    """Report each value that only a workspace has, where it is passed to code."""
    places = {parameter.get("name"): number for number, parameter in enumerate(view.source.get("parameters") or [])}
    for finding in workspace_values_in_job(view.job.parameters):
        name = next(iter(finding.where.path), None)  # a parameter may have no name
        number = places.get(name)
        yield finding.moved(view.where(None, () if number is None else ("parameters", number, "default")))
    read = {task.key: task for task in view.job.every_task()}
    for task in view.all_tasks:
        if task.key in read:
            for finding in workspace_values_in_task(view.job, read[task.key]):
                yield finding.moved(view.where(task, finding.where.path))


def _provided_by_runs_of(view: JobView) -> frozenset[Need]:
    """What at least one kind of run of the job provides; a backfill can be started for any job."""
    needs = (SCHEDULE, FILE_ARRIVAL, TABLE_UPDATE)
    triggered = {need for need in needs if any(_is_set(view.source, name) for name in need.fields)}
    return frozenset({BACKFILL, *triggered})


def _in_task(task: TaskView, view: JobView, known: Known) -> Known:
    """*known* for the fields of *task*, which has inputs if it is inside of a for-each task."""
    outer = view.task(task.outer)
    if outer is None:
        return known
    return replace(known, has=known.has | {FOR_EACH}, inputs=literal_inputs(outer.inner.get("inputs")))


def _provided_by(task: TaskView, view: JobView) -> KnownTask:
    """What *task* provides to later tasks, with the task values that its notebook sets if its code shows which."""
    provided = KnownTask.of_type(task.kind)
    file = notebook_of(view, task)
    if file is None or (notebook := read_interface(file)).opaque or notebook.sets_any:
        return provided
    return replace(provided, values=sorted(notebook.sets))


def _findings(
    view: JobView, value: Any, known: Known, path: tuple[str | int, ...], task: TaskView | None = None
) -> Iterator[Finding]:
    """A finding for each wrong reference in *value*, the field *path* of *task* or of the job, at its own place."""
    if isinstance(value, str):
        for wrong in wrong_references(value, known):
            yield view.finding(wrong.rule, wrong.found, wrong.expected, wrong.action, task=task, path=path)
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield from _findings(view, inner, known, (*path, step), task)


def _is_set(source: Any, path: str) -> bool:
    for step in path.split("."):
        source = source.get(step) if isinstance(source, dict) else None
    return source is not None
