"""The database of the workspace, a file of SQLite: every call is a transaction, on the disk when it returns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lakelocal.errors import RunError

BUSY_SECONDS = 30


class Database:
    """The file *place*, created if absent, with the tables of *schema*."""

    def __init__(self, place: Path, schema: str) -> None:
        self.place = place
        with self.reading() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(schema)
        # The last connection that closes writes all to the disk: this one is held as long as others come and go.
        self._kept = sqlite3.connect(place, check_same_thread=False)
        self._kept.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database, as it is.

        Raises:
            RunError: the file cannot be read or written.
        """
        try:
            with closing(sqlite3.connect(self.place, timeout=BUSY_SECONDS, isolation_level=None)) as database:
                database.row_factory = sqlite3.Row
                yield database
        except sqlite3.Error as error:
            raise RunError(
                f"`{self.place}`: the jobs of the workspace cannot be used ({error}). "
                "Close the program that holds it open, or move the file away."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The database for one transaction; no other process writes between its reads and its writes."""
        with self.reading() as database:
            database.execute("PRAGMA synchronous=FULL")
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
