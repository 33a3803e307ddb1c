"""What a table has not yet read from its sources: the versions of append-only tables since the last run.

The progress of a target is written after its data. Applying rows is idempotent, so a run that was killed in between
only reads them again. If the source was created anew, or its old versions are gone, everything is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession

from lakehouse.errors import PlaceError
from lakehouse.tables.contracts import Contract
from lakehouse.tables.delta import existing, newest_version, schema_of
from lakehouse.tables.operations import append, read_operations
from lakehouse.tables.together import run_together

GENERATION = "lakehouse.generation"  # metadata of a bronze table's first column: changes when the table is created anew


@dataclass(frozen=True)
class Feed:
    """The part of *source* that *target* lacks: versions *first* to *last*, or all of it if *first* is None.

    *generation* distinguishes a source that was created anew from the one that was read before; empty if it has none.
    """

    target: str
    source: str
    generation: str
    first: int | None
    last: int

    @property
    def is_empty(self) -> bool:
        return self.first is not None and self.first > self.last

    @property
    def is_all(self) -> bool:
        return self.first is None


def find_feeds(
    spark: SparkSession, reads: dict[Contract, list[Contract]], *, full: bool = False
) -> dict[tuple[str, str], Feed]:
    """What each target has to read; with *full*, all of each source.

    Args:
        reads: the bronze tables, by the table that is made from them.

    Returns:
        One feed for each (target, source), names with their schemas. The only query that runs is one of `ops.progress`.

    Raises:
        PlaceError: a source or the progress table does not exist.
    """
    pairs = [(target.table, source.table) for target, sources in reads.items() for source in sources]
    known = _known(spark, pairs)
    sources = {source: [known.get(pair) for pair in pairs if pair[1] == source] for _, source in pairs}
    states = run_together({name: partial(_state, spark, name, rows) for name, rows in sources.items()})
    there = existing(spark, {target for target, _ in pairs})
    feeds = {}
    for target, source in pairs:
        generation, version = states[source]
        row = known.get((target, source))
        first = None
        if row is not None and target in there and not full and row["source_table_id"] == generation:
            first = row["source_version"] + 1 if row["source_version"] <= version else None
        feeds[target, source] = Feed(target, source, generation, first, version)
    return feeds


def _known(spark: SparkSession, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """The newest progress of each of *pairs*."""
    targets = sorted({target for target, _ in pairs})
    rows = read_operations(lambda: spark.table("ops.progress").where(_among("target", targets)).collect())
    rows.sort(key=lambda row: row["recorded_at"])
    return {(row["target"], row["source"]): row for row in rows}


def _among(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _state(spark: SparkSession, source: str, known: list[Row | None]) -> tuple[str, int]:
    """The source's generation and newest version; if the version is the one that is known, so is the generation."""
    version = newest_version(spark, source)
    if version is None:
        raise PlaceError(f"Table not found: {source}, run {_maker(source)}", table=source)
    seen = {(row["source_table_id"], row["source_version"]) for row in known if row}
    if len(seen) == 1 and all(known) and next(iter(seen))[1] == version:
        return next(iter(seen))
    return generation_of(spark, source) or "", version


def generation_of(spark: SparkSession, table: str) -> str | None:
    """The generation of a bronze table, None if there is no such table or it has no generation."""
    schema = schema_of(spark, table)
    return schema.fields[0].metadata.get(GENERATION) if schema is not None else None


def whole_source(spark: SparkSession, feed: Feed) -> DataFrame:
    """All rows of the source of *feed*, as they are at its last version."""
    return spark.read.option("versionAsOf", feed.last).table(feed.source)


def open_changes(spark: SparkSession, feed: Feed) -> tuple[Feed, DataFrame]:
    """The rows that *feed* adds or removes: the columns of its source, and Delta's `_change_type`.

    If its versions are gone, all rows of the source, and the returned feed says so.

    Delta forgets old versions after the table's log retention. It has many errors for that, and reading everything
    gives the same result: so any failure here leads to that, and if something is really broken, reading everything
    fails.
    """
    if feed.is_all:
        return feed, whole_source(spark, feed)
    changes = (
        spark.read.option("readChangeFeed", "true")
        .option("startingVersion", feed.first)
        .option("endingVersion", feed.last)
        .table(feed.source)
    )
    try:
        changes.schema  # noqa: B018 - asks the server
    except PySparkException:
        print(f"{feed.source}: its versions from {feed.first} on are gone, reading all of it")
        return open_changes(spark, replace(feed, first=None))
    return feed, changes.drop("_commit_version", "_commit_timestamp")


def record_progress(spark: SparkSession, feeds: Iterable[Feed]) -> None:
    """Record that the targets have read *feeds*, in one commit; call it after their data is written."""
    read = [feed for feed in feeds if not feed.is_empty]
    append(spark, "ops.progress", [(f.target, f.source, f.generation, f.last, None) for f in read])


def _maker(table: str) -> str:
    """The notebook that makes *table*."""
    return "notebooks/50_cdc_bronze" if ".bronze_cdc_" in table else "notebooks/20_bronze"
