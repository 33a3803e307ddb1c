"""The source of a call: its columns, and which of its versions a target has not yet applied."""

from threading import Lock

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql.types import StructType

from lakehouse.cdc.request import Request
from lakehouse.cdc.settings import Target
from lakehouse.errors import PlaceError
from lakehouse.tables.delta import identity, latest_commit, text
from lakehouse.tables.operations import create_operations_tables, read_operations
from lakehouse.tables.progress import Feed, record_progress

_CREATING = Lock()


def source_columns(spark: SparkSession, request: Request) -> StructType:
    """The columns of the source.

    Raises:
        PlaceError: the source does not exist.
    """
    try:
        return spark.table(request.source).schema
    except PySparkException as error:
        if (error.getCondition() or "").startswith(("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND")):
            raise no_source(request) from error
        raise


def no_source(request: Request, expected: str = "the change events") -> PlaceError:
    """The error for a source that does not exist."""
    return PlaceError(
        f"`{request.target}`: found no table `{request.source}`; expected {expected}. Create it first.",
        table=request.source,
    )


def find_feed(spark: SparkSession, request: Request, target: Target) -> Feed:
    """The versions of the source that *target* lacks; all of them where it was not made yet.

    Raises:
        PlaceError: the source does not exist.
    """
    source = request.source
    commit = latest_commit(spark, source)
    if commit is None:
        raise no_source(request)
    known = _progress(spark, request.target, source)
    if known and (known["source_version"], known["source_committed_ms"]) == (commit.version, commit.at_ms):
        table_id = known["source_table_id"]
    else:
        table_id = identity(spark, source).id
    same = target.is_made and known is not None and known["source_table_id"] == table_id
    first = known["source_version"] + 1 if same and known["source_version"] <= commit.version else None
    return Feed(request.target, source, table_id, first, commit.version, commit.at_ms)


def _progress(spark: SparkSession, target: str, source: str):
    query = (
        f"SELECT * FROM ops.progress WHERE target = {text(target)} AND source = {text(source)} "
        "ORDER BY recorded_at DESC, source_version DESC LIMIT 1"
    )
    rows = progress_rows(spark, query)
    return rows[0] if rows else None


def progress_rows(spark: SparkSession, query: str) -> list[Row]:
    """The rows of *query* over `ops.progress`, which is created where it is missing."""
    try:
        return read_operations(spark, query)
    except PlaceError:
        make_progress(spark)
        return read_operations(spark, query)


def make_progress(spark: SparkSession) -> None:
    """Create `ops.progress` where it is missing: a call in a catalog without it needs no set-up."""
    with _CREATING:  # the targets of a pipeline are applied at the same time, in threads
        spark.sql("CREATE SCHEMA IF NOT EXISTS ops")
        create_operations_tables(spark)


def forget_progress(spark: SparkSession, feed: Feed) -> None:
    """Let the target of *feed* read all of its source the next time, should this call not come to its end."""
    record_progress(spark, [Feed(feed.target, feed.source, None, None, None, None)])
