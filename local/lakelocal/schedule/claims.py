"""Which firings have been claimed: a SQLite file beside the run history, so that two schedulers never fire a job twice.

There is one row per firing: the id of the job, the slot of its trigger (see `triggers`), and the process that claimed
it: first the scheduler, then the run that it started.

The file uses SQLite's default journal: two processes that switch a new file to WAL at the same time get "database is
locked" regardless of their timeout, and transactions of one row would gain nothing from it.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lakelocal.errors import RunError
from lakelocal.processes import started_at, still_runs
from lakelocal.project import State

BUSY_SECONDS = 30
NO_PROCESS = 0  # the process of a firing without a run, or whose run is known elsewhere
KEPT_SECONDS = 366 * 24 * 3600  # longer than the longest interval that makes sense
_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    job_id INTEGER NOT NULL, slot INTEGER NOT NULL, pid INTEGER NOT NULL, pid_started REAL NOT NULL,
    claimed_at REAL NOT NULL, PRIMARY KEY (job_id, slot)
) WITHOUT ROWID
"""


class Claims:
    """The claims in the file *place*; every call is a transaction of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        with self._open() as database:
            database.execute(_SCHEMA)
            database.execute("DELETE FROM claims WHERE claimed_at < ?", (time.time() - KEPT_SECONDS,))

    @classmethod
    def of(cls, state: State) -> "Claims":
        """The claims of *state*, created if absent."""
        state.make()
        return cls(state.folder / "schedule.db")

    def take(self, job_id: int, slot: int, *, alone: bool = False) -> bool:
        """Claim a firing; return whether that succeeded. With *alone*, no earlier run of the job may be alive."""
        with self._open() as database:
            if alone and self._alive(database, job_id):
                return False
            own = os.getpid()
            inserted = database.execute(
                "INSERT OR IGNORE INTO claims VALUES (?, ?, ?, ?, ?)",
                (job_id, slot, own, started_at(own) or 0.0, time.time()),
            )
            return inserted.rowcount == 1

    def started(self, job_id: int, slot: int, pid: int) -> None:
        """Record that the run of a claimed firing is process *pid*, or that it has `NO_PROCESS`."""
        with self._open() as database:
            database.execute(
                "UPDATE claims SET pid = ?, pid_started = ? WHERE job_id = ? AND slot = ?",
                (pid, started_at(pid) or 0.0, job_id, slot),
            )

    @staticmethod
    def _alive(database: sqlite3.Connection, job_id: int) -> bool:
        rows = database.execute("SELECT pid, pid_started FROM claims WHERE job_id = ?", (job_id,))
        return any(still_runs(pid, began) for pid, began in rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.place, timeout=BUSY_SECONDS, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise RunError(
                f"`{self.place}`: the claims of schedulers cannot be used ({error}). "
                "Close the program that holds it open, or move the file away."
            ) from error
