"""Files of a volume become rows of a bronze table: each file once, columns by name, nothing lost.

The generation of a table is stored in the metadata of its first column, and is part of the path of its checkpoint. A
full refresh replaces the table by an empty one of a new generation in one commit, so the stream starts again from the
first file; wherever a run is killed, table and checkpoint still belong together.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import StreamingQueryProgress

from lakehouse.errors import LakehouseError, LandedFileError, PlaceError, counted
from lakehouse.layers.landing import (
    KnownFiles,
    LandedFile,
    TakenFiles,
    check_headers,
    file_columns,
    files_not_utf8,
    known_files,
    list_files,
    record_files,
    refuse_new_content,
    refuse_not_utf8,
)
from lakehouse.layers.reading import AUTO_LOADER_OPTIONS, LINEAGE
from lakehouse.places import checkpoint_folder, volume_folder, volume_root
from lakehouse.tables.contracts import Contract
from lakehouse.tables.delta import READ_BY_VERSION, Written, check_columns, newest_version, only_row, text, version_of
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.progress import GENERATION, generation_of
from lakehouse.tables.together import attempt_together, raise_failures, run_together

_RULES = "rules"  # the name of the observation of a stream
_REMEMBERED = 100  # the number of batch reports that a stream keeps, Spark's default


@dataclass(frozen=True)
class Source:
    """The files of one folder, and the bronze table that loads them.

    *generation* is empty if the table must be created anew. *new* are the files that the table lacks, *touched* those
    that it has but that were written again with the same content. *version* is the table's version when its files were
    last recorded, None if that is not known.
    """

    contract: Contract
    catalog: str
    generation: str
    files: int
    new: tuple[LandedFile, ...]
    touched: tuple[LandedFile, ...] = ()
    version: int | None = None
    refused: LakehouseError | None = None

    @property
    def table(self) -> str:
        return self.contract.table

    @property
    def folder(self) -> str:
        return volume_folder(self.catalog, self.contract.folder)

    def __str__(self) -> str:
        if self.refused:
            return f"{self.table}: refused"
        empty = sum(file.size == 0 for file in self.new)
        note = f", {empty} of them empty" if empty else ""
        return f"{self.table}: {counted(self.files, 'file')}, {len(self.new)} new{note}"


@dataclass(frozen=True)
class Loaded:
    """The result of a stream for a table: the rows, the counts of the rules, and the table's state afterwards."""

    written: Written
    counts: list[RuleCount]
    generation: str
    version: int


def find_new_files(
    spark: SparkSession, dbutils: Any, tables: list[Contract], *, catalog: str, full: bool
) -> list[Source]:
    """Find and check the files that each of the bronze *tables* lacks; with *full*, all files, for new tables.

    Returns:
        One source per table. If a file does not match the contract, `refused` says why: that table then loads nothing,
            and the others continue.

    Raises:
        PlaceError: the folder of a volume, or a schema, is missing.
    """
    known = known_files(spark, [contract.table for contract in tables])
    generations = run_together({contract.table: partial(generation_of, spark, contract.table) for contract in tables})
    sources = []
    for contract in tables:
        generation = "" if full else generations[contract.table] or ""
        listed = _files_of(dbutils, contract, catalog, known)
        taken = known.of(contract.table, generation)
        source = Source(
            contract,
            catalog,
            generation,
            len(listed),
            new=tuple(file for file in listed.values() if file.name not in taken),
            touched=tuple(
                file
                for file in listed.values()
                if taken.get(file.name, (file.size, file.modified_ms)) != (file.size, file.modified_ms)
            ),
            version=known.version(contract.table, generation),
        )
        sources.append(_checked(spark, dbutils, source))
    return _refuse_not_utf8(spark, sources)


def _files_of(dbutils: Any, contract: Contract, catalog: str, known: KnownFiles) -> dict[str, LandedFile]:
    """The contents of the table's folder, by name; creates the folder of a table that has never been loaded."""
    folder = volume_folder(catalog, contract.folder)
    try:
        return list_files(dbutils, folder)
    except PlaceError:
        if known.has(contract.table):
            raise
    list_files(dbutils, volume_root(catalog))  # raises if the volume itself is missing
    dbutils.fs.mkdirs(folder)
    return {}


def _checked(spark: SparkSession, dbutils: Any, source: Source) -> Source:
    try:
        check_headers(dbutils, source.contract, source.new)
        for file in source.touched:
            refuse_new_content(spark, source.contract, file)
    except LandedFileError as error:
        return replace(source, refused=error)
    return source


def _refuse_not_utf8(spark: SparkSession, sources: list[Source]) -> list[Source]:
    fit = [file for source in sources if not source.refused for file in source.new]
    broken = files_not_utf8(spark, fit)
    checked = []
    for source in sources:
        first = next((file for file in source.new if file.path in broken), None)
        if first and not source.refused:
            try:
                refuse_not_utf8(spark, first)
            except LandedFileError as error:
                source = replace(source, refused=error)
        checked.append(source)
    return checked


def load_new_files(spark: SparkSession, sources: list[Source], *, run_id: str) -> list[RuleCount]:
    """Load the new files of all *sources* into their tables at the same time, each with its own stream.

    A table that was written is checked against its contract before its files are recorded.

    Args:
        run_id: the id of the job run, for the counts of the expectations.

    Returns:
        The counts of the rules for the tables that loaded files.

    Raises:
        TablesFailedError: a table's files were refused, or its stream failed; the others have been loaded.
        ContractError: the columns of a table differ from its contract.
    """
    by_table = {source.table: source for source in sources}
    work = {
        source.table: partial(_load, spark, source)
        for source in sources
        if not source.refused and (source.new or source.touched or not source.generation)
    }
    for source in sources:
        if source.table not in work and not source.refused:
            print(Written(source.table, 0))
    loaded, errors = attempt_together(work)
    check_columns(spark, [by_table[table].contract.name for table in loaded])
    counts = [count for one in loaded.values() for count in one.counts]
    record_counts(spark, run_id, counts)
    record_files(
        spark,
        [
            TakenFiles(table, one.generation, one.version, (*by_table[table].new, *by_table[table].touched))
            for table, one in loaded.items()
        ],
    )
    refused: dict[str, BaseException] = {source.table: source.refused for source in sources if source.refused}
    if errors := refused | errors:
        raise_failures(errors, len(sources))
    return counts


def _load(spark: SparkSession, source: Source) -> Loaded:
    """Load the new files of *source*."""
    undisturbed = not source.generation or source.version == newest_version(spark, source.table)
    generation = source.generation or empty_table(spark, source.contract)
    if not source.new:
        return Loaded(Written(source.table, 0), [], generation, version_of(spark, source.table))
    query = (
        landed_rows(spark, source.contract, source.catalog)
        .observe(_RULES, *[F.expr(sql).alias(name) for name, sql in _aggregates(source.contract).items()])
        .writeStream.option("checkpointLocation", checkpoint_folder(source.catalog, source.contract.name, generation))
        .trigger(availableNow=True)
        .toTable(source.table)
    )
    query.awaitTermination()
    reports = query.recentProgress
    if undisturbed and len(reports) < _REMEMBERED:
        found = _sums(source.contract, reports)
    else:
        found = _counted_again(spark, source)
    version = version_of(spark, source.table)
    return Loaded(Written(source.table, found["checked"]), _rule_counts(source.contract, found), generation, version)


def landed_rows(spark: SparkSession, contract: Contract, catalog: str) -> DataFrame:
    """A stream of the lines of the contract's folder, as text, with where each came from: the columns of the contract.

    The contract gives Auto Loader the schema, so Auto Loader stores and evolves none at a `cloudFiles.schemaLocation`:
    what fits no column is rescued. With a rescued data column, it matches CSV columns by the header and not by
    position.

    Source: Databricks documentation, "Configure schema inference and evolution in Auto Loader", "Auto Loader options".
    """
    brought, folder = file_columns(contract), volume_folder(catalog, contract.folder)
    stream = spark.readStream.format("cloudFiles").options(**AUTO_LOADER_OPTIONS)
    rows = stream.schema(", ".join(f"`{name}` STRING" for name in brought)).load(folder)
    made = [f"{sql.format(folder=folder)} AS {name}" for name, sql in LINEAGE.items()]
    return rows.selectExpr(*brought, *made, "_rescued_data")


def empty_table(spark: SparkSession, contract: Contract) -> str:
    """Create the table, or replace it by an empty one; return the new generation, which no stream has read for yet."""
    generation = uuid.uuid4().hex[:12]
    first = contract.columns[0].name
    columns = [
        F.col(c.name).alias(
            c.name, metadata={"comment": c.description} | ({GENERATION: generation} if c.name == first else {})
        )
        for c in contract.columns
    ]
    empty = spark.createDataFrame([], ", ".join(f"`{c.name}` {c.type}" for c in contract.columns)).select(*columns)
    table = empty.writeTo(contract.table).using("delta")
    for name, value in {**READ_BY_VERSION, "comment": contract.grain}.items():
        table = table.tableProperty(name, value)
    try:
        table.createOrReplace()
    except PySparkException as error:
        if (error.getCondition() or "").startswith("SCHEMA_NOT_FOUND"):
            raise PlaceError("Schema not found: bronze, run notebooks/00_setup", schema="bronze") from error
        raise
    return generation


def _aggregates(contract: Contract) -> dict[str, str]:
    """SQL aggregates over the lines of a file: how many there are, and how many break each rule."""
    return {"checked": "count(*)"} | {rule.rule: f"count_if(NOT ({rule.condition}))" for rule in contract.rules("WARN")}


def _sums(contract: Contract, reports: Iterable[StreamingQueryProgress]) -> dict[str, int]:
    """The sums of the counts that the batches of a stream observed."""
    sums = dict.fromkeys(_aggregates(contract), 0)
    for report in reports:
        if observed := report.observedMetrics.get(_RULES):
            row = observed.asDict()
            # Spark Connect returns the values as a list beside their schema, in the order of the aggregates.
            counts = dict(zip(sums, row["values"], strict=True)) if "values" in row else row
            sums = {name: sums[name] + counts[name] for name in sums}
    return sums


def _counted_again(spark: SparkSession, source: Source) -> dict[str, int]:
    """The same counts, from the table's rows of the new files: a run was killed after its stream had loaded them."""
    files = ", ".join(text(file.path) for file in source.new)
    rows = spark.table(source.table).where(f"_source_file IN ({files})")
    counts = [f"{sql} AS {name}" for name, sql in _aggregates(source.contract).items()]
    return only_row(rows.selectExpr(*counts)).asDict()


def _rule_counts(contract: Contract, found: dict[str, int]) -> list[RuleCount]:
    return [
        RuleCount(contract.table, rule.rule, rule.level, found["checked"], found[rule.rule])
        for rule in contract.rules("WARN")
    ]
