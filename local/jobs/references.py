"""Dynamic value references: `{{job.run_id}}`, `{{tasks.bronze.values.rows}}`, ... in the fields of a job.

An unknown namespace or malformed braces stay as they are; an unknown member of a known namespace is an error. All
times are UTC. Source: Databricks documentation, "What is a dynamic value reference?".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.errors import UsageError

_BRACES = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"`([^`]+)`|([A-Za-z0-9_]+)")
TIME_PARTS: Mapping[str, Callable[[datetime], str]] = {
    "iso_weekday": lambda t: str(t.isoweekday()),
    "is_weekday": lambda t: str(t.isoweekday() <= 5).lower(),
    "iso_date": lambda t: t.date().isoformat(),
    "iso_datetime": lambda t: t.replace(microsecond=0, tzinfo=None).isoformat(),
    "year": lambda t: str(t.year),
    "month": lambda t: str(t.month),
    "day": lambda t: str(t.day),
    "hour": lambda t: str(t.hour),
    "minute": lambda t: str(t.minute),
    "second": lambda t: str(t.second),
    "timestamp_ms": lambda t: str(int(t.timestamp() * 1000)),
}
_OF_TASKS = ("run_id", "result_state", "error_code", "execution_count", "notebook_path", "values")
_OLD = ("job_id", "run_id", "start_date", "start_time", "task_retry_count", "parent_run_id", "task_key")


@dataclass(frozen=True)
class Upstream:
    """What is known of a task that has ended: for `{{tasks.T...}}`. *values* are its task values (JSON)."""

    run_id: int
    result: str
    attempts: int
    notebook: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """Everything that a reference may name while one attempt is prepared; *start_ms* is epoch ms."""

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

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.start_ms / 1000, UTC)


def resolve(text: str, scope: Scope) -> str:
    """*text* with its references replaced.

    Raises:
        LookupError: an unknown member of a known namespace; the text says what there is.
    """
    return _BRACES.sub(lambda found: _one(found, scope), text)


def check_references(text: str, *, parameters: Mapping[str, str], tasks: Mapping[str, str], where: str) -> None:
    """Refuse unknown members in *text* before anything runs.

    Args:
        parameters: the job's parameters.
        tasks: the tasks upstream of the field's task, key to notebook.

    Raises:
        UsageError: naming *where*, the reference and the legal names.
    """
    anything = _Anything()
    upstream = {key: Upstream(0, "SUCCESS", 1, notebook, anything) for key, notebook in tasks.items()}
    scope = Scope(0, "", 0, 0, parameters=parameters, task_key="t", tasks=upstream)
    try:
        resolve(text, scope)
    except LookupError as error:
        raise UsageError(f"{where}: {error.args[0]}. Correct the reference.") from error


class _Anything(dict):
    """Task values before the run: any key may come."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return ""


def _one(found: re.Match, scope: Scope) -> str:
    path = _split(found.group(1))
    if path is None or (path[0] not in ("job", "task", "tasks", "workspace") and path not in [[name] for name in _OLD]):
        return found.group(0)
    return _value(path, scope, found.group(0))


def _split(text: str) -> list[str] | None:
    """`job.parameters.`a-b`` -> its parts; None where the text is malformed."""
    parts, position = [], 0
    while True:
        part = _PART.match(text, position)
        if not part:
            return None
        parts.append(part[1] or part[2])
        position = part.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            return None
        position += 1


def _value(path: list[str], scope: Scope, literal: str) -> str:
    match path:
        case ["job", "parameters", name]:
            return _pick(scope.parameters, name, literal, "job.parameters")
        case ["job", "start_time", part]:
            return _pick(TIME_PARTS, part, literal, "job.start_time")(scope.started)
        case ["job", "trigger", "type"]:
            return scope.trigger
        case ["job", name]:
            return str(_pick(_job(scope), name, literal, "job"))
        case ["task", name]:
            return str(_pick(_task(scope), name, literal, "task"))
        case ["tasks", key, *rest]:
            return _of_task(_pick(scope.tasks, key, literal, "tasks"), rest, literal)
        case ["workspace", name]:
            return _pick({"id": "0", "url": "local"}, name, literal, "workspace")
        case [name] if name in _OLD:
            return str(_old(scope)[name])
    raise LookupError(f"found `{literal}`; `{path[0]}` has no `{'.'.join(path[1:])}`")


def _of_task(task: Upstream, rest: list[str], literal: str) -> str:
    match rest:
        case ["values", key]:
            value = _pick(task.values, key, literal, "values")
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        case [name] if name in _OF_TASKS and name != "values":
            facts = {
                "run_id": task.run_id,
                "result_state": result_word(task.result),
                "error_code": "" if result_word(task.result) == "success" else "RUN_EXECUTION_ERROR",
                "execution_count": task.attempts,
                "notebook_path": task.notebook,
            }
            return str(facts[name])
    raise LookupError(f"found `{literal}`; a task has {', '.join(f'`{name}`' for name in _OF_TASKS)}")


def result_word(result: str) -> str:
    """A result as `{{tasks.T.result_state}}` writes it."""
    return "success" if result == "SUCCESS_WITH_FAILURES" else result.lower()


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


def _pick(known: Mapping[str, Any], name: str, literal: str, namespace: str) -> Any:
    if name in known:
        return known[name]
    legal = ", ".join(f"`{key}`" for key in known) or "nothing"
    raise LookupError(f"found `{literal}`; `{namespace}` has {legal}")
