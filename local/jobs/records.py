"""The history of runs: SQLite in the state folder, safe with several processes.

Two tables: `runs`, one row a run of a job; `attempts`, one row an attempt of a task (also a task that ended without
running). Ids are given by one counter, so they grow and never repeat. Times are epoch milliseconds.

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

from local.errors import RunError
from local.processes import started_at
from local.project import State

BUSY_SECONDS = 30
RUNNER_GONE = "The process that ran it ended before the run did."
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ids (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE IF NOT EXISTS runs (
    run_id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, job_key TEXT NOT NULL, run_name TEXT NOT NULL,
    target TEXT NOT NULL, trigger TEXT NOT NULL, parent_run_id INTEGER, life_cycle_state TEXT NOT NULL,
    result_state TEXT, state_message TEXT NOT NULL DEFAULT '', start_time INTEGER NOT NULL, end_time INTEGER,
    job_parameters TEXT NOT NULL DEFAULT '{}', settings TEXT NOT NULL DEFAULT '{}',
    pid INTEGER NOT NULL, pid_started REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (
    run_id INTEGER PRIMARY KEY, job_run_id INTEGER NOT NULL REFERENCES runs, task_key TEXT NOT NULL,
    attempt_number INTEGER NOT NULL, kind TEXT NOT NULL, depends_on TEXT NOT NULL, run_if TEXT NOT NULL,
    life_cycle_state TEXT NOT NULL, result_state TEXT, state_message TEXT NOT NULL DEFAULT '',
    start_time INTEGER NOT NULL, end_time INTEGER, notebook_path TEXT, parameters TEXT NOT NULL DEFAULT '{}',
    output_notebook TEXT, notebook_result TEXT, error TEXT, error_trace TEXT, child_run_id INTEGER
);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (job_run_id, run_id);
"""


def now_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Records:
    """Reads and writes the history in the file *place*; every call is a transaction of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)

    @classmethod
    def of(cls, state: State) -> "Records":
        """The history of *state*, created if absent."""
        state.make()
        return cls(state.runs_db)

    def new_id(self) -> int:
        """The next id."""
        with self._open() as database:
            return int(database.execute("INSERT INTO ids DEFAULT VALUES").lastrowid or 0)

    def start_run(self, **values: Any) -> int:
        """Record a new run of this process, RUNNING from now; its id."""
        run_id = self.new_id()
        own = {"pid": os.getpid(), "pid_started": started_at(os.getpid()) or 0.0}
        times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
        self._insert("runs", {"run_id": run_id, **times, **own, **values})
        return run_id

    def start_attempt(self, **values: Any) -> int:
        """Record a new attempt, RUNNING from now unless *values* say otherwise; its id."""
        run_id = self.new_id()
        times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
        self._insert("attempts", {"run_id": run_id, **times, **values})
        return run_id

    def update_run(self, run_id: int, **values: Any) -> None:
        """Set columns of a run."""
        self._update("runs", run_id, values)

    def update_attempt(self, run_id: int, **values: Any) -> None:
        """Set columns of an attempt."""
        self._update("attempts", run_id, values)

    def run(self, run_id: int) -> dict[str, Any]:
        """The row of a run.

        Raises:
            RunError: there is none with this id.
        """
        self.close_abandoned()
        with self._open() as database:
            row = database.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"`{self.place}`: found no run {run_id}. See `python -m local runs list`.")
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
        with self._open() as database:
            return [dict(row) for row in database.execute(query, (limit,))]

    def attempts(self, run_id: int) -> list[dict[str, Any]]:
        """The attempts of a run, in the order in which they began."""
        with self._open() as database:
            rows = database.execute("SELECT * FROM attempts WHERE job_run_id = ? ORDER BY run_id", (run_id,))
            return [dict(row) for row in rows]

    def close_abandoned(self) -> None:
        """End the runs whose runner is gone, with their attempts."""
        with self._open() as database:
            rows = database.execute("SELECT run_id, pid, pid_started FROM runs WHERE end_time IS NULL").fetchall()
            for row in rows:
                started = started_at(row["pid"])
                if started is not None and abs(started - row["pid_started"]) < 1:
                    continue
                values = ("INTERNAL_ERROR", "FAILED", RUNNER_GONE, now_ms(), row["run_id"])
                for table, key in (("runs", "run_id"), ("attempts", "job_run_id")):
                    database.execute(
                        f"UPDATE {table} SET life_cycle_state = ?, result_state = ?, state_message = ?, end_time = ? "
                        f"WHERE {key} = ? AND end_time IS NULL",
                        values,
                    )

    def _insert(self, table: str, values: Mapping[str, Any]) -> None:
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        with self._open() as database:
            database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [_cell(v) for v in values.values()])

    def _update(self, table: str, run_id: int, values: Mapping[str, Any]) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        with self._open() as database:
            cells = [*(_cell(value) for value in values.values()), run_id]
            database.execute(f"UPDATE {table} SET {changes} WHERE run_id = ?", cells)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.place, timeout=BUSY_SECONDS)) as database, database:
                database.row_factory = sqlite3.Row
                yield database
        except sqlite3.Error as error:
            raise RunError(
                f"`{self.place}`: the run history cannot be used ({error}). Free the place or move the file away."
            ) from error


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else value
