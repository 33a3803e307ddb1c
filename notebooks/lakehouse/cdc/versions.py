"""The snapshots of a call: which exist, with which versions, and which was applied last.

A version is an int, a text, a date or a datetime. It is remembered twice: the first by the commit that creates the
target, later ones in the progress table after their data. If those are lost, the bounds of a history tell the version,
and SCD type 1 is rebuilt from the first one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DateType, LongType, StringType, TimestampType

from .columns import END, START
from .delta import columns_of, newest_version, only_row, text, was_there
from .errors import ChangeTargetError
from .flow import Flow, no_source, refuse
from .progress import Mark
from .settings import Target

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Version = (
    Any  # an int, a str, a date or a datetime: the same for all snapshots of a target, so that two can be compared
)
# By the version applied last and when that was recorded (milliseconds since 1970, 0 where it is not known): the next
# snapshot and its version.
Snapshots = Callable[[Version, int], tuple[DataFrame, Version] | None]


@dataclass(frozen=True)
class Remembered:
    """How a version is remembered: by a *number*, or by a *word* if it is a text.

    *type* and *sql* are those of the value that a history shows. A datetime without a zone *is_naive*: it is read as
    UTC, and given back without a zone.
    """

    number: int
    type: DataType
    sql: str
    word: str | None = None
    is_naive: bool = False

    @property
    def kind(self) -> tuple[DataType, bool]:
        """Versions of one kind can be compared."""
        return self.type, self.is_naive

    @property
    def settings(self) -> dict[str, str]:
        """What a target has to remember besides the number."""
        word = {} if self.word is None else {"version": self.word}
        return word | ({"naive_versions": "true"} if self.is_naive else {})


def given_by(flow: Flow, source: Callable[[Version], Any]) -> Snapshots:
    """The snapshots that a user's function returns, each checked to be one."""

    def next_one(last: Version, _: int) -> tuple[DataFrame, Version] | None:
        found = source(last)
        if found is None:
            return None
        if not isinstance(found, tuple) or len(found) != 2 or not hasattr(found[0], "schema"):
            refuse(flow.target, f"the snapshot {found!r}", "(DataFrame, version), or None", "Let the function give it")
        kind = remembered(flow, found[1]).kind
        if last is not None and kind != remembered(flow, last).kind:
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


def remembered(flow: Flow, version: object) -> Remembered:
    """*version*, as it is remembered."""
    if isinstance(version, int) and not isinstance(version, bool):
        return Remembered(version, LongType(), f"CAST({version} AS BIGINT)")
    if isinstance(version, str):
        return Remembered(0, StringType(), text(version), word=version)
    if isinstance(version, datetime):
        is_naive = version.tzinfo is None
        at = version.replace(tzinfo=UTC) if is_naive else version
        micros = (at - _EPOCH) // timedelta(microseconds=1)
        return Remembered(micros, TimestampType(), f"timestamp_micros({micros})", is_naive=is_naive)
    if isinstance(version, date):
        days = (version - _EPOCH.date()).days
        return Remembered(days, DateType(), f"date_from_unix_date({days})")
    refuse(flow.target, f"the version {version!r}", "an int, a str, a date or a datetime", "Give one")


def _version(number: int, settings: dict[str, str]) -> Version:
    """The version that has been remembered as *number*, of a target with *settings*."""
    kind = settings["sequence_type"]
    if kind == "timestamp":
        at = _EPOCH + timedelta(microseconds=number)
        return at.replace(tzinfo=None) if "naive_versions" in settings else at
    return _EPOCH.date() + timedelta(days=number) if kind == "date" else number


def last_version(spark: SparkSession, held: Target, mark: Mark | None) -> tuple[Version, int]:
    """The version applied last (None at first), and when that was recorded (0 if it is not known)."""
    if not held.is_made:
        return None, 0
    of_texts = held.settings["sequence_type"] == "string"
    newest: object
    if mark and mark.source_version is not None and mark.settings.get("generation") == held.settings["generation"]:
        newest, at_ms = mark.settings["version"] if of_texts else mark.source_version, mark.at_ms
    else:
        newest, at_ms = _newest_bound(spark, held), 0
    return newest if of_texts else _version(int(str(newest)), held.settings), at_ms


def _newest_bound(spark: SparkSession, held: Target) -> object:
    """The greatest version that *held* shows; later ones, which changed nothing, may be applied again."""
    first = held.settings["first_version"]
    if held.settings["scd_type"] != "2":
        return first
    kind = held.settings["sequence_type"]
    written = {"timestamp": "unix_micros({})", "date": "unix_date({})"}.get(kind, "{}")
    newest = written.format(f"max(greatest({START}, {END}))")
    otherwise = text(first) if kind == "string" else first
    return only_row(spark.sql(f"SELECT coalesce({newest}, {otherwise}) FROM {held.name}"))[0]
