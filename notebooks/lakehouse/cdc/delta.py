"""What Delta knows of a table, and SQL statements that contain the rows of a DataFrame.

A question that Spark answers by analysis alone starts no job and is no statement. So the newest version of a table is
found by reading one that cannot exist: the error names the newest. And whether a table is still the one that was seen
at some time is found by reading it as of that time: a table that was created later has no version that old.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.types import StructType

_ABSENT = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "DELTA_TABLE_NOT_FOUND", "DELTA_MISSING_DELTA_TABLE")
_NO_VERSION = "DELTA_VERSION_NOT_FOUND"
_NOTHING_LATER, _NOTHING_AS_OLD = "DELTA_TIMESTAMP_GREATER_THAN_COMMIT", "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION"
_BEYOND_ALL = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Detail:
    """What `DESCRIBE DETAIL` reports of a table."""

    properties: dict[str, str]
    comment: str | None


@dataclass(frozen=True)
class Commit:
    """The newest commit of a table; *rows* is the number of rows that it wrote, if Delta counts them."""

    version: int
    rows: int


def text(value: str) -> str:
    """*value* as a SQL string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    escaped = escaped.replace("$", "\\u0024")  # followed by braces, it would be replaced by a setting, even in literals
    return f"'{escaped}'"


def is_absent(error: PySparkException) -> bool:
    """Does *error* say that a table does not exist?"""
    return (error.getCondition() or "").startswith(_ABSENT)


def columns_of(spark: SparkSession, table: str) -> StructType | None:
    """The columns of *table*, by analysis; None if there is no such table."""
    try:
        return spark.table(table).schema
    except PySparkException as error:
        if is_absent(error):
            return None
        raise


def newest_version(spark: SparkSession, table: str) -> int:
    """The newest version of *table*: by analysis if the error names the version, otherwise from one file of its log."""
    try:
        spark.read.option("versionAsOf", _BEYOND_ALL).table(table).schema  # noqa: B018 - asks the server
    except PySparkException as error:
        if error.getCondition() != _NO_VERSION:
            raise
        known = error.getMessageParameters() or {}
        if "latest" in known:
            return int(known["latest"])
    return newest_commit(spark, table).version


def was_there(spark: SparkSession, table: str, at_ms: int) -> bool:
    """Did *table* have a version at *at_ms* (since 1970)? A table that was dropped and recreated since then did not."""
    moment = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    try:
        spark.read.option("timestampAsOf", moment).table(table).schema  # noqa: B018 - asks the server
    except PySparkException as error:
        if error.getCondition() == _NOTHING_AS_OLD:
            return False
        if error.getCondition() != _NOTHING_LATER:
            raise
    return True


def only_row(frame: DataFrame) -> Row:
    """The only row of *frame*, which is an aggregate or an answer from Delta."""
    row = frame.first()
    assert row is not None
    return row


def newest_commit(spark: SparkSession, table: str) -> Commit:
    """The newest commit of *table*, from its log."""
    row = only_row(spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1"))
    return Commit(row["version"], int((row["operationMetrics"] or {}).get("numOutputRows", 0)))


def detail_of(spark: SparkSession, table: str) -> Detail:
    """The properties and the comment of *table*."""
    row = only_row(spark.sql(f"DESCRIBE DETAIL {table}"))
    return Detail(row["properties"] or {}, row["description"])


def run_with(spark: SparkSession, before: str, rows: DataFrame, after: str) -> DataFrame:
    """Run the statement *before* *rows* *after*: the rows replace a table name; no view is left behind."""
    start, end = (part.replace("{", "{{").replace("}", "}}") for part in (before, after))
    return spark.sql(f"{start} {{rows}} {end}", rows=rows)
