"""Updates of pipelines in the history, and their events.

An update is the work of one attempt of a pipeline task. It may be recorded before its attempt begins: a client that
starts one receives its id. Everything that shows an update computes it from these events: see
`lakeflow.update_progress`.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from lakelocal.history.reading import History
from lakelocal.history.records import Records, insert, now_ms
from lakelocal.history.rows import RecordedEvent, RecordedUpdate
from lakelocal.lakeflow.update_progress import (
    CREATED,
    UPDATE_ENDS,
    Event,
    Progress,
    created_event,
    unsuccessful_end,
)


class Updates:
    """The updates in *history*."""

    def __init__(self, history: History) -> None:
        self.history = history

    def find(self, update_id: str) -> RecordedUpdate | None:
        """The update with this id, if there is one."""
        return next(iter(self._updates("update_id = ?", update_id)), None)

    def of_run(self, job_run_id: int) -> dict[int, RecordedUpdate]:
        """The updates of a run, by the ids of the attempts that do them."""
        found = self._updates("job_run_id = ? AND attempt_id IS NOT NULL", job_run_id)
        return {each.attempt_id: each for each in found if each.attempt_id is not None}

    def of_pipeline(self, pipeline_id: str, *, limit: int = -1) -> list[RecordedUpdate]:
        """The updates of a pipeline, the newest first."""
        return self._updates("pipeline_id = ?", pipeline_id, limit=limit)

    def pipelines(self) -> list[str]:
        """The ids of the pipelines that have been updated, sorted."""
        rows = self._rows("SELECT DISTINCT pipeline_id FROM updates ORDER BY pipeline_id")
        return [row["pipeline_id"] for row in rows]

    def active(self, pipeline_id: str) -> RecordedUpdate | None:
        """The newest update of a pipeline that has not ended."""
        found = self._updates("pipeline_id = ? AND end_time IS NULL", pipeline_id)
        return next((each for each in found if each.end_time is None), None)

    def cancel_requested(self, update_id: str) -> bool:
        """Has someone asked an update to end?"""
        rows = self._rows("SELECT cancel_requested FROM updates WHERE update_id = ?", update_id)
        return any(row["cancel_requested"] for row in rows)

    def events_of(self, update_id: str) -> list[Event]:
        """The events of an update."""
        rows = self._rows("SELECT * FROM events WHERE update_id = ? ORDER BY number", update_id)
        return [RecordedEvent.of(row).event for row in rows]

    def progress(self, update_id: str) -> Progress:
        """The progress of an update."""
        return Progress.after(self.events_of(update_id))

    def events(
        self,
        pipeline_id: str,
        *,
        where: tuple[str, Sequence[object]] = ("1", ()),
        ascending: bool = True,
        limit: int = -1,
    ) -> list[RecordedEvent]:
        """The events of all updates of a pipeline, in the order of their times; *where*: a condition and its values."""
        order = "ASC" if ascending else "DESC"
        query = f"SELECT * FROM events WHERE pipeline_id = ? AND ({where[0]}) ORDER BY time {order} LIMIT ?"
        return [RecordedEvent.of(row) for row in self._rows(query, pipeline_id, *where[1], limit)]

    def _updates(self, condition: str, *values: object, limit: int = -1) -> list[RecordedUpdate]:
        query = f"SELECT * FROM updates WHERE {condition} ORDER BY creation_time DESC, rowid DESC LIMIT ?"
        return [self._as_it_is(RecordedUpdate.of(row)) for row in self._rows(query, *values, limit)]

    def _as_it_is(self, update: RecordedUpdate) -> RecordedUpdate:
        """*update*, marked as ended if its run has ended: the process that would have recorded it may be gone."""
        if update.end_time is not None or update.job_run_id is None:
            return update
        run = self.history.run(update.job_run_id)
        if run.end_time is None:
            return update
        return replace(update, state=unsuccessful_end(run.state), end_time=run.end_time)

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self.history.reading() as database:
            if database is None:
                return []
            with closing(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'")) as made:
                if made.fetchone() is None:  # a file of an older version that has not been written since
                    return []
            return database.execute(query, values).fetchall()


class UpdateRecords(Updates):
    """Adds to the updates in *records*."""

    def __init__(self, records: Records) -> None:
        super().__init__(records)
        self.records = records

    def create(
        self,
        *,
        pipeline_id: str,
        pipeline_name: str,
        job_run_id: int | None,
        cause: str,
        selection: Mapping[str, Any],
        parameters: Mapping[str, str],
        attempt_id: int | None = None,
    ) -> str:
        """Record a new update, and return its id."""
        update_id = str(uuid4())
        values = {
            "update_id": update_id,
            "pipeline_id": pipeline_id,
            "pipeline_name": pipeline_name,
            "job_run_id": job_run_id,
            "attempt_id": attempt_id,
            "cause": cause,
            "state": CREATED,
            "creation_time": now_ms(),
            "selection": dict(selection),
            "parameters": dict(parameters),
        }
        with self.records.opened() as database:
            insert(database, "updates", values)
        self.add(update_id, [created_event(update_id, cause, selection)])
        return update_id

    def begin(self, job_run_id: int, pipeline_id: str, attempt_id: int) -> str | None:
        """Give the attempt the update of its run that waits for one, and return its id; None if none is waiting."""
        query = """
            UPDATE updates SET attempt_id = ?
            WHERE job_run_id = ? AND pipeline_id = ? AND attempt_id IS NULL RETURNING update_id"""
        with self.records.opened() as database:
            row = database.execute(query, (attempt_id, job_run_id, pipeline_id)).fetchone()
        return row["update_id"] if row else None

    def add(self, update_id: str, events: Iterable[Event]) -> None:
        """Record *events* of an update, each with a different time: no two events of a pipeline have the same."""
        with self.records.opened(exclusive=True) as database:
            update = database.execute("SELECT * FROM updates WHERE update_id = ?", (update_id,)).fetchone()
            if update is None:
                return  # its run has been deleted
            query = "SELECT coalesce(max(time), 0) FROM events WHERE pipeline_id = ?"
            (last,) = database.execute(query, (update["pipeline_id"],)).fetchone()
            for event in events:
                last = max(event.time, last + 1)
                own = {name: update[name] for name in ("update_id", "pipeline_id", "job_run_id")}
                insert(database, "events", {**event.as_json(), **own, "id": str(uuid4()), "time": last})
                if event.event_type == "update_progress":
                    state = event.details["update_progress"]["state"]
                    end = last if state in UPDATE_ENDS else None
                    changed = "UPDATE updates SET state = ?, end_time = ? WHERE update_id = ?"
                    database.execute(changed, (state, end, update_id))

    def request_cancel(self, update_id: str) -> None:
        """Ask the attempt that does an update to end; its run continues."""
        with self.records.opened() as database:
            database.execute("UPDATE updates SET cancel_requested = 1 WHERE update_id = ?", (update_id,))


def event_shape(event: RecordedEvent, pipeline_name: str) -> dict[str, Any]:
    """*event* in the format of the Pipelines API and the event log. Source: Databricks SDK, `PipelineEvent`."""
    at = datetime.fromtimestamp(event.time / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "id": event.id,
        "sequence": {"control_plane_seq_no": event.number},
        "origin": {
            "pipeline_id": event.pipeline_id,
            "pipeline_name": pipeline_name,
            "update_id": event.update_id,
            "flow_name": event.flow_name or None,
            "dataset_name": event.dataset_name or None,
        },
        "timestamp": at.replace("+00:00", "Z"),
        "message": event.message,
        "level": event.level,
        "maturity_level": "STABLE",
        "error": {"fatal": True, "exceptions": [{"message": event.error}]} if event.error else None,
        "details": event.details,
        "event_type": event.event_type,
    }
