"""Dynamic value references: `{{job.run_id}}`, `{{tasks.bronze.values.rows}}`, ... in the fields of a job.

An unknown namespace or malformed braces stay as they are; an unknown member of a known namespace is an error. All
times are UTC. Source: Databricks documentation, "What is a dynamic value reference?".
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.jobs.moments import TIME_PARTS

_BRACES = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"`([^`]+)`|([A-Za-z0-9_]+)|\[([A-Za-z0-9_.-]+)\]")  # [name]: so written in Databricks' own examples
NAMESPACES = ("job", "task", "tasks", "workspace", "input", "backfill")
DEPRECATED = ("job_id", "run_id", "start_date", "start_time", "task_retry_count", "parent_run_id", "task_key")
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "job": ("id", "name", "run_id", "repair_count", "parameters", "start_time", "trigger"),
    "task": ("name", "run_id", "execution_count", "notebook_path"),
    "tasks": ("run_id", "result_state", "error_code", "execution_count", "notebook_path", "values", "output"),
    "workspace": ("id", "url"),
}
_NO_TRIGGER_TIME = "only a scheduled run has a trigger time: start it with --scheduled-at, or use `job.start_time`"
_NO_OUTPUT = "only an SQL task that has returned rows has an output"


@dataclass(frozen=True)
class Upstream:
    """What is known of a task that has ended: for `{{tasks.T...}}`.

    *values* are its task values (JSON), *rows* what an SQL task returned, each a mapping of column to value.
    """

    run_id: int
    result: str
    attempts: int
    notebook: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] | None = None


class Absent:
    """The input of a task that no for-each task runs: `{{input}}` is then text like any other."""


@dataclass(frozen=True)
class Scope:
    """Everything that a reference may name while one attempt is prepared; *start_ms* is epoch ms.

    *scheduled* is the time for which a schedule started the run, *backfill* the time that a backfill run is for.
    """

    job_id: int
    job_name: str
    run_id: int
    start_ms: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    task_key: str = ""
    task_run_id: int = 0
    attempt: int = 0
    notebook: str = ""
    tasks: Mapping[str, Upstream] = field(default_factory=dict)
    trigger: str = "ONE_TIME"
    repair_count: int = 0
    scheduled: datetime | None = None
    backfill: datetime | None = None
    input: Any = Absent

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.start_ms / 1000, UTC)


def resolve(text: str, scope: Scope) -> str:
    """*text* with its references replaced.

    Raises:
        LookupError: an unknown member of a known namespace; the text says what there is.
    """
    return _BRACES.sub(lambda found: _one(found, scope), text)


def resolve_all(value: Any, scope: Scope) -> Any:
    """*value* with the references in all its texts replaced, also inside lists and mappings.

    Raises:
        LookupError: as of `resolve`.
    """
    if isinstance(value, str):
        return resolve(value, scope)
    if isinstance(value, Mapping):
        return {name: resolve_all(each, scope) for name, each in value.items()}
    return [resolve_all(each, scope) for each in value] if isinstance(value, list) else value


def tasks_named(value: Any) -> set[str]:
    """The keys of the tasks that references in *value* name: `{{tasks.KEY...}}`."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return {key for each in value for key in tasks_named(each)}
    paths = (split_path(found[1]) for found in _BRACES.finditer(value)) if isinstance(value, str) else ()
    return {path[1] for path in paths if path and path[0] == "tasks" and len(path) > 1}


def split_path(text: str) -> list[str] | None:
    """`job.parameters.`a-b`` -> its parts; None where the text is malformed."""
    parts, position = [], 0
    while True:
        part = _PART.match(text, position)
        if not part:
            return None
        parts.append(part[part.lastindex])
        position = part.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            return None
        position += 1


def as_text(value: Any) -> str:
    """A task value, an input or a cell of a row as a reference to it is replaced: text as it is, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def result_word(result: str) -> str:
    """A result as `{{tasks.T.result_state}}` writes it."""
    return "success" if result == "SUCCESS_WITH_FAILURES" else result.lower()


def _one(found: re.Match, scope: Scope) -> str:
    path = split_path(found.group(1))
    if path is None or not _is_known(path, scope):
        return found.group(0)
    try:
        return _value(path, scope)
    except LookupError as error:
        raise LookupError(f"found `{found.group(0)}`; {error.args[0]}") from None


def _is_known(path: list[str], scope: Scope) -> bool:
    if path[0] == "input":
        return scope.input is not Absent
    if path[0] == "backfill":
        return scope.backfill is not None
    return path[0] in NAMESPACES or (len(path) == 1 and path[0] in DEPRECATED)


def _value(path: list[str], scope: Scope) -> str:
    match path:
        case ["job", "parameters", name]:
            return pick(scope.parameters, name, "job.parameters")
        case ["job", "start_time", part]:
            return pick(TIME_PARTS, part, "job.start_time")(scope.started)
        case ["job", "trigger", "type"]:
            return scope.trigger.lower()
        case ["job", "trigger", "time", part]:
            moment = pick(TIME_PARTS, part, "job.trigger.time")
            if scope.scheduled is None:
                raise LookupError(_NO_TRIGGER_TIME)
            return moment(scope.scheduled)
        case ["job", "trigger", *_]:
            raise LookupError(f"`job.trigger` has {_listed(('type', 'time'))}")
        case ["job", name] if name in (job := _job(scope)):
            return str(job[name])
        case ["task", name] if name in (task := _task(scope)):
            return str(task[name])
        case ["tasks", key, *rest]:
            return _of_task(pick(scope.tasks, key, "tasks"), rest)
        case ["workspace", name] if name in (workspace := {"id": "0", "url": "local"}):
            return workspace[name]
        case ["backfill", part] if scope.backfill is not None:
            return pick(TIME_PARTS, part, "backfill")(scope.backfill)
        case ["input", *fields]:
            return as_text(_inside(scope.input, fields))
        case [name] if name in DEPRECATED:
            return str(_old(scope)[name])
    raise LookupError(f"`{path[0]}` has {_listed(MEMBERS.get(path[0], TIME_PARTS))}")


def _inside(value: Any, fields: list[str]) -> Any:
    for number, name in enumerate(fields):
        known = value if isinstance(value, Mapping) else {}
        value = pick(known, name, ".".join(["input", *fields[:number]]))
    return value


def _of_task(task: Upstream, rest: list[str]) -> str:
    facts = {
        "run_id": task.run_id,
        "result_state": result_word(task.result),
        "error_code": "RUN_EXECUTION_ERROR" if task.result in ("FAILED", "TIMEDOUT") else "",
        "execution_count": task.attempts,
        "notebook_path": task.notebook,
    }
    match rest:
        case ["values", key]:
            return as_text(pick(task.values, key, "values"))
        case ["output", "rows"]:
            return as_text([dict(row) for row in _rows(task)])
        case ["output", "first_row"]:
            return as_text(dict(_rows(task)[0]))
        case ["output", "first_row", column]:
            return as_text(pick(_rows(task)[0], column, "output.first_row"))
        case [name] if name in facts:
            return str(facts[name])
    raise LookupError(f"a task has {_listed(MEMBERS['tasks'])}")


def _rows(task: Upstream) -> tuple[Mapping[str, Any], ...]:
    if not task.rows:
        raise LookupError(_NO_OUTPUT)
    return task.rows


def _job(scope: Scope) -> dict[str, Any]:
    return {
        "id": scope.job_id,
        "name": scope.job_name,
        "run_id": scope.run_id,
        "repair_count": scope.repair_count,
    }


def _task(scope: Scope) -> dict[str, Any]:
    return {
        "name": scope.task_key,
        "run_id": scope.task_run_id,
        "execution_count": scope.attempt + 1,
        "notebook_path": scope.notebook,
    }


def _old(scope: Scope) -> dict[str, Any]:
    """The deprecated references, one word each."""
    return {
        "job_id": scope.job_id,
        "run_id": scope.task_run_id,
        "start_date": scope.started.date().isoformat(),
        "start_time": scope.start_ms,
        "task_retry_count": scope.attempt,
        "parent_run_id": scope.run_id,
        "task_key": scope.task_key,
    }


def pick(known: Mapping[str, Any], name: str, namespace: str) -> Any:
    """The member *name* of *namespace*; a LookupError lists the members."""
    if name in known:
        return known[name]
    raise LookupError(f"`{namespace}` has {_listed(known)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
