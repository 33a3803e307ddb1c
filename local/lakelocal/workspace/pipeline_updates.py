"""Starts, finds and stops the updates of deployed pipelines, which are in the histories of all catalogs.

An update that a client starts runs in the state of the pipeline's catalog; one that a job starts, in that of the job.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.errors import LocalError
from lakelocal.history.records import Records
from lakelocal.history.rows import RecordedEvent, RecordedUpdate
from lakelocal.history.updates import UpdateRecords, Updates
from lakelocal.jobs.cancel import request_cancel
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.update_progress import API_CALL
from lakelocal.pipelines.definitions import INTERNAL
from lakelocal.pipelines.memory import Memory
from lakelocal.project import State
from lakelocal.sql.writing import literal, quoted
from lakelocal.workspace.deployed import read_deployed
from lakelocal.workspace.deployed_pipelines import catalog_of_pipeline, update_run
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.pipeline_store import DeployedPipeline
from lakelocal.workspace.workspace import Workspace

STOP_SECONDS = 60.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class FoundUpdate:
    """An update in the history *records* of *state*, part of the run *run_id* there.

    For clients, the number of a run is its id plus *offset*.
    """

    state: State
    records: Records
    offset: int
    run_id: int
    update: RecordedUpdate

    @property
    def run_number(self) -> int:
        """The number by which clients know its run."""
        return self.offset + self.run_id


def updates_of(workspace: Workspace, pipeline_id: str, *, limit: int = -1) -> list[FoundUpdate]:
    """The updates of a pipeline, the newest first."""
    found = [
        FoundUpdate(state, records, offset, update.job_run_id, update)
        for state, offset, records in _histories(workspace)
        for update in Updates(records).of_pipeline(pipeline_id, limit=limit)
        if update.job_run_id is not None
    ]
    found.sort(key=lambda each: each.update.creation_time, reverse=True)
    return found if limit < 0 else found[:limit]


def events_of(
    workspace: Workspace, pipeline_id: str, where: tuple[str, Sequence[object]], *, ascending: bool, limit: int
) -> list[RecordedEvent]:
    """At most *limit* events of a pipeline that match *where*, in the order of their times."""
    found = [
        Updates(records).events(pipeline_id, where=where, ascending=ascending, limit=limit)
        for _, _, records in _histories(workspace)
    ]
    return list(heapq.merge(*found, key=lambda each: each.time, reverse=not ascending))[:limit]


def start_update(
    workspace: Workspace, deployed: DeployedPipeline, selection: Mapping[str, Any], parameters: Mapping[str, str]
) -> str:
    """Start an update of *deployed*, and return its id; the fields *selection* say what is refreshed.

    Raises:
        ApiError: another update is active, or the pipeline cannot run here.
    """
    with workspace.starting_update:
        return _start_update(workspace, deployed, selection, parameters)


def _start_update(
    workspace: Workspace, deployed: DeployedPipeline, selection: Mapping[str, Any], parameters: Mapping[str, str]
) -> str:
    active = active_update(workspace, deployed.pipeline_id)
    if active is not None:
        text = f"An active update {active.update.update_id} already exists for pipeline '{deployed.pipeline_id}'."
        raise ApiError("RESOURCE_CONFLICT", text)
    run = update_run(deployed, {**selection, "parameters": dict(parameters)})
    found = read_deployed(run, workspace.jobs, workspace.places.tree)
    (pipeline,) = found.bundle.pipelines.values()
    if pipeline.fault is not None:
        raise wrong_value(str(pipeline.fault))
    values = dict(found.job.parameters)
    try:
        check_run(found.bundle, found.job, parameters=values)
    except LocalError as error:
        raise wrong_value(" ".join(str(error).splitlines())) from error
    made: list[str] = []

    def also(records: Records, run_id: int) -> None:
        update_id = UpdateRecords(records).create(
            pipeline_id=deployed.pipeline_id,
            pipeline_name=deployed.name,
            job_run_id=run_id,
            cause=API_CALL,
            selection=selection,
            parameters=values,
        )
        made.append(update_id)

    state = workspace.project.state(catalog_of_pipeline(deployed))
    workspace.starts.start(run, found.job, state, values, target=found.bundle.target, also=also)
    return made[0]


def active_update(workspace: Workspace, pipeline_id: str) -> FoundUpdate | None:
    """The update of a pipeline that is active, if there is one."""
    return _first(workspace, lambda updates: updates.active(pipeline_id))


def found_update(workspace: Workspace, pipeline_id: str, update_id: str) -> FoundUpdate:
    """The update of a pipeline with this id.

    Raises:
        ApiError: there is none.
    """
    found = _first(workspace, lambda updates: updates.find(update_id))
    if found is None or found.update.pipeline_id != pipeline_id:
        raise not_there(f"The specified update {update_id[:80]} was not found.")
    return found


def stop_update(workspace: Workspace, pipeline_id: str) -> None:
    """Ask the active update of a pipeline, if any, to end; if a job started it, the job continues after that task."""
    if found := active_update(workspace, pipeline_id):
        if found.update.attempt_id is None:
            request_cancel(found.records, found.run_id)
        else:
            UpdateRecords(found.records).request_cancel(found.update.update_id)


def wait_until_idle(workspace: Workspace, pipeline_id: str) -> None:
    """Wait until no update of a pipeline is active.

    Raises:
        ApiError: it takes longer than a minute.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while found := active_update(workspace, pipeline_id):
        if time.monotonic() > deadline:
            raise ApiError("INVALID_STATE", f"Update {found.update.update_id} is still active; stop it first.")
        time.sleep(_POLL_SECONDS)


def forget_pipeline(workspace: Workspace, deployed: DeployedPipeline, *, tables: bool) -> None:
    """Remove what is stored about a deleted pipeline; with *tables*, drop its datasets, too.

    Raises:
        LocalError: Spark cannot drop them.
    """
    for state, _, _ in _histories(workspace):
        if not (state.pipelines / deployed.pipeline_id / "memory.json").is_file():
            continue
        memory = Memory.open(state.pipelines, deployed.pipeline_id)
        if tables and memory.tables:
            _drop(workspace, state, memory)
        memory.forget()


def _drop(workspace: Workspace, state: State, memory: Memory) -> None:
    from lakelocal.queries import execute

    with workspace.sessions.own(state) as session:
        for name in memory.tables:
            if name.count(".") == 2:
                execute(session, f"DROP TABLE IF EXISTS {'.'.join(map(quoted, name.split('.')))}")
        own = literal(f"*_{memory.id[:8]}*")
        schemas = execute(session, f"SHOW SCHEMAS LIKE {literal(INTERNAL)}").to_pylist()
        tables = execute(session, f"SHOW TABLES IN {INTERNAL} LIKE {own}").to_pylist() if schemas else []
        for row in tables:
            execute(session, f"DROP TABLE IF EXISTS {INTERNAL}.{quoted(row['tableName'])}")


def _first(workspace: Workspace, wanted: Callable[[Updates], RecordedUpdate | None]) -> FoundUpdate | None:
    """The first update that *wanted* finds in the history of a catalog."""
    for state, offset, records in _histories(workspace):
        if (update := wanted(Updates(records))) and update.job_run_id is not None:
            return FoundUpdate(state, records, offset, update.job_run_id, update)
    return None


def _histories(workspace: Workspace) -> Iterator[tuple[State, int, Records]]:
    return ((state, offset, workspace.numbers.history(state)) for state, offset in workspace.numbers.states())
