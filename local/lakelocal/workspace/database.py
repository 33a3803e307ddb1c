"""The database of the workspace, an SQLite file: every call is a transaction, which is on the disk when it returns."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lakelocal.errors import RunError

BUSY_SECONDS = 30


class Database:
    """The database in the file *place*, created if absent, with the tables of *schema*."""

    def __init__(self, place: Path, schema: str) -> None:
        self.place = place
        with self.reading() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(schema)
        # Closing the last connection writes everything to the disk: this one stays open while others come and go.
        self._kept = sqlite3.connect(place, check_same_thread=False)
        self._kept.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading.

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
        """A connection for one transaction; no other process writes between its reads and its writes."""
        with self.reading() as database:
            database.execute("PRAGMA synchronous=FULL")
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")


def as_json(value: Mapping[str, Any]) -> str:
    """*value* as it is stored."""
    return json.dumps(value, ensure_ascii=False)


def name_of(settings: Mapping[str, Any]) -> str:
    """The name of a job or a pipeline with these *settings*; `Untitled` if it has none, as the API names it."""
    return str(settings.get("name") or "Untitled")
