"""What a target has not yet read of its sources: the versions of an append-only table since the last run.

The progress of a target is written after its data. Applying rows is idempotent, so a run that was killed in between
only reads them again. Where the source was replaced, or its old versions are gone, everything is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import PlaceError
from lakehouse.tables.delta import identity, latest_commit
from lakehouse.tables.operations import append, read_operations
from lakehouse.tables.together import run_together

REMOVED = "_change_type <> 'insert'"  # of the rows of `open_changes`: those taken away, or changed in place


@dataclass(frozen=True)
class Feed:
    """The part of *source* that *target* lacks: versions *first* to *last*, all of it where *first* is None."""

    target: str
    source: str
    table_id: str
    first: int | None
    last: int
    at_ms: int

    @property
    def is_empty(self) -> bool:
        return self.first is not None and self.first > self.last

    @property
    def is_all(self) -> bool:
        return self.first is None


def find_feeds(spark: SparkSession, reads: Iterable[tuple[str, str]], *, full: bool = False) -> dict:
    """What each target has to read; with *full* all of each source.

    Args:
        reads: pairs (target, source), table names with their schemas.

    Returns:
        A `Feed` by pair.

    Raises:
        PlaceError: a source, the schema of the targets or the table of progress does not exist.
    """
    reads = list(reads)
    known = {
        (row["target"], row["source"]): row
        for row in read_operations(spark, "SELECT * FROM ops.progress ORDER BY recorded_at")
    }
    sources = {source: [known.get(pair) for pair in reads if pair[1] == source] for _, source in reads}
    states = run_together({name: lambda s=name: _state(spark, s, sources[s]) for name in sources})
    there = _existing(spark, {target for target, _ in reads})
    feeds = {}
    for target, source in reads:
        table_id, commit = states[source]
        row = known.get((target, source))
        same = target in there and row is not None and not full and row["source_table_id"] == table_id
        first = row["source_version"] + 1 if same else None
        feeds[target, source] = Feed(target, source, table_id, first, commit.version, commit.at_ms)
    return feeds


def _existing(spark: SparkSession, tables: set[str]) -> set[str]:
    """Those of *tables* that exist; they are all in one schema."""
    schema = next(iter(tables)).split(".")[0]
    found = {f"{schema}.{row['tableName']}" for row in read_operations(spark, f"SHOW TABLES IN {schema}")}
    return tables & found


def _state(spark: SparkSession, source: str, known: list) -> tuple:
    """The source's id and newest commit; the id is looked up only if that commit is not the one known."""
    commit = latest_commit(spark, source)
    if commit is None:
        raise PlaceError(f"Table not found: {source}, run {_maker(source)}", table=source)
    seen = {(row["source_table_id"], row["source_version"], row["source_committed_ms"]) for row in known if row}
    if len(seen) == 1 and all(known):
        table_id, version, at_ms = seen.pop()
        if (version, at_ms) == (commit.version, commit.at_ms):
            return table_id, commit
    return identity(spark, source).id, commit


def open_feed(spark: SparkSession, feed: Feed) -> tuple[Feed, DataFrame]:
    """The rows that *feed* adds, with the columns of its source; all rows where `open_changes` gives them."""
    feed, changes = open_changes(spark, feed)
    return feed, changes if feed.is_all else changes.where(f"NOT ({REMOVED})").drop("_change_type")


def open_changes(spark: SparkSession, feed: Feed) -> tuple[Feed, DataFrame]:
    """The rows that *feed* adds or takes away: the columns of its source, and `_change_type` as Delta has it.

    All rows of the source, and the feed says so, where its versions are gone.

    Delta forgets old versions after the table's log retention. It has many errors for that, and reading everything
    gives the same result: so whatever fails here leads to it, and what is really broken fails then.
    """
    if feed.is_all:
        return feed, spark.table(feed.source)
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
        return replace(feed, first=None), spark.table(feed.source)
    return feed, changes.drop("_commit_version", "_commit_timestamp")


def record_progress(spark: SparkSession, feeds: Iterable[Feed]) -> None:
    """Remember that the targets have read *feeds*, in one commit; call it after their data is written."""
    read = [feed for feed in feeds if not feed.is_empty]
    append(spark, "ops.progress", [(f.target, f.source, f.table_id, f.last, f.at_ms) for f in read])


def _maker(table: str) -> str:
    """The notebook that makes *table*."""
    return "notebooks/50_cdc_bronze" if ".bronze_cdc_" in table else "notebooks/20_bronze"
