"""What commits did to the Delta tables of a warehouse folder, read from their logs without Spark.

Source: Delta transaction log protocol: `_delta_log/<version>.json` holds actions, one per line (`add`, `remove`,
`commitInfo`, ...); a checkpoint `<version>.checkpoint*.parquet` holds the state at its version. The logs are read by
hand: the package deltalake is no faster, and would add 140 MB to every installation for a few numbers in a summary.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.catalogs import SAMPLES, unmapped
from lakelocal.commits import run_that_made

_VERSION_DIGITS = 20
_INSERTED = ("numTargetRowsInserted", "numOutputRows")
_UPDATED = ("numTargetRowsUpdated", "numUpdatedRows")
_DELETED = ("numTargetRowsDeleted", "numDeletedRows")
_QUARANTINE = "quarantine"


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
        """Is it for rows that another table refused? Then its name, or that of its schema, says `quarantine`."""
        return _QUARANTINE in self.name.lower()


def table_changes(warehouse: Path, commits: Commits) -> list[TableChange]:
    """All tables `<schema>.db/<table>` of *warehouse*, by name, with the changes that *commits* made.

    Tables of other catalogs than the run's have the name of their catalog too; sample data are left out.
    """
    found = []
    for log in sorted(warehouse.glob("*.db/*/_delta_log")):
        versions = _versions(log)
        if versions and not _name(log.parent).startswith(f"{SAMPLES}."):
            found.append(_change(log, versions, commits))
    return found


def _change(log: Path, versions: list[Path], commits: Commits) -> TableChange:
    number, inserted, updated, deleted = 0, 0, 0, 0
    # Newest first, until a commit is too old: those before it are older still.
    for file in reversed(versions):
        info: dict[str, Any] = next((action["commitInfo"] for action in _actions(file) if "commitInfo" in action), {})
        if info.get("timestamp", 0) < commits.since_ms:
            break
        if not commits.include(info):
            continue
        number += 1
        metrics = info.get("operationMetrics") or {}
        inserted += _count(metrics, _INSERTED)
        updated += _count(metrics, _UPDATED)
        deleted += _count(metrics, _DELETED)
    table = log.parent
    rows = _rows(log, versions) if number else None  # counting them reads the whole log
    return TableChange(_name(table), int(versions[-1].stem), number, inserted, updated, deleted, rows)


def _name(table: Path) -> str:
    """`schema.table`, with its catalog if that is not the run's."""
    schema = table.parent.name.removesuffix(".db")
    return ".".join([*(unmapped(schema) or [schema]), table.name])


def _rows(log: Path, versions: list[Path]) -> int | None:
    """The number of rows in the table, from the last checkpoint and the log after it."""
    checkpoint, files = _checkpoint(log)
    for version in versions:
        if int(version.stem) <= checkpoint:
            continue
        for action in _actions(version):
            if "add" in action:
                files[action["add"]["path"]] = _records(action["add"].get("stats"), action["add"])
            elif "remove" in action:
                files.pop(action["remove"]["path"], None)
    counts = list(files.values())
    return None if None in counts else sum(count for count in counts if count is not None)


def _checkpoint(log: Path) -> tuple[int, dict[str, int | None]]:
    """The version of the last complete checkpoint and the files in it; -1 if there is none."""
    parts = sorted(log.glob("*.checkpoint*.parquet"))
    if not parts:
        return -1, {}
    import pyarrow.parquet

    last = parts[-1].name[:_VERSION_DIGITS]
    files: dict[str, int | None] = {}
    for part in (each for each in parts if each.name.startswith(last)):
        for add in pyarrow.parquet.read_table(part, columns=["add"])["add"].to_pylist():
            if add and add.get("path"):
                files[add["path"]] = _records(add.get("stats"), add)
    return int(last), files


def _records(stats: str | None, add: dict[str, Any]) -> int | None:
    """The number of rows in a data file: those written, minus those that a deletion vector hides."""
    try:
        written = int(json.loads(stats or "{}")["numRecords"])
    except (KeyError, ValueError):
        return None
    return written - int((add.get("deletionVector") or {}).get("cardinality") or 0)


def _versions(log: Path) -> list[Path]:
    """The commit files, oldest first."""
    return sorted(file for file in log.glob("*.json") if len(file.stem) == _VERSION_DIGITS and file.stem.isdigit())


def _actions(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _count(metrics: dict[str, Any], names: Iterable[str]) -> int:
    """The value of the first of *names* that is there: a MERGE also counts copied rows in `numOutputRows`."""
    return next((int(metrics[name]) for name in names if name in metrics), 0)
