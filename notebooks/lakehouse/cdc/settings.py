"""What a target remembers, in its table properties, of how it was made, and how a call is checked against it."""

import json
from dataclasses import dataclass, field, replace
from typing import NoReturn

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, StructType

from .columns import Columns
from .delta import columns_of, detail_of, text
from .errors import ChangeTargetError
from .flow import Flow
from .progress import Mark, is_unchanged

PREFIX = "lakehouse.cdc."
_OF_DELTA = ("delta.columnMapping.maxColumnId", "delta.rowTracking.materialized")  # properties that nobody may set


@dataclass(frozen=True)
class Target:
    """A target in its current state: its columns, the settings that it remembers, and what a replacement has to keep.

    *settings* is empty if the table was not made by `cdc`; *columns* is None if there is no table. *properties* and
    *comment* are those that its user set, and are read only if it may be replaced; *comments* are those of its columns,
    by lower-case name. If *is_as_marked*, nothing has been committed to it since its progress was recorded.
    """

    name: str
    columns: StructType | None = None
    settings: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    comment: str | None = None
    comments: dict[str, str] = field(default_factory=dict)
    is_as_marked: bool = False

    @property
    def is_made(self) -> bool:
        return bool(self.settings)

    def type_of(self, name: str) -> DataType | None:
        """The type of the column *name*, ignoring case; None if there is no such column."""
        found = [f for f in (self.columns or StructType()).fields if f.name.lower() == name.lower()]
        return found[0].dataType if found else None


def read_target(spark: SparkSession, name: str, mark: Mark | None) -> Target:
    """Read the table *name*; the settings of a target that has not changed since *mark* are not queried.

    Raises:
        ChangeTargetError: there is a table with rows that `cdc` did not make.
    """
    columns = columns_of(spark, name)
    if columns is None:
        return Target(name)
    comments = {f.name.lower(): f.metadata["comment"] for f in columns.fields if "comment" in f.metadata}
    if mark and mark.settings and is_unchanged(spark, mark):
        return Target(name, columns, mark.settings, comments=comments, is_as_marked=True)
    detail = detail_of(spark, name)
    settings = {key.removeprefix(PREFIX): value for key, value in detail.properties.items() if key.startswith(PREFIX)}
    if not settings and not spark.table(name).isEmpty():
        raise ChangeTargetError(
            f"`{name}`: found a table with rows that were not written by `apply_changes`; expected none, an empty one, "
            "or a target of an earlier call. Choose another name, or drop the table.",
            table=name,
        )
    others = {key: value for key, value in detail.properties.items() if not key.startswith((PREFIX, *_OF_DELTA))}
    return Target(name, columns, settings, others, detail.comment, comments)


def settings_of(flow: Flow, columns: Columns) -> dict[str, str]:
    """What a target made by *flow* has to remember."""
    return {
        "source": flow.source,
        "keys": json.dumps(sorted(f"{key.name.lower()} {key.dataType.simpleString()}" for key in columns.keys)),
        "sequence_type": columns.sequence_type.simpleString(),
        "scd_type": str(flow.stored_as_scd_type),
        "tracked": json.dumps(sorted(name.lower() for name in columns.tracked)),
        "untracked": json.dumps(sorted(name.lower() for name in columns.untracked)),
        "ignore_null_updates": str(flow.ignore_null_updates).lower(),
        "sequence_by": json.dumps([name.lower() for name in flow.sequence_by]),
        "apply_as_deletes": (flow.apply_as_deletes or "").strip(),
        "apply_as_truncates": (flow.apply_as_truncates or "").strip(),
    }


_NAMES = {
    "source": "source",
    "keys": "keys",
    "sequence_type": "type of `sequence_by`",
    "scd_type": "SCD type",
    "ignore_null_updates": "ignore_null_updates",
}
_READINGS = ("sequence_by", "apply_as_deletes", "apply_as_truncates")


def check_kind(target: Target, asked: str) -> None:
    """Check what a call applies, `change events` or `snapshots`, against what *target* was made from.

    Raises:
        ChangeTargetError: it was made from the other.
    """
    had = "snapshots" if "generation" in target.settings else "change events"
    if target.is_made and had != asked:
        _drift(target, "a source of", had, asked)


def check_settings(target: Target, asked: dict[str, str]) -> None:
    """Check a call against what *target* remembers.

    Raises:
        ChangeTargetError: they differ; the message shows both sides.
    """
    if not target.is_made:
        return
    for name, shown in _NAMES.items():
        had = target.settings.get(name, "")
        if asked[name] != had and not (name == "source" and _is_same_table(asked[name], had)):
            _drift(target, shown, had, asked[name])
    if asked["scd_type"] != "2":
        return
    before, now = tracking(target.settings), tracking(asked)
    if any(before[name] != now[name] for name in before.keys() & now.keys()):
        _drift(target, "tracked columns", target.settings["tracked"], asked["tracked"])


def reads_otherwise(target: Target, asked: dict[str, str]) -> bool:
    """Does a call read the events in another way than *target* remembers: by another column or condition?

    The rows have the same form as before, but each of them may be different.
    """
    return target.is_made and any(target.settings.get(name) != asked[name] for name in _READINGS)


def remember_reading(spark: SparkSession, target: Target, asked: dict[str, str]) -> None:
    """Let *target* remember how this call reads the events; call it after the data is written."""
    set_properties(spark, target, {PREFIX + name: asked[name] for name in _READINGS})


def set_properties(spark: SparkSession, target: Target, properties: dict[str, str]) -> None:
    """Set table properties of *target*, in a commit of their own."""
    spark.sql(f"ALTER TABLE {target.name} SET TBLPROPERTIES ({listed(properties)})")


def listed(properties: dict[str, str]) -> str:
    """*properties* as SQL between the parentheses of TBLPROPERTIES."""
    return ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())


def _is_same_table(one: str, other: str) -> bool:
    """Do two names refer to the same table, ignoring case, quotes and whether they have a catalog?"""
    short, long = sorted((name.lower().replace("`", "").split(".") for name in (one, other)), key=len)
    return long[-len(short) :] == short and len(short) > 1


def tracking(settings: dict[str, str]) -> dict[str, bool]:
    """For each column, whether its changes open a version."""
    tracked = dict.fromkeys(json.loads(settings["tracked"]), True)
    return tracked | dict.fromkeys(json.loads(settings["untracked"]), False)


def _drift(target: Target, what: str, had: str, asked: str) -> NoReturn:
    raise ChangeTargetError(
        f"`{target.name}`: found {what} {asked} in this call; expected {had}, with which the table was made. "
        "Call it as before, or drop the table to derive it anew.",
        table=target.name,
        setting=what,
        found=asked,
        expected=had,
    )


def in_target_order(columns: Columns, target: Target) -> Columns:
    """*columns* with their values in the order of the target, new ones last; ties are decided in that order."""
    place = {f.name.lower(): i for i, f in enumerate((target.columns or StructType()).fields)}
    last = len(place)
    values = sorted(columns.values, key=lambda f: place.get(f.name.lower(), last))  # stable
    return replace(columns, values=tuple(values))
