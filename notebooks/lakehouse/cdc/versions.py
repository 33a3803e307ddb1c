"""The snapshots of a call: which there are, under which versions, and which was applied last.

A version is remembered twice: the first by the commit that creates the target, the later ones in `ops.progress`
after their data. Should those be lost, the bounds of a history tell, and SCD type 1 is brought up again from the first.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DateType, LongType, TimestampType

from lakehouse.cdc.columns import END, START
from lakehouse.cdc.request import Request, refuse
from lakehouse.cdc.settings import Target, check_kind, read_target
from lakehouse.cdc.source import make_progress, no_source, progress_rows
from lakehouse.errors import ChangeTargetError
from lakehouse.tables.delta import latest_commit, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# By the version applied last, and when it was committed: the next snapshot, its version, and when it was committed.
# Times are milliseconds since 1970, and 0 where they are not known.
Snapshots = Callable[[object, int], tuple[DataFrame, object, int] | None]


def given_by(request: Request, source: Callable) -> Snapshots:
    """The snapshots that a user's function gives, each checked to be one."""

    def next_one(last: object, _: int) -> tuple[DataFrame, object, int] | None:
        found = source(last)
        if found is None:
            return None
        if not isinstance(found, tuple) or len(found) != 2 or not hasattr(found[0], "schema"):
            refuse(
                request.target, f"the snapshot {found!r}", "(DataFrame, version), or None", "Let the function give it"
            )
        kind = number_of(request, found[1])[1]
        if last is not None and kind != number_of(request, last)[1]:
            refuse(
                request.target,
                f"the version {found[1]!r} after {last!r}",
                "versions of one type",
                "Correct the function, or drop the table to begin anew",
            )
        return *found, 0

    return next_one


def versions_of(spark: SparkSession, request: Request) -> Snapshots:
    """A table as snapshots: what it is now, under its Delta version."""

    def newest(last: object, last_at_ms: int) -> tuple[DataFrame, int, int] | None:
        commit = latest_commit(spark, request.source)
        if commit is None:
            raise no_source(request, "the snapshots")
        if last is None or commit.version > last:
            rows = spark.read.option("versionAsOf", commit.version).table(request.source)
            return rows, commit.version, commit.at_ms
        if commit.version < last or last_at_ms not in (0, commit.at_ms):
            raise ChangeTargetError(
                f"`{request.target}`: found `{request.source}` made anew, at version {commit.version}; expected the "
                f"versions after {last}, which was applied. Drop the target to begin anew, or overwrite the source "
                "instead of dropping it.",
                table=request.target,
            )
        return None

    return newest


def number_of(request: Request, version: object) -> tuple[int, DataType, str]:
    """A version as it is remembered, its type, and as SQL."""
    if isinstance(version, int) and not isinstance(version, bool):
        return version, LongType(), f"CAST({version} AS BIGINT)"
    if isinstance(version, datetime) and version.tzinfo:
        micros = (version - _EPOCH) // timedelta(microseconds=1)
        return micros, TimestampType(), f"timestamp_micros({micros})"
    if isinstance(version, date) and not isinstance(version, datetime):
        days = (version - _EPOCH.date()).days
        return days, DateType(), f"date_from_unix_date({days})"
    return refuse(request.target, f"the version {version!r}", "an int, a date, or a datetime with a zone", "Give one")


def _version(number: int, kind: str) -> object:
    if kind == "timestamp":
        return _EPOCH + timedelta(microseconds=number)
    return _EPOCH.date() + timedelta(days=number) if kind == "date" else number


def last_version(spark: SparkSession, request: Request) -> tuple[object, int]:
    """The version applied last, None at first, and when it was committed; 0 where that is not known."""
    held = read_target(spark, request.target)
    check_kind(held, "snapshots")
    if not held.is_made:
        make_progress(spark)
        return None, 0
    query = (
        "SELECT source_version, source_committed_ms FROM ops.progress "
        f"WHERE source_table_id = {text(held.settings['generation'])} ORDER BY source_version DESC LIMIT 1"
    )
    rows = progress_rows(spark, query)
    number, at_ms = rows[0] if rows else (_newest_bound(spark, held), 0)
    return _version(number, held.settings["sequence_type"]), at_ms


def _newest_bound(spark: SparkSession, held: Target) -> int:
    """The greatest version that *held* shows; later ones, which changed nothing, may be applied again."""
    first = int(held.settings["first_version"])
    if held.settings["scd_type"] != "2":
        return first
    number = {"timestamp": "unix_micros({})", "date": "unix_date({})"}.get(held.settings["sequence_type"], "{}")
    newest = number.format(f"max(greatest({START}, {END}))")
    return spark.sql(f"SELECT coalesce({newest}, {first}) FROM {held.name}").first()[0]
