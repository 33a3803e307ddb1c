"""The history of runs: SQLite in the state folder, safe with several processes.

`runs` has one row a run of a job; `attempts` one row an attempt of a task (also a task that ended without running);
`phases` how a repaired run had ended before. Ids are given by one counter, so they grow and never repeat. Times are
epoch milliseconds. A file of an older version is brought up to this one when it is opened.

A run whose runner is gone (its pid does not run, or is another process by now) is closed on the next read.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lakelocal.errors import RunError
from lakelocal.jobs import history_tables
from lakelocal.processes import started_at, still_runs
from lakelocal.program import PROGRAM
from lakelocal.project import State

BUSY_SECONDS = 30
RUNNER_GONE = "The process that ran it ended before the run did."


def now_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Records:
    """Reads and writes the history in the file *place*; every call is a transaction of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        with self.opened() as database:
            history_tables.prepare(database)

    @classmethod
    def of(cls, state: State) -> "Records":
        """The history of *state*, created if absent."""
        state.make()
        return cls(state.runs_db)

    def new_id(self) -> int:
        """The next id."""
        with self.opened() as database:
            return _new_id(database)

    def start_attempt(self, **values: object) -> int:
        """Record a new attempt, RUNNING from now unless *values* say otherwise; its id."""
        times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
        with self.opened() as database:
            run_id = _new_id(database)
            insert(database, "attempts", {"run_id": run_id, **times, **values})
        return run_id

    def update_run(self, run_id: int, **values: object) -> None:
        """Set columns of a run."""
        with self.opened() as database:
            update(database, "runs", run_id, values)

    def update_attempt(self, run_id: int, **values: object) -> None:
        """Set columns of an attempt."""
        with self.opened() as database:
            update(database, "attempts", run_id, values)

    def run(self, run_id: int) -> dict[str, Any]:
        """The row of a run.

        Raises:
            RunError: there is none with this id.
        """
        self.close_abandoned()
        with self.opened() as database:
            row = database.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"`{self.place}`: found no run {run_id}. See `{PROGRAM} runs list`.")
        return dict(row)

    def runs(self, *, limit: int = 20, active_only: bool = False, job_id: int | None = None) -> list[dict[str, Any]]:
        """The newest runs first."""
        self.close_abandoned()
        conditions = ["1"]
        if active_only:
            conditions.append("end_time IS NULL")
        if job_id is not None:
            conditions.append(f"job_id = {int(job_id)}")
        query = f"SELECT * FROM runs WHERE {' AND '.join(conditions)} ORDER BY run_id DESC LIMIT ?"
        with self.opened() as database:
            return [dict(row) for row in database.execute(query, (limit,))]

    def attempts(self, run_id: int) -> list[dict[str, Any]]:
        """The attempts of a run, in the order in which they began."""
        with self.opened() as database:
            rows = database.execute("SELECT * FROM attempts WHERE job_run_id = ? ORDER BY run_id", (run_id,))
            return [dict(row) for row in rows]

    def phases(self, run_id: int) -> list[dict[str, Any]]:
        """How the run had ended each time before it was repaired, the oldest first."""
        with self.opened() as database:
            rows = database.execute("SELECT * FROM phases WHERE run_id = ? ORDER BY number", (run_id,))
            return [dict(row) for row in rows]

    def cancel_requested(self, run_id: int) -> bool:
        """Has someone asked for the end of the run?"""
        with self.opened() as database:
            row = database.execute("SELECT cancel_requested FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return bool(row and row[0])

    def close_abandoned(self) -> None:
        """End the runs whose runner is gone, with their attempts."""
        with self.opened() as database:
            rows = database.execute("SELECT run_id, pid, pid_started FROM runs WHERE end_time IS NULL").fetchall()
            for row in rows:
                if still_runs(row["pid"], row["pid_started"]):
                    continue
                values = ("INTERNAL_ERROR", "FAILED", RUNNER_GONE, now_ms(), row["run_id"])
                for table, key in (("runs", "run_id"), ("attempts", "job_run_id")):
                    database.execute(
                        f"UPDATE {table} SET life_cycle_state = ?, result_state = ?, state_message = ?, end_time = ? "
                        f"WHERE {key} = ? AND end_time IS NULL",
                        values,
                    )

    @contextmanager
    def opened(self, *, exclusive: bool = False) -> Iterator[sqlite3.Connection]:
        """The database for one transaction; *exclusive*: no other process writes between its reads and its writes.

        Raises:
            RunError: the file cannot be read or written.
        """
        try:
            with closing(sqlite3.connect(self.place, timeout=BUSY_SECONDS)) as database, database:
                database.row_factory = sqlite3.Row
                if exclusive:
                    database.execute("BEGIN IMMEDIATE")
                yield database
        except sqlite3.Error as error:
            raise RunError(
                f"`{self.place}`: the run history cannot be used ({error}). Free the place or move the file away."
            ) from error


def this_process() -> dict[str, Any]:
    """The columns that say who runs a run: a pid alone may be another process by now."""
    return {"pid": os.getpid(), "pid_started": started_at(os.getpid()) or 0.0}


def _new_id(database: sqlite3.Connection) -> int:
    return int(database.execute("INSERT INTO ids DEFAULT VALUES").lastrowid or 0)


def insert(database: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Add a row; lists and mappings are kept as JSON."""
    marks = ", ".join("?" for _ in values)
    cells = [_cell(value) for value in values.values()]
    database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", cells)


def update(database: sqlite3.Connection, table: str, run_id: int, values: Mapping[str, object]) -> None:
    """Set columns of the row *run_id*."""
    changes = ", ".join(f"{name} = ?" for name in values)
    cells = [*(_cell(value) for value in values.values()), run_id]
    database.execute(f"UPDATE {table} SET {changes} WHERE run_id = ?", cells)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else value
