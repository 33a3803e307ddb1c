"""The files of a COPY INTO, and those that earlier ones have loaded into the table.

The files that a copy has loaded are recorded beside the table's log, in `_delta_log/_copy_into_log`, as on Databricks:
each copy writes a file before its commit. The commit contains the name of the copy as an application's transaction, so
that it is known whether a copy that was killed has committed or not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from lakelocal.dialect.autoloader.files import check_exists, list_files
from lakelocal.errors import DialectError

_APPLICATION = "copy_into-"


def named_files(
    folder: Path, path: str, *, files: tuple[str, ...], pattern: str, glob: str | None, recursive: bool
) -> list[Path]:
    """The files that a copy names, whether they have been loaded or not.

    Without a pattern, these are the files directly in *folder* and in its partition folders; with *recursive*, in all
    folders below it.

    Raises:
        DialectError: the folder, or one of *files*, does not exist.
    """
    check_exists(folder, path)
    if files:
        found = [folder / name.lstrip("/") for name in files]
        missing = next((name for name, file in zip(files, found, strict=True) if not file.is_file()), None)
        if missing is not None:
            raise DialectError(f"COPY INTO, FILES: `{missing}` is not in `{path}`. Correct or remove the name.")
        return found
    if pattern:
        return list_files(folder / pattern, glob)
    found = list_files(folder, glob)
    if recursive or not folder.is_dir():
        return found
    return [file for file in found if all("=" in part for part in file.relative_to(folder).parts[:-1])]


@dataclass(frozen=True)
class CopyLog:
    """Records what copies have loaded into the table with the id *table*, at *location*."""

    location: Path
    table: str

    @property
    def folder(self) -> Path:
        return self.location / "_delta_log" / "_copy_into_log"

    @property
    def lock(self) -> Path:
        return self.folder / ".lock"

    def taken(self) -> frozenset[str]:
        """The files that have been loaded into the table."""
        found: set[str] = set()
        for place in self.folder.glob("*.json"):
            entry = json.loads(place.read_text("utf-8"))
            if entry["table"] == self.table and (entry["committed"] or self._finish(place, entry)):
                found |= set(entry["files"])
        return frozenset(found)

    def begin(self, files: list[Path]) -> str:
        """Record *files* before the commit that loads them; returns the application name for the commit."""
        name = f"{_APPLICATION}{uuid4()}"
        self._write(name, {"table": self.table, "files": [str(file) for file in files], "committed": False})
        return name

    def finish(self, application: str) -> dict[str, Any]:
        """Record that *application* has committed; returns the metrics of the commit."""
        place = self.folder / f"{application}.json"
        metrics = self._commit(application)
        self._write(application, {**json.loads(place.read_text("utf-8")), "committed": True})
        return metrics or {}

    def _finish(self, place: Path, entry: dict[str, Any]) -> bool:
        """Has a copy that did not finish committed after all? If not, its record is deleted."""
        if self._commit(place.stem) is None:
            place.unlink()
            return False
        self._write(place.stem, {**entry, "committed": True})
        return True

    def _write(self, application: str, entry: dict[str, Any]) -> None:
        draft = self.folder / f".{application}"
        draft.write_text(json.dumps(entry), "utf-8")
        draft.replace(self.folder / f"{application}.json")

    def _commit(self, application: str) -> dict[str, Any] | None:
        """The metrics of the commit of *application*; None if there is no such commit."""
        for log in sorted(self.location.glob("_delta_log/*.json"), reverse=True):
            actions = list(_actions(log, application))
            if actions:
                infos = (action["commitInfo"] for action in actions if "commitInfo" in action)
                commit: dict[str, Any] = next(infos, {})
                metrics: dict[str, Any] = commit.get("operationMetrics", {})
                return metrics
        return None


def _actions(log: Path, application: str) -> Iterator[dict[str, Any]]:
    """The actions of the commit *log*, if it is the one of *application*."""
    text = log.read_text("utf-8")
    if application in text:
        yield from (json.loads(line) for line in text.splitlines() if line)
