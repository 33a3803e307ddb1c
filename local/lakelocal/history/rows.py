"""Rows of the history as dataclasses. Times are epoch milliseconds."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, TypeVar

from lakelocal.lakeflow.update_progress import Event

_R = TypeVar("_R", bound="Row")


class Row:
    """What all rows have in common."""

    _json: ClassVar[frozenset[str]] = frozenset()  # the columns that contain JSON

    @classmethod
    def of(cls: type[_R], row: sqlite3.Row) -> _R:
        """The value of *row*; a column that an older file lacks has its default."""
        columns = _columns(cls, tuple(row.keys()))  # type: ignore[arg-type]  # a class has a hash
        given = {
            name: json.loads(value) if is_json and value is not None else value
            for (name, is_json), value in zip(columns, row, strict=True)
            if name
        }
        return cls(**given)


class Recorded(Row):
    """What a run, an attempt and a phase have in common."""

    life_cycle_state: str
    result_state: str | None
    state_message: str
    end_time: int | None

    @property
    def state(self) -> str:
        """The result; if it has not ended, or never ran, the life cycle state."""
        return self.result_state or self.life_cycle_state


@cache
def _columns(kind: type[Row], names: tuple[str, ...]) -> Sequence[tuple[str, bool]]:
    """The field of each column, and whether it has JSON; a column of a newer version has no field."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # a dataclass each
    return [(name if name in known else "", name in kind._json) for name in names]


@dataclass(frozen=True)
class RecordedRun(Recorded):
    """A run of a job.

    *job_parameters* maps each name to (default, value); *settings* are the job's at that time. *trigger_time* is
    the time that a scheduled run was scheduled for, *trigger_event* what happened that started it, *queued_since*
    when it began to wait for a slot. *only_tasks* is the selection of a partial run. *repair_start* is when the
    last repair began, *repair_tasks* are the tasks that it runs again. *remote* says where Spark ran, if not in the
    state's own server. *before_notebook* is the notebook that the state needed once before the tasks. If it
    *signs_commits*, its commits name it: see `lakelocal.commits`.
    """

    _json: ClassVar[frozenset[str]] = frozenset(
        {"job_parameters", "settings", "only_tasks", "repair_tasks", "health_warnings", "trigger_event"}
    )

    run_id: int
    job_id: int
    job_key: str
    run_name: str
    target: str
    trigger: str
    life_cycle_state: str
    start_time: int
    pid: int
    pid_started: float
    parent_run_id: int | None = None
    result_state: str | None = None
    state_message: str = ""
    end_time: int | None = None
    job_parameters: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    trigger_time: int | None = None
    trigger_event: Mapping[str, Any] | None = None
    queued_since: int | None = None
    queue_duration: int | None = None
    cancel_requested: int = 0
    only_tasks: Sequence[str] | None = None
    repair_count: int = 0
    repair_start: int | None = None
    repair_tasks: Sequence[str] | None = None
    health_warnings: Sequence[Any] = ()
    remote: str | None = None
    before_notebook: str | None = None
    signs_commits: int = 0

    @property
    def phase_start(self) -> int:
        """When the run, or its last repair, began."""
        return self.start_time if self.repair_start is None else self.repair_start


@dataclass(frozen=True)
class RecordedAttempt(Recorded):
    """An attempt of a task, or a task that ended without running.

    *job_run_id* is its run. *kind* is the task type, *details* what the entry of `tasks` shows below it. *iteration* is
    set for an iteration of a for-each task: `{"for_each_task_key", "index", "input"}`. *repair* is 0 in the original
    run, 1 in its first repair.
    """

    _json: ClassVar[frozenset[str]] = frozenset({"depends_on", "parameters", "details", "iteration", "health_warnings"})

    run_id: int
    job_run_id: int
    task_key: str
    attempt_number: int
    kind: str
    depends_on: Sequence[Mapping[str, Any]]
    run_if: str
    life_cycle_state: str
    start_time: int
    result_state: str | None = None
    state_message: str = ""
    end_time: int | None = None
    notebook_path: str | None = None
    parameters: Any = field(default_factory=dict)
    output_notebook: str | None = None
    notebook_result: str | None = None
    error: str | None = None
    error_trace: str | None = None
    child_run_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    iteration: Mapping[str, Any] | None = None
    repair: int = 0
    health_warnings: Sequence[Any] = ()


@dataclass(frozen=True)
class RecordedPhase(Recorded):
    """How a run had ended before it was repaired; *number* 0 is the original run."""

    run_id: int
    number: int
    start_time: int
    end_time: int
    life_cycle_state: str
    state_message: str
    result_state: str | None = None


@dataclass(frozen=True)
class RecordedUpdate(Row):
    """An update of the pipeline *pipeline_id*: what the attempt *attempt_id* of the run *job_run_id* does.

    *attempt_id* is None until it begins. A standalone table is updated by a statement: both are None. *state* is an
    `UpdateInfoState`, *cause* an `UpdateInfoCause`. *selection* are the fields of `StartUpdate` that say what is
    refreshed.
    """

    _json: ClassVar[frozenset[str]] = frozenset({"selection", "parameters"})

    update_id: str
    pipeline_id: str
    pipeline_name: str
    cause: str
    state: str
    creation_time: int
    job_run_id: int | None = None
    attempt_id: int | None = None
    end_time: int | None = None
    selection: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    cancel_requested: int = 0


@dataclass(frozen=True)
class RecordedEvent(Row):
    """An event of an update; *number* and *time* grow from event to event of a pipeline."""

    _json: ClassVar[frozenset[str]] = frozenset({"details"})

    number: int
    id: str
    update_id: str
    pipeline_id: str
    job_run_id: int | None
    time: int
    event_type: str
    level: str
    message: str
    flow_name: str
    dataset_name: str
    details: Mapping[str, Any]
    error: str

    @property
    def event(self) -> Event:
        """What it tells."""
        return Event(
            self.event_type,
            self.message,
            self.details,
            self.level,
            self.flow_name,
            self.dataset_name,
            self.error,
            self.time,
        )
