"""What commits did to the Delta tables of a warehouse folder, read from their logs without Spark."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.catalogs import SAMPLES, unmapped
from lakelocal.commits import run_that_made
from lakelocal.delta_log import commit_info, rows_of, versions_of
from lakelocal.quarantine import is_quarantine

_INSERTED = ("numTargetRowsInserted", "numOutputRows")
_UPDATED = ("numTargetRowsUpdated", "numUpdatedRows")
_DELETED = ("numTargetRowsDeleted", "numDeletedRows")


@dataclass(frozen=True)
class Commits:
    """The commits from *since_ms* to *until_ms* that *runs* made; None: all of them.

    A commit that the user gave a text of their own names no run. It counts, because its time is all that is known.
    """

    since_ms: int
    until_ms: int
    runs: frozenset[int] | None = None

    def include(self, info: Mapping[str, Any]) -> bool:
        """Is the commit with *info*, its `commitInfo`, one of them?"""
        if not self.since_ms <= info.get("timestamp", 0) <= self.until_ms:
            return False
        if self.runs is None:
            return True
        run = run_that_made(info)
        return run in self.runs if run is not None else bool(info.get("userMetadata"))


@dataclass(frozen=True)
class TableChange:
    """The changes of one table: the number of *commits* that count, their rows, and the rows that it holds now.

    *rows* is None if no commit counts, or if a file of the table has no statistics.
    """

    name: str
    version: int
    commits: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    rows: int | None = None

    @property
    def schema(self) -> str:
        """The schema, with its catalog if that is not the run's."""
        return self.name.rpartition(".")[0]

    @property
    def has_refused_rows(self) -> bool:
        """Is it for rows that another table refused?"""
        return is_quarantine(self.name)


def table_changes(warehouse: Path, commits: Commits) -> list[TableChange]:
    """All tables `<schema>.db/<table>` of *warehouse*, by name, with the changes that *commits* made.

    Tables of other catalogs than the run's have the name of their catalog too; sample data are left out.
    """
    found = []
    for log in sorted(warehouse.glob("*.db/*/_delta_log")):
        versions = versions_of(log)
        if versions and not name_of(log.parent).startswith(f"{SAMPLES}."):
            found.append(_change(log, versions, commits))
    return found


def _change(log: Path, versions: list[Path], commits: Commits) -> TableChange:
    number, inserted, updated, deleted = 0, 0, 0, 0
    # Newest first, until a commit is too old: those before it are older still.
    for file in reversed(versions):
        info = commit_info(file)
        if info.get("timestamp", 0) < commits.since_ms:
            break
        if not commits.include(info):
            continue
        number += 1
        counted = rows_changed(info)
        inserted, updated, deleted = inserted + counted[0], updated + counted[1], deleted + counted[2]
    table = log.parent
    rows = rows_of(log, versions) if number else None  # counting them reads the whole log
    return TableChange(name_of(table), int(versions[-1].stem), number, inserted, updated, deleted, rows)


def name_of(table: Path) -> str:
    """`schema.table`, with its catalog if that is not the run's."""
    schema = table.parent.name.removesuffix(".db")
    return ".".join([*(unmapped(schema) or [schema]), table.name])


def rows_changed(info: Mapping[str, Any]) -> tuple[int, int, int]:
    """How many rows the commit with *info*, its `commitInfo`, inserted, updated and deleted."""
    metrics = info.get("operationMetrics") or {}
    return _count(metrics, _INSERTED), _count(metrics, _UPDATED), _count(metrics, _DELETED)


def _count(metrics: Mapping[str, Any], names: Iterable[str]) -> int:
    """The value of the first of *names* that is there: a MERGE also counts copied rows in `numOutputRows`."""
    return next((int(metrics[name]) for name in names if name in metrics), 0)
