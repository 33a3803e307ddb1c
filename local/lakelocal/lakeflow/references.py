"""Dynamic value references: `{{job.run_id}}`, `{{tasks.bronze.values.rows}}`, ... in the fields of a job.

`REFERENCES` is the table of them: the name of each, its value, and what must exist for it to be known. A new reference
is a new line of the table. `resolve` replaces references during a run, `wrong_references` checks them before it: both
look them up in the same way, the former in a `Scope`, the latter in what is `Known` so far.

An unknown namespace or malformed braces are kept as text; an unknown member of a known namespace is an error. All times
are UTC. Source: Databricks documentation, "What is a dynamic value reference?".
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import Any, NamedTuple

from lakelocal.lakeflow import task_types, trigger_events
from lakelocal.lakeflow.trigger_events import TableVersion, TriggerEvent
from lakelocal.near_names import next_step
from lakelocal.program import PROGRAM

_BRACES = re.compile(r"\{\{(?!\{)\s*((?:(?!\{\{).)*?)\s*\}\}")  # also around text that is not a reference
_PART = re.compile(r"`([^`]+)`|([A-Za-z0-9_]+)|\[([A-Za-z0-9_.-]+)\]")  # [name]: as in Databricks' own examples


@dataclass(frozen=True)
class Need:
    """What must exist for a reference to be known, and what to do if it does not: then *rule* is broken.

    *fields* of a job provide it.
    """

    rule: str
    where: str
    action: str
    fields: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        fields = " or ".join(f"`{name}`" for name in self.fields)
        return f"it only {self.where}" + (f" (a job with {fields})" if fields else "")


_OF_EVENTS = "Add the trigger to the job. A run that a person starts has no such event."
SCHEDULE = Need(
    "reference-trigger",
    "in a run that a schedule starts",
    "Use `job.start_time`, or add a schedule to the job; to run it by hand, start it with --scheduled-at.",
    ("schedule", "trigger.periodic", "triggers"),
)
FILE_ARRIVAL = Need(
    "reference-trigger", "in a run that new files start", _OF_EVENTS, ("trigger.file_arrival", "triggers")
)
TABLE_UPDATE = Need(
    "reference-trigger", "in a run that the update of a table starts", _OF_EVENTS, ("trigger.table_update", "triggers")
)
BACKFILL = Need("reference-literal", "in a run of a backfill", f"Start the job with `{PROGRAM} backfill`.")
FOR_EACH = Need(
    "reference-input",
    "in the task inside of a for-each task",
    "Use a job parameter or a task value, or put the task into a for_each_task.",
)
VALUES = Need("reference-value", "of a notebook or Python task, which can set values", "Name another task.")
ROWS = Need("reference-member", "of an SQL task that has returned rows", "Name such a task, or use task values.")
ALERT = Need("reference-member", "of an SQL task that has evaluated an alert", "Name such a task, or use task values.")


@dataclass(frozen=True)
class Upstream:
    """What is known of a task that has ended, for `{{tasks.T...}}`.

    *values* are its task values (JSON), *rows* what a SQL task returned, each row a mapping of columns to values.
    """

    run_id: int
    result: str
    attempts: int
    notebook: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] | None = None

    @property
    def known(self) -> "KnownTask":
        if not self.rows:
            return KnownTask(frozenset({VALUES}), values=self.values)
        return KnownTask(frozenset({VALUES, ROWS}), values=self.values, columns=self.rows[0])


class Absent:
    """The input of a task that no for-each task runs: `{{input}}` is then ordinary text."""


class WorkspaceAddress(NamedTuple):
    """What a run may name of the workspace that it runs in."""

    id: str
    url: str


NO_WORKSPACE = WorkspaceAddress("0", "local")


@dataclass(frozen=True)
class Scope:
    """Everything that a reference may name while one attempt is prepared; *start_ms* is epoch ms.

    *scheduled* is the time for which a schedule started the run, *backfill* the time for which a backfill runs, *event*
    what happened, if files or tables started it.
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
    workspace: WorkspaceAddress = NO_WORKSPACE
    event: TriggerEvent | None = None

    @classmethod
    def of_run(cls, run: Mapping[str, Any], **more: Any) -> "Scope":
        """What references may name of *run* as the history has it; *more* are the fields that it does not have."""
        at, event = run.get("trigger_time"), run.get("trigger_event")
        recorded = {
            "job_id": run["job_id"],
            "job_name": run["run_name"],
            "run_id": run["run_id"],
            "start_ms": run["start_time"],
            "trigger": run["trigger"],
            "scheduled": None if at is None else datetime.fromtimestamp(at / 1000, UTC),
            "event": None if event is None else TriggerEvent.of(event),
        }
        return cls(**{**recorded, **more})

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.start_ms / 1000, UTC)

    @property
    def known(self) -> "Known":
        has = needs_met(scheduled=self.scheduled is not None, backfill=self.backfill is not None, event=self.event)
        return Known(
            self.parameters,
            {key: task.known for key, task in self.tasks.items()},
            has | ({FOR_EACH} if self.input is not Absent else set()),
            inputs=[self.input],
        )


def needs_met(*, scheduled: bool, backfill: bool, event: TriggerEvent | None) -> frozenset[Need]:
    """What a run has that was started in this way."""
    has = {
        SCHEDULE: scheduled,
        BACKFILL: backfill,
        FILE_ARRIVAL: event is not None and event.type == trigger_events.FILE_ARRIVAL,
        TABLE_UPDATE: event is not None and event.type == trigger_events.TABLE,
    }
    return frozenset(need for need, is_there in has.items() if is_there)


@dataclass(frozen=True)
class KnownTask:
    """What a task provides for references: names of its *values*, *columns* of its rows. None: any name is possible."""

    has: frozenset[Need]
    values: Collection[str] | None = None
    columns: Collection[str] | None = None
    kind: str = ""

    @classmethod
    def of_type(cls, kind: str) -> "KnownTask":
        """What a task of the type *kind* provides, before it has run; anything if *kind* is empty."""
        needs = {task_types.VALUES: VALUES, task_types.ROWS: ROWS, task_types.ALERT: ALERT}
        return cls(frozenset(needs[name] for name in task_types.type_of(kind).leaves), kind=kind)


@dataclass(frozen=True)
class Known:
    """What the references in one field may name: *parameters* of the job, *tasks* upstream, and what the run *has*.

    *inputs* are those of the for-each task around the field; None if they are only known during the run.
    """

    parameters: Collection[str] = ()
    tasks: Mapping[str, KnownTask] = field(default_factory=dict)
    has: frozenset[Need] = frozenset()
    inputs: Sequence[Any] | None = None


TIMES: Mapping[str, Callable[[datetime], Any]] = {
    "iso_weekday": lambda time: time.isoweekday(),
    "is_weekday": lambda time: time.isoweekday() <= 5,
    "iso_date": lambda time: time.date().isoformat(),
    "iso_datetime": lambda time: time.replace(microsecond=0, tzinfo=None).isoformat(),
    "year": lambda time: time.year,
    "month": lambda time: time.month,
    "day": lambda time: time.day,
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
    "second": lambda time: time.second,
    "timestamp_ms": lambda time: int(time.timestamp() * 1000),
}


@dataclass(frozen=True)
class Reference:
    """The value of a reference, as a function of a `Scope` and the names in its path; None if no local run has it."""

    gives: Callable[..., Any] | None
    need: Need | None = None


def _version_of(run: "Scope", names: Sequence[str]) -> TableVersion:
    """The version of the table that *names* name, when it started the run.

    Raises:
        WrongReference: the trigger does not name it, or it does not exist.
    """
    assert run.event is not None, "its need is checked before"
    tables = {name.lower(): version for name, version in run.event.tables.items()}
    if (found := tables.get(".".join(names).lower())) is None:
        there = ", ".join(f"`{name}`" for name in run.event.tables)
        raise WrongReference("reference-trigger", f"`{'.'.join(names)}`", f"one of {there}", "Correct it.")
    return found


_OF_TABLES: Mapping[str, Callable[..., Any]] = {
    "version": lambda run, *names: _version_of(run, names).version,
    "commit_timestamp.TIME": lambda run, *names: TIMES[names[-1]](_version_of(run, names[:-1]).committed),
}

# Words in capitals stand for names: a job parameter, a task, a task value, ..., or a part of a time (see `TIMES`).
REFERENCES: Mapping[str, Mapping[str, Reference]] = {
    "job": {
        "id": Reference(lambda run: run.job_id),
        "name": Reference(lambda run: run.job_name),
        "run_id": Reference(lambda run: run.run_id),
        "repair_count": Reference(lambda run: run.repair_count),
        "parameters.PARAMETER": Reference(lambda run, name: run.parameters[name]),
        "start_time.TIME": Reference(lambda run, part: TIMES[part](run.started)),
        "trigger.type": Reference(lambda run: run.trigger.lower()),
        "trigger.time.TIME": Reference(lambda run, part: TIMES[part](run.scheduled), SCHEDULE),
        "trigger.file_arrival.location": Reference(lambda run: run.event.location, FILE_ARRIVAL),
        "trigger.table_update.updated_tables": Reference(lambda run: list(run.event.updated), TABLE_UPDATE),
        **{
            f"trigger.table_update.{table}.{rest}": Reference(gives, TABLE_UPDATE)
            for table in ("TABLE", "TABLE.TABLE.TABLE")  # `catalog.schema.table` in backticks, or without
            for rest, gives in _OF_TABLES.items()
        },
    },
    "task": {
        "name": Reference(lambda run: run.task_key),
        "run_id": Reference(lambda run: run.task_run_id),
        "execution_count": Reference(lambda run: run.attempt + 1),
        "notebook_path": Reference(lambda run: run.notebook),
    },
    "tasks": {
        "TASK.run_id": Reference(lambda run, key: run.tasks[key].run_id),
        "TASK.result_state": Reference(lambda run, key: result_word(run.tasks[key].result)),
        "TASK.error_code": Reference(lambda run, key: error_code(run.tasks[key].result)),
        "TASK.execution_count": Reference(lambda run, key: run.tasks[key].attempts),
        "TASK.notebook_path": Reference(lambda run, key: run.tasks[key].notebook),
        "TASK.values.KEY": Reference(lambda run, key, name: run.tasks[key].values[name], VALUES),
        "TASK.output.rows": Reference(lambda run, key: list(run.tasks[key].rows), ROWS),
        "TASK.output.first_row": Reference(lambda run, key: run.tasks[key].rows[0], ROWS),
        "TASK.output.first_row.COLUMN": Reference(lambda run, key, name: run.tasks[key].rows[0][name], ROWS),
        "TASK.output.alert_state": Reference(None, ALERT),
    },
    "workspace": {
        "id": Reference(lambda run: run.workspace.id),
        "url": Reference(lambda run: run.workspace.url),
    },
    "input": {
        "": Reference(lambda run: run.input),
        "FIELDS": Reference(lambda run, *fields: reduce(lambda value, name: value[name], fields, run.input)),
    },
    "backfill": {
        "TIME": Reference(lambda run, part: TIMES[part](run.backfill)),
    },
}
# Namespaces that only some runs and fields have; elsewhere their references are text.
SOMETIMES: Mapping[str, Need] = {"input": FOR_EACH, "backfill": BACKFILL}
DEPRECATED: Mapping[str, Reference] = {
    "job_id": Reference(lambda run: run.job_id),
    "run_id": Reference(lambda run: run.task_run_id),
    "start_date": Reference(lambda run: run.started.date().isoformat()),
    "start_time": Reference(lambda run: run.start_ms),
    "task_retry_count": Reference(lambda run: run.attempt),
    "parent_run_id": Reference(lambda run: run.run_id),
    "task_key": Reference(lambda run: run.task_key),
}


class WrongReference(LookupError):
    """Raised for a reference without a value: what was *found* and *expected*, what to do; the *rule* that it breaks.

    *stays*: a run keeps it as text, so it is not an error there.
    """

    def __init__(self, rule: str, found: str, expected: str, action: str, *, stays: bool = False) -> None:
        super().__init__(f"found {found}; expected {expected}. {action}")
        self.rule = rule
        self.found = found
        self.expected = expected
        self.action = action
        self.stays = stays


def resolve(text: str, scope: Scope) -> str:
    """*text* with its references replaced; anything else is kept.

    Raises:
        WrongReference: one has no value; the text says what exists.
    """
    return _BRACES.sub(lambda braces: _value(braces, scope), text)


def resolve_all(value: Any, scope: Scope) -> Any:
    """*value* with the references in all its texts replaced, including those in lists and mappings.

    Raises:
        WrongReference: as for `resolve`.
    """
    if isinstance(value, str):
        return resolve(value, scope)
    if isinstance(value, Mapping):
        return {name: resolve_all(each, scope) for name, each in value.items()}
    return [resolve_all(each, scope) for each in value] if isinstance(value, list) else value


def wrong_references(value: Any, known: Known) -> Iterator[WrongReference]:
    """Each reference in *value*, a text or a list or mapping of texts, that has no value by what is *known*."""
    for braces in _all_braces(value):
        try:
            _look_up(braces, known)
        except WrongReference as error:
            yield error


def namespaces_named(value: Any) -> set[str]:
    """The namespaces of the references in *value*: `{{NAMESPACE...}}`."""
    return {path[0] for path in _paths(value)}


def tasks_named(value: Any) -> set[str]:
    """The keys of the tasks that references in *value* name: `{{tasks.KEY...}}`."""
    return {path[1] for path in _paths(value) if path[0] == "tasks" and len(path) > 1}


def result_word(result: str) -> str:
    """A result as `{{tasks.T.result_state}}` writes it."""
    return "success" if result == "SUCCESS_WITH_FAILURES" else result.lower()


def error_code(result: str) -> str:
    """What `{{tasks.T.error_code}}` gives for a task that ended with *result*."""
    return "RUN_EXECUTION_ERROR" if result in ("FAILED", "TIMEDOUT") else ""


def _value(braces: re.Match[str], scope: Scope) -> str:
    try:
        reference, names = _look_up(braces, scope.known)
    except WrongReference as error:
        if error.stays:
            return braces[0]
        raise
    assert reference.gives is not None, "no run here has what it needs"
    value = reference.gives(scope, *names)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _look_up(braces: re.Match[str], known: Known) -> tuple[Reference, list[str]]:
    """The reference in *braces*, and the names in it.

    Raises:
        WrongReference: it has no value, given what is *known*.
    """
    path = _split(braces[1])
    if path is None:
        expected = "names joined by dots; names with other signs than letters, digits and `_` in backticks"
        raise _stays(braces, expected, "Write it as a reference, or as it is.")
    namespace, *_ = path
    if path == [namespace] and namespace in DEPRECATED:
        return DEPRECATED[namespace], []
    if namespace not in REFERENCES:
        hint = next_step(namespace, REFERENCES, "Correct it, if it is meant as a reference.")
        raise _stays(braces, _one_of(REFERENCES), hint)
    if namespace in SOMETIMES and SOMETIMES[namespace] not in known.has:
        raise _missing(braces, SOMETIMES[namespace], stays=True)
    reference, names = _walk(braces, path, known)
    task = known.tasks[names[0]] if namespace == "tasks" else None
    if reference.need is not None and reference.need not in (task or known).has:
        raise _missing(braces, reference.need, of=task.kind if task else "")
    return reference, names


def _walk(braces: re.Match[str], path: Sequence[str], known: Known) -> tuple[Reference, list[str]]:
    """Follow *path* through the table, checking each name in it against what is *known*."""
    node, names = _TREE[path[0]], []
    for number, part in enumerate(path[1:], start=1):
        word = next((step for step in node if step.isupper()), "")
        if word == "FIELDS":
            _check_fields(braces, path, known.inputs)
            return node[word][""], list(path[number:])
        if part in node and part != word:
            node = node[part]
        elif word and _is_known(part, _names(word, path, known)):
            node = node[word]
            names.append(part)
        else:
            raise _no_such(braces, path[:number], _steps(node, path, known))
    if "" not in node:
        raise _no_such(braces, path, _steps(node, path, known))
    return node[""], names


def _names(word: str, path: Sequence[str], known: Known) -> Collection[str] | None:
    """The names that *word* stands for in *path*; None if any name is possible."""
    match word:
        case "TIME":
            return TIMES
        case "PARAMETER":
            return known.parameters
        case "TASK":
            return known.tasks
        case "KEY":
            return known.tasks[path[1]].values
        case "COLUMN":
            return known.tasks[path[1]].columns
    return None


def _is_known(name: str, names: Collection[str] | None) -> bool:
    return names is None or name in names


def _steps(node: Mapping[str, Any], path: Sequence[str], known: Known) -> list[str]:
    """What may follow at *node* of the table; the word itself for names that are only known during the run."""
    found: list[str] = []
    for step in filter(None, node):
        names = _names(step, path, known) if step.isupper() else None
        found += [step] if names is None else names
    return found


def _check_fields(braces: re.Match[str], path: Sequence[str], inputs: Sequence[Any] | None) -> None:
    """Check that each of *inputs* has the fields that follow `input` in *path*."""
    for value in inputs or ():
        for number, name in enumerate(path[1:], start=1):
            fields = value if isinstance(value, Mapping) else {}
            if name not in fields:
                raise _no_such(braces, path[:number], fields)
            value = fields[name]


def _no_such(braces: re.Match[str], before: Sequence[str], names: Collection[str]) -> WrongReference:
    found, legal = f"`{braces[0]}`", _one_of(names, f"{'.'.join(before)}.")
    match before:
        case ["tasks"]:
            action = "Correct the reference, or add the task to depends_on."
            expected = f"a task upstream: {legal}" if legal else "a task upstream, and there is none"
            return WrongReference("reference-task", found, expected, action)
        case ["tasks", _, "values"]:
            action = "Correct the reference, or set the value with dbutils.jobs.taskValues.set."
            expected = f"a value that the task sets: {legal}" if legal else "a value, and the task sets none"
            return WrongReference("reference-value", found, expected, action)
    expected = legal or f"nothing after `{'.'.join(before)}`"
    return WrongReference("reference-member", found, expected, "Correct the reference.")


def _missing(braces: re.Match[str], need: Need, *, of: str = "", stays: bool = False) -> WrongReference:
    found = f"`{braces[0]}`" + (f" of a {of}" if of else "")
    return WrongReference(need.rule, found, need.expected, need.action, stays=stays)


def _stays(braces: re.Match[str], expected: str, action: str) -> WrongReference:
    return WrongReference("reference-literal", f"`{braces[0]}`, which stays as text", expected, action, stays=True)


def _one_of(names: Collection[str], prefix: str = "") -> str:
    return f"one of {', '.join(f'`{prefix}{name}`' for name in names)}" if names else ""


def _all_braces(value: Any) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        yield from _BRACES.finditer(value)
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _all_braces(each)


def _paths(value: Any) -> Iterator[list[str]]:
    yield from (path for braces in _all_braces(value) if (path := _split(braces[1])))


def _split(text: str) -> list[str] | None:
    """`job.parameters.`a-b`` as its parts; None if the text is malformed."""
    parts, position = [], 0
    while True:
        part = _PART.match(text, position)
        if not part:
            return None
        parts.append(part[part.lastindex or 0])
        position = part.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            return None
        position += 1


def _tree() -> dict[str, Any]:
    """`REFERENCES` as a tree: a mapping for each step of a name, with the reference that ends there under ``""``."""
    tree: dict[str, Any] = {}
    for namespace, members in REFERENCES.items():
        for name, reference in members.items():
            node = tree.setdefault(namespace, {})
            for step in filter(None, name.split(".")):
                node = node.setdefault(step, {})
            node[""] = reference
    return tree


_TREE = _tree()
