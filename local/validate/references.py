"""Dynamic value references (`{{...}}`) that name what is not there.

Source: Databricks documentation, "What is a dynamic value reference?": an unknown member of a known namespace is an
error; an unknown namespace, and braces around anything else, stay as text.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.jobs.moments import TIME_PARTS
from local.jobs.reference_names import DEPRECATED, MEMBERS, NAMESPACES, split_path
from local.lakeflow.findings import Finding, FindingError, Where, show
from local.lakeflow.notebook_interface import read_interface
from local.validate.subject import Subject, TaskView
from local.validate.task_types import notebook_of

TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "time": ("schedule", "trigger", "triggers", "continuous"),
    "file_arrival": ("trigger.file_arrival", "triggers"),
    "table_update": ("trigger.table_update", "triggers"),
}
WITHOUT_VALUES = ("condition_task", "run_job_task", "sql_task", "pipeline_task")
WITHOUT_OUTPUT = ("notebook_task", "condition_task", "run_job_task", "for_each_task")

_BRACES = re.compile(r"\{\{\s*((?:(?!\{\{).)*?)\s*\}\}")  # also around what is no reference: that is worth a word


@dataclass(frozen=True)
class _Text:
    """A text with references: where it stands, and the task whose field it is (None: a parameter of the job)."""

    text: str
    path: tuple[str | int, ...]
    task: TaskView | None = None


def check_references(subject: Subject) -> Iterator[Finding]:
    """Every reference in the fields of task types and in the defaults of job parameters."""
    for each in _all_texts(subject):
        for found in _BRACES.finditer(each.text):
            try:
                _check(found[1], subject, each.task)
            except FindingError as error:
                for finding in error.findings:
                    words = f"`{found[0]}`{finding.found}"
                    yield replace(finding, where=subject.where(each.task, each.path), found=words)


def _all_texts(subject: Subject) -> Iterator[_Text]:
    for number, parameter in enumerate(subject.source.get("parameters") or []):
        path = ("parameters", number, "default")
        yield from (_Text(text, (*path, *inner)) for text, inner in _texts(parameter.get("default")))
    for task in subject.all_tasks:
        fields = {name: value for name, value in task.inner.items() if (task.kind, name) != ("for_each_task", "task")}
        yield from (_Text(text, (task.kind, *inner), task) for text, inner in _texts(fields))


def _texts(value: Any) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    if isinstance(value, str):
        yield value, ()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield from ((text, (step, *path)) for text, path in _texts(inner))


def _check(text: str, subject: Subject, task: TaskView | None) -> None:
    path = split_path(text)
    if path is None:
        expected = "names joined by dots; names with other signs than letters, digits and `_` in backticks"
        raise _error("reference-literal", ", which stays as text", expected, "Write it as a reference, or as it is.")
    if path[0] not in NAMESPACES:
        if path[0] in DEPRECATED and len(path) == 1:
            return
        near = difflib.get_close_matches(path[0], NAMESPACES, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "Correct it, if it is meant as a reference."
        raise _error("reference-literal", ", which stays as text", _one_of(NAMESPACES), hint)
    match path:
        case ["job", "parameters", *name]:
            known = subject.job.parameters
            _expect(len(name) == 1 and name[0] in known, _one_of(known, "job.parameters."))
        case ["job", "start_time", *part] | ["backfill", *part]:
            _expect(len(part) == 1 and part[0] in TIME_PARTS, _one_of(TIME_PARTS, f"{'.'.join(path[:-1])}."))
        case ["job", "trigger", *rest]:
            _check_trigger(rest, subject)
        case ["tasks", *rest]:
            _check_task(rest, subject, task)
        case ["input", *fields]:
            _check_input(fields, subject, task)
        case [namespace, *rest]:
            known = [name for name in MEMBERS[namespace] if (namespace, name) not in _DEEP]
            _expect(len(rest) == 1 and rest[0] in known, _one_of(MEMBERS[namespace], f"{namespace}."))


_DEEP = (("job", "parameters"), ("job", "start_time"), ("job", "trigger"))


def _check_trigger(rest: list[str], subject: Subject) -> None:
    legal = "job.trigger.type, .time, .file_arrival or .table_update"
    _expect(bool(rest) and (rest == ["type"] or (rest[0] in TRIGGERS and len(rest) > 1)), legal)
    if rest[0] == "time":
        _expect(len(rest) == 2 and rest[1] in TIME_PARTS, _one_of(TIME_PARTS, "job.trigger.time."))
    needed = TRIGGERS.get(rest[0], ())
    if needed and not any(_is_set(subject.source, name) for name in needed):
        expected = f"a job with {' or '.join(f'`{name}`' for name in needed)}"
        action = "Use job.start_time, or add the trigger."
        raise _error("reference-trigger", " in a job that nothing triggers so", expected, action)


def _check_task(rest: list[str], subject: Subject, task: TaskView | None) -> None:
    before = sorted(subject.upstream(task)) if task else []
    if not rest or rest[0] not in before:
        why = ", a task that is not upstream" if rest and subject.task(rest[0]) else ""
        action = "Correct the key, or add the task to depends_on."
        raise _error("reference-task", why, _one_of(before, "tasks."), action)
    upstream = subject.task(rest[0])
    legal = _one_of(MEMBERS["tasks"], f"tasks.{rest[0]}.")
    match rest[1:]:
        case ["values", key]:
            _check_value(key, subject, upstream)
        case ["output", *_]:
            if upstream and upstream.kind in WITHOUT_OUTPUT:
                raise _error(
                    "reference-member", f": a {upstream.kind} has no output", "an SQL task", "Use task values."
                )
        case [name]:
            _expect(name in MEMBERS["tasks"] and name not in ("values", "output"), legal)
        case _:
            _expect(False, legal)


def _check_value(key: str, subject: Subject, upstream: TaskView | None) -> None:
    if upstream is None:
        return
    if upstream.kind in WITHOUT_VALUES:
        expected = "a notebook or Python task, which can set values"
        raise _error("reference-value", f": a {upstream.kind} sets no values", expected, "Name another task.")
    file = notebook_of(subject, upstream)
    if file is None or (notebook := read_interface(file)).may_set(key):
        return
    name = show(file, subject.bundle.root)
    sets = ", ".join(f"`{each}`" for each in sorted(notebook.sets)) or "none"
    action = "Correct the key, or set the value with dbutils.jobs.taskValues.set."
    raise _error("reference-value", "", f"a value that `{name}` sets: {sets}", action)


def _check_input(fields: list[str], subject: Subject, task: TaskView | None) -> None:
    if task is None or not task.outer:
        action = "Use a job parameter or a task value, or put the task into a for_each_task."
        raise _error("reference-input", " outside of a for-each task", "it inside of one", action)
    outer = subject.task(task.outer)
    try:
        inputs = json.loads(str(outer.inner.get("inputs"))) if outer else None
    except ValueError:
        return  # a reference: its items are known when it runs
    for item in inputs if isinstance(inputs, list) and fields else ():
        known = item if isinstance(item, dict) else {}
        _expect(fields[0] in known, _one_of(known, "input."))


def _error(rule: str, found: str, expected: str, action: str) -> FindingError:
    """The finding knows neither its place nor the reference, behind which *found* is said."""
    return FindingError(Finding(Where(), rule, found, expected, action))


def _expect(is_so: bool, expected: str) -> None:
    if not is_so:
        raise _error("reference-member", "", expected, "Correct the reference.")


def _one_of(names: Any, prefix: str = "") -> str:
    return f"one of {', '.join(f'`{prefix}{name}`' for name in names)}" if names else f"nothing: `{prefix}` is empty"


def _is_set(source: Any, path: str) -> bool:
    for step in path.split("."):
        source = source.get(step) if isinstance(source, dict) else None
    return source is not None
