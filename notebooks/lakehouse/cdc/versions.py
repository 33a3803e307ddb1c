"""The snapshots of a call: which exist, with which versions, and which was applied last.

A version is remembered twice: the first by the commit that creates the target, later ones in the progress table after
their data. If those are lost, the bounds of a history tell the version, and SCD type 1 is rebuilt from the first one.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DateType, LongType, TimestampType

from .columns import END, START
from .delta import columns_of, newest_version, only_row, was_there
from .errors import ChangeTargetError
from .flow import Flow, no_source, refuse
from .progress import Mark
from .settings import Target

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Version = Any  # an int, a date or a datetime: the same for all snapshots of a target, so that two can be compared
# By the version applied last and when that was recorded (milliseconds since 1970, 0 where it is not known): the next
# snapshot and its version.
Snapshots = Callable[[Version, int], tuple[DataFrame, Version] | None]


def given_by(flow: Flow, source: Callable[[Version], Any]) -> Snapshots:
    """The snapshots that a user's function returns, each checked to be one."""

    def next_one(last: Version, _: int) -> tuple[DataFrame, Version] | None:
        found = source(last)
        if found is None:
            return None
        if not isinstance(found, tuple) or len(found) != 2 or not hasattr(found[0], "schema"):
            refuse(flow.target, f"the snapshot {found!r}", "(DataFrame, version), or None", "Let the function give it")
        kind = number_of(flow, found[1])[1]
        if last is not None and kind != number_of(flow, last)[1]:
            refuse(
                flow.target,
                f"the version {found[1]!r} after {last!r}",
                "versions of one type",
                "Correct the function, or drop the table to begin anew",
            )
        return found[0], found[1]

    return next_one


def versions_of(spark: SparkSession, flow: Flow) -> Snapshots:
    """A table as a sequence of snapshots: its current state, with its Delta version."""

    def newest(last: Version, at_ms: int) -> tuple[DataFrame, int] | None:
        if columns_of(spark, flow.source) is None:
            raise no_source(flow, "the snapshots")
        version = newest_version(spark, flow.source)
        if last is None or version > last:
            return spark.read.option("versionAsOf", version).table(flow.source), version
        if version < last or (at_ms and not was_there(spark, flow.source, at_ms)):
            raise ChangeTargetError(
                f"`{flow.target}`: found `{flow.source}` made anew, at version {version}; expected the versions after "
                f"{last}, which was applied. Drop the target to begin anew, or overwrite the source instead of "
                "dropping it.",
                table=flow.target,
            )
        return None

    return newest


def number_of(flow: Flow, version: object) -> tuple[int, DataType, str]:
    """A version as it is remembered, its type, and its SQL."""
    if isinstance(version, int) and not isinstance(version, bool):
        return version, LongType(), f"CAST({version} AS BIGINT)"
    if isinstance(version, datetime) and version.tzinfo:
        micros = (version - _EPOCH) // timedelta(microseconds=1)
        return micros, TimestampType(), f"timestamp_micros({micros})"
    if isinstance(version, date) and not isinstance(version, datetime):
        days = (version - _EPOCH.date()).days
        return days, DateType(), f"date_from_unix_date({days})"
    refuse(flow.target, f"the version {version!r}", "an int, a date, or a datetime with a zone", "Give one")


def _version(number: int, kind: str) -> Version:
    if kind == "timestamp":
        return _EPOCH + timedelta(microseconds=number)
    return _EPOCH.date() + timedelta(days=number) if kind == "date" else number


def last_version(spark: SparkSession, held: Target, mark: Mark | None) -> tuple[Version, int]:
    """The version applied last (None at first), and when that was recorded (0 if it is not known)."""
    if not held.is_made:
        return None, 0
    if mark and mark.source_version is not None and mark.settings.get("generation") == held.settings["generation"]:
        number, at_ms = mark.source_version, mark.at_ms
    else:
        number, at_ms = _newest_bound(spark, held), 0
    return _version(number, held.settings["sequence_type"]), at_ms


def _newest_bound(spark: SparkSession, held: Target) -> int:
    """The greatest version that *held* shows; later ones, which changed nothing, may be applied again."""
    first = int(held.settings["first_version"])
    if held.settings["scd_type"] != "2":
        return first
    number = {"timestamp": "unix_micros({})", "date": "unix_date({})"}.get(held.settings["sequence_type"], "{}")
    newest = number.format(f"max(greatest({START}, {END}))")
    return int(only_row(spark.sql(f"SELECT coalesce({newest}, {first}) FROM {held.name}"))[0])
