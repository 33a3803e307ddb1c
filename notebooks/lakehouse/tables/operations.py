"""The tables of schema `ops`: what the layers remember between runs, and their check results.

ops.progress              up to which version of a source a target has read it; appended, the newest row applies
ops.landed_files          which files a bronze table has loaded, and which version it had afterwards; appended, the
                          newest row of a file applies
ops.expectation_results   one row per run_id, table and rule
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession

from lakehouse.errors import PlaceError
from lakehouse.tables.delta import text

_TABLES = {
    "ops.progress": (
        "target STRING, source STRING, source_table_id STRING, source_version BIGINT, source_committed_ms BIGINT, "
        "recorded_at TIMESTAMP"
    ),
    "ops.landed_files": (
        "table_name STRING, generation STRING, file_name STRING, size_bytes BIGINT, modified_ms BIGINT, "
        "recorded_at TIMESTAMP, table_version BIGINT"
    ),
    "ops.expectation_results": (
        "run_id STRING, table_name STRING, rule STRING, level STRING, checked_rows BIGINT, failed_rows BIGINT, "
        "recorded_at TIMESTAMP"
    ),
}
_TRIES = 5


@dataclass(frozen=True)
class RuleCount:
    """How many of *checked_rows* rows of *table_name* broke *rule* in one run."""

    table_name: str
    rule: str
    level: str
    checked_rows: int
    failed_rows: int


def create_operations_tables(spark: SparkSession) -> None:
    """Create the missing tables of schema `ops`, and add the columns that an older table lacks."""
    for table, columns in _TABLES.items():
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING delta")
        there = spark.table(table).columns
        if lacks := [column for column in columns.split(", ") if column.split()[0] not in there]:
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({', '.join(lacks)})")


def read_operations(read: Callable[[], list[Row]]) -> list[Row]:
    """The rows that *read* collects from tables of `ops`.

    Raises:
        PlaceError: a table is missing.
    """
    try:
        return read()
    except PySparkException as error:
        if (error.getCondition() or "").startswith(("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND")):
            raise PlaceError("Tables of schema ops not found, run notebooks/00_setup", schema="ops") from error
        raise


def append(spark: SparkSession, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Append *rows* to a table of `ops`: its columns in order, except `recorded_at`, which is the current time."""
    if not rows:
        return
    names = [column.split()[0] for column in _TABLES[table].split(", ")]
    names.remove("recorded_at")
    values = ",\n".join(f"({', '.join(map(_literal, row))}, current_timestamp())" for row in rows)
    spark.sql(f"INSERT INTO {table} ({', '.join(names)}, recorded_at) VALUES\n{values}")


def record_counts(spark: SparkSession, run_id: str, counts: list[RuleCount]) -> None:
    """Store the counts of a run: one row per run_id, table and rule; those of a repetition replace the earlier ones.

    Pipelines that run at the same time write here: after a conflict between them, the write is retried.
    """
    if not counts:
        return
    tables = ", ".join(sorted({text(count.table_name) for count in counts}))
    earlier = f"run_id = {text(run_id)} AND table_name IN ({tables})"
    rows = [
        (run_id, count.table_name, count.rule, count.level, count.checked_rows, count.failed_rows) for count in counts
    ]
    results = spark.table("ops.expectation_results").where(earlier).select("rule").limit(1)
    if not read_operations(results.collect):
        append(spark, "ops.expectation_results", rows)
        return
    names = "run_id, table_name, rule, level, checked_rows, failed_rows"
    values = ",\n".join(f"({', '.join(map(_literal, row))})" for row in rows)
    retry_conflicts(
        lambda: spark.sql(
            f"""MERGE INTO ops.expectation_results t
            USING (SELECT *, current_timestamp() AS recorded_at FROM VALUES {values} AS v({names})) s
            ON t.run_id = s.run_id AND t.table_name = s.table_name AND t.rule = s.rule
            WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""
        )
    )


def retry_conflicts(write: Callable[[], object]) -> None:
    """Do *write*, and retry it if someone else's commit came in between; five times at most."""
    for left in reversed(range(_TRIES)):
        try:
            write()
            return
        except PySparkException as error:
            if left == 0 or not ("CONCURRENT" in (error.getCondition() or "") or "Concurrent" in str(error)):
                raise


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return text(value) if isinstance(value, str) else str(value)
