"""Logs of Delta tables, read without Spark.

Source: Delta transaction log protocol: `_delta_log/<version>.json` holds actions, one per line (`add`, `remove`,
`metaData`, `commitInfo`, ...); a checkpoint `<version>.checkpoint*.parquet` holds the state at its version. The logs
are read by hand: the package deltalake is no faster, and would add 140 MB to every installation for a few numbers.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION_DIGITS = 20


@dataclass(frozen=True)
class Column:
    """A column; a nested *type* is written as Spark's SQL writes it."""

    name: str
    type: str
    is_nullable: bool
    comment: str


@dataclass(frozen=True)
class Metadata:
    """What a log says of its table."""

    columns: Sequence[Column]
    comment: str
    partitioned_by: Sequence[str]
    properties: Mapping[str, str]


def metadata_of(log: Path, versions: Sequence[Path]) -> Metadata | None:
    """What the newest of *versions* that says something of the table says, otherwise the last checkpoint."""
    for file in reversed(versions):
        for action in actions_of(file):
            if "metaData" in action:
                return _metadata(action["metaData"])
    for part in _checkpoint_parts(log):
        import pyarrow.parquet

        for found in pyarrow.parquet.read_table(part, columns=["metaData"])["metaData"].to_pylist():
            if found and found.get("schemaString"):
                return _metadata({**found, "configuration": dict(found.get("configuration") or ())})
    return None


def _metadata(action: Mapping[str, Any]) -> Metadata:
    fields = json.loads(action["schemaString"])["fields"]
    columns = [
        Column(each["name"], type_text(each["type"]), each["nullable"], str(each["metadata"].get("comment", "")))
        for each in fields
    ]
    return Metadata(
        columns,
        str(action.get("description") or ""),
        tuple(action.get("partitionColumns") or ()),
        dict(action.get("configuration") or {}),
    )


def type_text(kind: str | Mapping[str, Any]) -> str:
    """A type of a schema string as SQL: `array<struct<a:int>>`."""
    if isinstance(kind, str):
        return {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}.get(kind, kind)
    if kind["type"] == "array":
        return f"array<{type_text(kind['elementType'])}>"
    if kind["type"] == "map":
        return f"map<{type_text(kind['keyType'])},{type_text(kind['valueType'])}>"
    if kind["type"] == "struct":
        return f"struct<{','.join(each['name'] + ':' + type_text(each['type']) for each in kind['fields'])}>"
    return str(kind["type"])


def commit_info(file: Path) -> Mapping[str, Any]:
    """The `commitInfo` of a version; empty if it has none."""
    found: Mapping[str, Any] = next((each["commitInfo"] for each in actions_of(file) if "commitInfo" in each), {})
    return found


def rows_of(log: Path, versions: list[Path]) -> int | None:
    """The number of rows in the table, from the last checkpoint and the log after it."""
    checkpoint, files = _checkpoint(log)
    for version in versions:
        if int(version.stem) <= checkpoint:
            continue
        for action in actions_of(version):
            if "add" in action:
                files[action["add"]["path"]] = _records(action["add"].get("stats"), action["add"])
            elif "remove" in action:
                files.pop(action["remove"]["path"], None)
    counts = list(files.values())
    return None if None in counts else sum(count for count in counts if count is not None)


def _checkpoint(log: Path) -> tuple[int, dict[str, int | None]]:
    """The version of the last complete checkpoint and the files in it; -1 if there is none."""
    parts = _checkpoint_parts(log)
    if not parts:
        return -1, {}
    import pyarrow.parquet  # few tables have a checkpoint

    files: dict[str, int | None] = {}
    for part in parts:
        for add in pyarrow.parquet.read_table(part, columns=["add"])["add"].to_pylist():
            if add and add.get("path"):
                files[add["path"]] = _records(add.get("stats"), add)
    return int(parts[0].name[:VERSION_DIGITS]), files


def _checkpoint_parts(log: Path) -> list[Path]:
    """The files of the last checkpoint."""
    parts = sorted(log.glob("*.checkpoint*.parquet"))
    return [each for each in parts if each.name.startswith(parts[-1].name[:VERSION_DIGITS])]


def _records(stats: str | None, add: dict[str, Any]) -> int | None:
    """The number of rows in a data file: those written, minus those that a deletion vector hides."""
    try:
        written = int(json.loads(stats or "{}")["numRecords"])
    except (KeyError, ValueError):
        return None
    return written - int((add.get("deletionVector") or {}).get("cardinality") or 0)


def versions_of(log: Path) -> list[Path]:
    """The commit files, oldest first."""
    return sorted(file for file in log.glob("*.json") if len(file.stem) == VERSION_DIGITS and file.stem.isdigit())


def actions_of(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
