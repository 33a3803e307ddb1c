"""What clients set on objects and expect to read again: comments, permissions, grants. One JSON record per name.

Each change is on the disk when it returns: SQLite with `synchronous=FULL`.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_TABLE = "CREATE TABLE IF NOT EXISTS records (kind TEXT, name TEXT, content TEXT NOT NULL, PRIMARY KEY (kind, name))"
_BUSY_SECONDS = 10.0


class Records:
    """The records in the file *place*; as in Unity Catalog, the case of names does not matter."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._writing = threading.Lock()

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The record of *name*; empty if there is none."""
        with self._open() as database:
            found = database.execute("SELECT content FROM records WHERE kind = ? AND name = ?", (kind, name.lower()))
            row = found.fetchone()
        return json.loads(row[0]) if row else {}

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """The records of *kind* by their names."""
        with self._open() as database:
            rows = database.execute("SELECT name, content FROM records WHERE kind = ?", (kind,)).fetchall()
        return {name: json.loads(content) for name, content in rows}

    def put(self, kind: str, name: str, content: Mapping[str, Any]) -> None:
        """Store *content* as the record of *name*."""
        with self._open() as database, database:
            row = (kind, name.lower(), json.dumps(content))
            database.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)

    def change(self, kind: str, name: str, by: Callable[[dict[str, Any]], Mapping[str, Any]]) -> dict[str, Any]:
        """Replace the record of *name* by the result of *by*, and return it; changes happen one at a time."""
        with self._writing:
            changed = dict(by(self.get(kind, name)))
            self.put(kind, name, changed)
            return changed

    def remove(self, kind: str, name: str) -> None:
        """Remove the record of *name*, and the records of everything in it (`main.shop.files` is in `main.shop`)."""
        inner = name.lower() + "."
        with self._open() as database, database:
            database.execute(
                "DELETE FROM records WHERE kind = ? AND (name = ? OR substr(name, 1, ?) = ?)",
                (kind, name.lower(), len(inner), inner),
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._place, timeout=_BUSY_SECONDS)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute(_TABLE)
            yield database
