"""Reading the history, without changing anything.

A run whose runner is gone (its pid does not run, or belongs to another process by now) is shown as failed at the time
when something was last recorded of it; the next command that runs something records that.
"""

import sqlite3
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.errors import RunError, UnknownRunError, UsageError
from lakelocal.history import reserve
from lakelocal.history.filters import RunFilter
from lakelocal.history.rows import RecordedAttempt, RecordedPhase, RecordedRun
from lakelocal.lakeflow.results import meaning
from lakelocal.processes import still_runs
from lakelocal.program import PROGRAM
from lakelocal.project import State

BUSY_SECONDS = 30
MOST_IDLE = 8  # connections that are kept; each holds up to 2 MB of the file
LATEST = "latest"
_LOOKED_AT = 50
_BEGAN_LAST = "start_time DESC, run_id DESC"
ALL_RUNS = RunFilter()
RUNNER_GONE = "The process that ran it ended before the run did."
ABANDONED: Mapping[str, Any] = {
    "life_cycle_state": "INTERNAL_ERROR",
    "result_state": "FAILED",
    "state_message": RUNNER_GONE,
}


class History:
    """The history in the file *place*, which need not exist."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._idle: deque[sqlite3.Connection] | None = None

    @classmethod
    def of(cls, state: State) -> "History":
        """The history of *state*."""
        return cls(state.runs_db)

    def run(self, run_id: int) -> RecordedRun:
        """The run *run_id*.

        Raises:
            RunError: there is no run with this id.
        """
        found = self._runs("run_id = ?", run_id)
        if not found:
            raise UnknownRunError(f"`{self.place}`: found no run {run_id}. See `{PROGRAM} runs list`.")
        return found[0]

    def runs(
        self, *, limit: int | None = 20, active_only: bool = False, job_id: int | None = None
    ) -> list[RecordedRun]:
        """The newest runs first; all of them without a *limit*."""
        conditions = ["end_time IS NULL"] if active_only else ["1"]
        values = []
        if job_id is not None:
            conditions.append("job_id = ?")
            values.append(job_id)
        found = self._runs(" AND ".join(conditions), *values, limit=None if active_only else limit)
        return [run for run in found if not active_only or run.end_time is None][:limit]

    def newest(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int, before: tuple[int, int] | None = None
    ) -> list[RecordedRun]:
        """At most *limit* of the *wanted* runs, those that began last first.

        *before* is a time of start and an id: begin after the run that has them.
        """
        condition, values = wanted.condition(before)
        found = self._runs(condition, *values, limit=limit, order=_BEGAN_LAST)
        return [run for run in found if not wanted.active or run.end_time is None]

    def newest_keys(
        self, wanted: RunFilter, *, limit: int, before: tuple[int, int] | None = None
    ) -> list[tuple[int, int]]:
        """The times of start and the ids of these runs: many of them cost little."""
        condition, values = wanted.condition(before)
        query = f"SELECT start_time, run_id FROM runs WHERE {condition} ORDER BY {_BEGAN_LAST} LIMIT ?"
        with self.reading() as database:
            return [(row[0], row[1]) for row in _rows(database, query, *values, limit)]

    def runs_with(self, run_ids: Collection[int]) -> dict[int, RecordedRun]:
        """The runs with these ids, as far as there are any."""
        marks = ", ".join("?" for _ in run_ids)
        return {run.run_id: run for run in self._runs(f"run_id IN ({marks})", *run_ids)}

    def job_names(self) -> dict[int, str]:
        """The jobs that have runs: id and the name that the newest run had."""
        with self.reading() as database:
            rows = _rows(database, "SELECT job_id, run_name, max(run_id) FROM runs GROUP BY job_id")
        return {row["job_id"]: row["run_name"] for row in rows}

    def runs_above(self, run: RecordedRun) -> list[RecordedRun]:
        """The run that started *run*, the one that started that, and so on: the outermost first."""
        if run.parent_run_id is None:
            return []
        parent = self.run(run.parent_run_id)
        return [*self.runs_above(parent), parent]

    def run_named(self, name: str) -> RecordedRun:
        """The run that the user calls *name*: its number, or `latest`.

        `latest` is the newest run of a job that a person or a schedule started: not a child run, nor set-up.

        Raises:
            UnknownRunError: there is no such run.
            UsageError: *name* is neither.
        """
        if name.isascii() and name.isdecimal():
            return self.run(int(name))
        if name != LATEST:
            raise UsageError(f"found `{name}`; expected the number of a run or `{LATEST}`. See `{PROGRAM} runs list`.")
        newest = next((run for run in self.runs(limit=None) if run.parent_run_id is None), None)
        if newest is None:
            raise UnknownRunError(f"`{self.place}` has no run yet. Run a job first: `{PROGRAM} run JOB`.")
        return newest

    def seconds_taken(self, job_id: int) -> list[float]:
        """How long the newest successful runs of a job took, at most fifty, without their time in the queue."""
        return [
            (run.end_time - self.counted_from(run) - (run.queue_duration or 0)) / 1000
            for run in self.runs(limit=_LOOKED_AT, job_id=job_id)
            if run.end_time is not None and meaning(run.result_state).succeeded
        ]

    def has_run(self, run_id: int) -> bool:
        """Is there a run with this id?"""
        with self.reading() as database:
            return bool(_rows(database, "SELECT 1 FROM runs WHERE run_id = ?", run_id))

    def run_of_attempt(self, attempt_id: int) -> int | None:
        """The run that the attempt *attempt_id* belongs to; None if there is no such attempt."""
        with self.reading() as database:
            rows = _rows(database, "SELECT job_run_id FROM attempts WHERE run_id = ?", attempt_id)
        return int(rows[0]["job_run_id"]) if rows else None

    def family(self, run_id: int) -> frozenset[int]:
        """The ids of the run and of all runs below it."""
        query = """
            WITH RECURSIVE family(id) AS
              (SELECT ? UNION SELECT run_id FROM runs JOIN family ON runs.parent_run_id = family.id)
            SELECT id FROM family"""
        with self.reading() as database:
            return frozenset(row["id"] for row in _rows(database, query, run_id))

    def attempts(self, run_id: int) -> list[RecordedAttempt]:
        """The attempts of a run, in the order in which they began."""
        with self.reading() as database:
            rows = _rows(database, "SELECT * FROM attempts WHERE job_run_id = ? ORDER BY run_id", run_id)
        found = [RecordedAttempt.of(row) for row in rows]
        if all(attempt.end_time is not None for attempt in found):
            return found
        run = self.run(run_id)
        if run.end_time is None:
            return found
        gone = {**ABANDONED, "end_time": run.end_time}
        return [replace(attempt, **gone) if attempt.end_time is None else attempt for attempt in found]

    def phases(self, run_id: int) -> list[RecordedPhase]:
        """How the run had ended each time before it was repaired, oldest first."""
        with self.reading() as database:
            rows = _rows(database, "SELECT * FROM phases WHERE run_id = ? ORDER BY number", run_id)
        return [RecordedPhase.of(row) for row in rows]

    def counted_from(self, run: RecordedRun) -> int:
        """The time (epoch ms) from which the duration of *run* counts: its start, later if it was repaired.

        The time between its end and a repair is no part of its duration.
        """
        if not run.repair_count:
            return run.start_time
        return run.phase_start - sum(phase.end_time - phase.start_time for phase in self.phases(run.run_id))

    def cancel_requested(self, run_id: int) -> bool:
        """Has someone requested that the run be cancelled?"""
        with self.reading() as database:
            rows = _rows(database, "SELECT cancel_requested FROM runs WHERE run_id = ?", run_id)
        return any(row["cancel_requested"] for row in rows)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """The database, opened read-only; None if there is no file, or none that its first run has finished making.

        Raises:
            RunError: the file cannot be read.
        """
        if self._idle is not None:
            with self._told(), self._borrowed() as database:
                yield database
            return
        if not self.place.is_file():
            yield None
            return
        with self._used(f"{self.place.resolve().as_uri()}?mode=ro") as database:
            made = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'phases'").fetchone()
            yield database if made else None

    def stay_open(self) -> None:
        """Use connections again from now on, for a program that reads all the time and ends before the file goes.

        It also saves the writes of other processes, since the last connection that closes writes all to the disk.
        """
        if self._idle is None and self.place.is_file():
            self._idle = deque([self._connected()])

    def _connected(self) -> sqlite3.Connection:
        uri = f"{self.place.resolve().as_uri()}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        database.row_factory = sqlite3.Row
        return database

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        assert self._idle is not None
        try:
            database = self._idle.pop()
        except IndexError:  # other threads have all of them
            database = self._connected()
        try:
            yield database
        except BaseException:
            database.close()
            raise
        if len(self._idle) < MOST_IDLE:
            self._idle.append(database)
        else:
            database.close()

    @contextmanager
    def _used(self, uri: str) -> Iterator[sqlite3.Connection]:
        with self._told(), closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as database:
            database.row_factory = sqlite3.Row
            yield database

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RunError(f"`{self.place}`: the run history cannot be used ({error}). {self._remedy()}") from error

    def _remedy(self) -> str:
        if reserve.is_full(self.place.parent):
            return "The disk is full, no space is left for it: free some, for example in the folders `logs` and `tmp`."
        return "Close the program that holds it open, or move the file away."

    def _runs(
        self, condition: str, *values: Any, limit: int | None = None, order: str = "run_id DESC"
    ) -> list[RecordedRun]:
        query = f"SELECT * FROM runs WHERE {condition} ORDER BY {order} LIMIT ?"
        with self.reading() as database:
            rows = _rows(database, query, *values, -1 if limit is None else limit)
            found = [RecordedRun.of(row) for row in rows]
            return [
                replace(run, **ABANDONED, end_time=last_sign(database, run)) if database and is_abandoned(run) else run
                for run in found
            ]


def is_abandoned(run: RecordedRun) -> bool:
    """Is *run* still open although its runner is gone?"""
    return run.end_time is None and not still_runs(run.pid, run.pid_started)


def last_sign(database: sqlite3.Connection, run: RecordedRun) -> int:
    """When something was last recorded of *run*, in epoch milliseconds."""
    query = "SELECT max(coalesce(end_time, start_time)) FROM attempts WHERE job_run_id = ?"
    (of_attempts,) = database.execute(query, (run.run_id,)).fetchone()
    return max(run.phase_start, of_attempts or 0)


def _rows(database: sqlite3.Connection | None, query: str, *values: Any) -> list[sqlite3.Row]:
    return [] if database is None else database.execute(query, values).fetchall()
