"""What is in the volume, which files are new, and whether these match the contract.

A file is identified by its name: names of landed files are unique, and files are never rewritten. The stream reads each
name once, so a known name with new content would be skipped silently; here it is refused.
"""

import contextlib
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import LandedFileError, samples
from lakehouse.layers.reading import CSV_OPTIONS
from lakehouse.places import entries_of, volume_missing
from lakehouse.tables.contracts import Contract
from lakehouse.tables.delta import only_row
from lakehouse.tables.operations import append, read_operations

_BOM = "\ufeff"
_REPLACEMENT = "\ufffd"  # what a decoder writes for bytes that are not UTF-8


@dataclass(frozen=True)
class LandedFile:
    """A file in a folder of the volume; *modified_ms* is since 1970 UTC."""

    name: str
    path: str
    size: int
    modified_ms: int


def list_files(dbutils: Any, folder: str) -> dict[str, LandedFile]:
    """The contents of *folder*, by name; ignores names that begin with `_` or `.`, as Spark does; folders end with `/`.

    Raises:
        PlaceError: the folder does not exist.
    """
    entries = entries_of(dbutils, folder)
    if entries is None:
        raise volume_missing(folder)
    return {
        entry.name: LandedFile(entry.name, f"{folder}/{entry.name}", entry.size, entry.modificationTime)
        for entry in entries
        if not entry.name.startswith(("_", "."))
    }


@dataclass(frozen=True)
class TakenFiles:
    """The files that one generation of a bronze table has loaded, and the table's version after the last of them."""

    table: str
    generation: str
    version: int | None
    taken: tuple[LandedFile, ...]


@dataclass(frozen=True)
class KnownFiles:
    """What is recorded of the files of some bronze tables: (size, modified_ms) by table, generation and name."""

    files: dict[tuple[str, str], dict[str, tuple[int, int]]]
    versions: dict[tuple[str, str], int | None]

    def has(self, table: str) -> bool:
        """Has *table* ever loaded a file?"""
        return any(name == table for name, _ in self.files)

    def of(self, table: str, generation: str) -> dict[str, tuple[int, int]]:
        """(size, modified_ms) by name for the files that this *generation* of *table* has loaded."""
        return self.files.get((table, generation), {})

    def version(self, table: str, generation: str) -> int | None:
        """The table's version after the last of them; None if that is not known."""
        return self.versions.get((table, generation))


def known_files(spark: SparkSession, tables: list[str]) -> KnownFiles:
    """What is recorded of the files of the bronze *tables*; the newest row of each file applies.

    Raises:
        PlaceError: `ops.landed_files` is missing.
    """
    rows = read_operations(spark.table("ops.landed_files").where(F.col("table_name").isin(tables)).collect)
    files: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    versions: dict[tuple[str, str], int | None] = {}
    for row in sorted(rows, key=lambda row: row["recorded_at"]):
        making = row["table_name"], row["generation"]
        files.setdefault(making, {})[row["file_name"]] = (row["size_bytes"], row["modified_ms"])
        versions[making] = row["table_version"]
    return KnownFiles(files, versions)


def record_files(spark: SparkSession, taken: list[TakenFiles]) -> None:
    """Record files as loaded, in one commit for all tables."""
    rows = [
        (one.table, one.generation, file.name, file.size, file.modified_ms, one.version)
        for one in taken
        for file in one.taken
    ]
    append(spark, "ops.landed_files", rows)


def check_headers(dbutils: Any, contract: Contract, files: Iterable[LandedFile]) -> None:
    """Check that each file that is not empty names every column of its contract exactly once; others are allowed.

    Raises:
        LandedFileError: a column is missing or named twice, or there is a folder; the message says which file and
            column.
    """
    expected = file_columns(contract)
    for file in files:
        if file.name.endswith("/"):
            raise LandedFileError(
                f"`{file.path}`: found a folder, expected files only. Move its files one level up.", file=file.path
            )
        if file.size == 0:
            continue
        found = _header(dbutils, file)
        missing = [name for name in expected if name not in found]
        twice = [name for name in expected if found.count(name) > 1]
        if missing or twice:
            wrong = f"no column {samples(missing)}" if missing else f"the column {samples(twice)} twice"
            raise LandedFileError(
                f"`{file.path}`: found {wrong} (the header is `{','.join(found)[:200]}`), expected each of "
                f"{', '.join(expected)} once. Nothing of the file was loaded; land it again with the right header.",
                file=file.path,
                column=(missing or twice)[0],
            )


def file_columns(contract: Contract) -> list[str]:
    """The columns that a file contains: those of the contract that do not begin with `_`."""
    return [name for name in contract.column_names if not name.startswith("_")]


def _header(dbutils: Any, file: LandedFile) -> list[str]:
    with contextlib.redirect_stdout(io.StringIO()):  # `head` prints a notice when it cuts a long file
        start = dbutils.fs.head(file.path)
    return next(csv.reader(io.StringIO(start.removeprefix(_BOM), newline="")), [])


def files_not_utf8(spark: SparkSession, files: list[LandedFile]) -> set[str]:
    """The paths of those *files* that contain bytes that are not UTF-8; reads them once, all together."""
    filled = {file.path for file in files if file.size}
    if not filled:
        return set()
    lines = spark.read.text(sorted(filled)).where("NOT is_valid_utf8(value)")
    found = [unquote(row[0]) for row in lines.select("_metadata.file_path").distinct().collect()]
    return {path for path in filled for place in found if place.endswith("/".join(path.rsplit("/", 2)[1:]))}


def refuse_not_utf8(spark: SparkSession, file: LandedFile) -> None:
    """Raise an error for a *file* that is not UTF-8, naming the columns with such bytes.

    Raises:
        LandedFileError: always.
    """
    rows = spark.read.options(**CSV_OPTIONS).csv(file.path)
    counts = rows.select([F.count_if(F.col(f"`{name}`").contains(_REPLACEMENT)).alias(name) for name in rows.columns])
    broken = [name for name, count in only_row(counts).asDict().items() if count]
    raise LandedFileError(
        f"`{file.path}`: found bytes that are not UTF-8 in {samples(broken) or 'the header'}, expected UTF-8. "
        "Nothing of the file was loaded; convert it to UTF-8 (often it is Latin-1) and land it again.",
        file=file.path,
        column=broken[0] if broken else None,
    )


def refuse_new_content(spark: SparkSession, contract: Contract, file: LandedFile) -> None:
    """Check that a known *file* that was written again has the content that bronze has loaded.

    Raises:
        LandedFileError: it has other content, which the stream would never read.
    """
    columns = file_columns(contract)
    loaded = spark.table(contract.table).where(F.col("_source_file") == file.path).select(*columns)
    if file.size and not _same_rows(spark.read.options(**CSV_OPTIONS).csv(file.path), loaded, columns):
        reason = "content that differs from what was loaded"
    elif not file.size and loaded.limit(1).count():
        reason = "an empty file where rows were loaded"
    else:
        return
    raise LandedFileError(
        f"`{file.path}`: found {reason}; files are never rewritten, a known name is not read again. "
        "Land the new content under a new name, or run with refresh_mode=full.",
        file=file.path,
    )


def _same_rows(now: DataFrame, loaded: DataFrame, columns: list[str]) -> bool:
    if any(name not in now.columns for name in columns):
        return False
    now = now.select(*columns)
    changed = now.exceptAll(loaded).limit(1).unionAll(loaded.exceptAll(now).limit(1))
    return changed.count() == 0
