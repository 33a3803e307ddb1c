"""What the runner writes to the history. Ids come from two counters, of runs and of attempts, and are never reused.

A file of an older version is upgraded when it is opened. A run whose runner is gone is ended when the next run begins.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakelocal.history import reserve, tables
from lakelocal.history.reading import ABANDONED, History, is_abandoned, last_sign
from lakelocal.history.rows import RecordedRun
from lakelocal.processes import started_at
from lakelocal.project import State


def now_ms() -> int:
    """The current time, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Records(History):
    """Reads and writes the history in the file *place*, created if absent; every call is a transaction of its own."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        reserve.keep(place.parent)
        with self.opened() as database:
            tables.prepare(database)

    @classmethod
    def of(cls, state: State) -> "Records":
        """The history of *state*."""
        state.make()
        return cls(state.runs_db)

    def new_id(self) -> int:
        """Reserve the next id of a run and return it."""
        with self.opened() as database:
            return _next(database, "ids")

    def start_attempt(self, **values: object) -> int:
        """Record a new attempt, RUNNING from now unless *values* say otherwise, and return its id."""
        times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
        with self.opened() as database:
            run_id = _next(database, "attempt_ids")
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

    def close_abandoned(self) -> list[int]:
        """End the runs whose runner is gone, with their attempts, and return the ids of these runs."""
        closed = []
        with self.opened() as database:
            for row in database.execute("SELECT * FROM runs WHERE end_time IS NULL").fetchall():
                run = RecordedRun.of(row)
                if not is_abandoned(run):
                    continue
                closed.append(run.run_id)
                columns = {**ABANDONED, "end_time": last_sign(database, run)}
                changes = ", ".join(f"{name} = ?" for name in columns)
                for table, key in (("runs", "run_id"), ("attempts", "job_run_id")):
                    database.execute(
                        f"UPDATE {table} SET {changes} WHERE {key} = ? AND end_time IS NULL",
                        (*columns.values(), run.run_id),
                    )
        return closed

    @contextmanager
    def opened(self, *, exclusive: bool = False) -> Iterator[sqlite3.Connection]:
        """The database for one transaction; if *exclusive*, no other process writes between its reads and its writes.

        Raises:
            RunError: the file cannot be read or written.
        """
        reserve.use_if_full(self.place.parent)
        with self._used(self.place.resolve().as_uri()) as database, database:
            database.execute("PRAGMA synchronous=NORMAL")  # what is written survives the end of this process
            if exclusive:
                database.execute("BEGIN IMMEDIATE")
            yield database


def this_process() -> dict[str, Any]:
    """The columns that identify this process as the runner: a pid alone may have been reused."""
    return {"pid": os.getpid(), "pid_started": started_at(os.getpid()) or 0.0}


def _next(database: sqlite3.Connection, counter: str) -> int:
    return int(database.execute(f"INSERT INTO {counter} DEFAULT VALUES").lastrowid or 0)


def insert(database: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Add a row; lists and mappings are stored as JSON."""
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
