"""What a target remembers, in its table properties, of how it was made; and how it grows with its source."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from lakehouse.changes.columns import END, START, Columns, quote, sql_type
from lakehouse.changes.request import Request
from lakehouse.errors import ChangeTargetError
from lakehouse.tables import text

PREFIX = "lakehouse.cdc."
_NEEDS_MAPPING = set(" ,;{}()\n\t=")  # characters that Delta takes in names by column mapping only
_OF_DELTA = ("delta.columnMapping.maxColumnId", "delta.rowTracking.materialized")  # properties that no one may set
_ABSENT = ("TABLE_OR_VIEW_NOT_FOUND", "DELTA_TABLE_NOT_FOUND", "DELTA_MISSING_DELTA_TABLE")


@dataclass(frozen=True)
class Target:
    """A target as it is now: its columns, the settings that it remembers, and what a replacement has to keep.

    *settings* is empty where the table was not made by `cdc`; *columns* is None where there is no table. *properties*
    are those that its user gave it.
    """

    name: str
    columns: StructType | None = None
    settings: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    comment: str | None = None

    @property
    def is_made(self) -> bool:
        return bool(self.settings)

    def type_of(self, name: str) -> DataType | None:
        """The type of the column *name*, in any case of its letters; None where there is none."""
        found = [f for f in (self.columns or StructType()).fields if f.name.lower() == name.lower()]
        return found[0].dataType if found else None


def read_target(spark: SparkSession, name: str) -> Target:
    """The table *name*.

    Raises:
        ChangeTargetError: there is a table with rows that `cdc` has not made.
    """
    try:
        detail = spark.sql(f"DESCRIBE DETAIL {name}").first()
    except PySparkException as error:
        if (error.getCondition() or "").startswith(_ABSENT):
            return Target(name)
        raise
    properties = detail["properties"] or {}
    settings = {key.removeprefix(PREFIX): value for key, value in properties.items() if key.startswith(PREFIX)}
    table = spark.table(name)
    if not settings and not table.isEmpty():
        raise ChangeTargetError(
            f"`{name}`: found a table with rows that were not written by `apply_changes`; expected none, an empty one, "
            "or a target of an earlier call. Choose another name, or drop the table.",
            table=name,
        )
    others = {key: value for key, value in properties.items() if not key.startswith((PREFIX, *_OF_DELTA))}
    return Target(name, table.schema, settings, others, detail["description"])


def settings_of(request: Request, columns: Columns) -> dict[str, str]:
    """What a target made by *request* has to remember."""
    return {
        "source": request.source,
        "keys": json.dumps(sorted(f"{key.name.lower()} {key.dataType.simpleString()}" for key in columns.keys)),
        "sequence_type": columns.sequence_type.simpleString(),
        "scd_type": str(request.stored_as_scd_type),
        "tracked": json.dumps(sorted(name.lower() for name in columns.tracked)),
        "untracked": json.dumps(sorted(name.lower() for name in columns.untracked)),
        "ignore_null_updates": str(request.ignore_null_updates).lower(),
    }


_NAMES = {
    "source": "source",
    "keys": "keys",
    "sequence_type": "type of `sequence_by`",
    "scd_type": "SCD type",
    "ignore_null_updates": "ignore_null_updates",
}


def check_kind(target: Target, asked: str) -> None:
    """Hold what a call applies, `change events` or `snapshots`, against what *target* was made from.

    Raises:
        ChangeTargetError: it was made from the other.
    """
    had = "snapshots" if "generation" in target.settings else "change events"
    if target.is_made and had != asked:
        _drift(target, "a source of", had, asked)


def check_settings(target: Target, asked: dict[str, str]) -> None:
    """Hold a call against what *target* remembers.

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
    had, has = _tracking(target.settings), _tracking(asked)
    if any(had[name] != has[name] for name in had.keys() & has.keys()):
        _drift(target, "tracked columns", target.settings["tracked"], asked["tracked"])


def _is_same_table(one: str, other: str) -> bool:
    """Do two names stand for one table: in any case of their letters, quoted or not, with their catalog or without?"""
    short, long = sorted((name.lower().replace("`", "").split(".") for name in (one, other)), key=len)
    return long[-len(short) :] == short and len(short) > 1


def _tracking(settings: dict[str, str]) -> dict[str, bool]:
    tracked = dict.fromkeys(json.loads(settings["tracked"]), True)
    return tracked | dict.fromkeys(json.loads(settings["untracked"]), False)


def _drift(target: Target, what: str, had: str, asked: str) -> None:
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


def missing_columns(target: Target, columns: Columns) -> list[tuple[str, DataType]]:
    """The columns, and the fields at the end of structs, that *target* has to gain: SQL paths and types.

    Raises:
        ChangeTargetError: the type of a stored column has changed.
    """
    missing = []
    for f in [*columns.keys, *columns.values]:
        there = target.type_of(f.name)
        if there is None:
            missing.append((quote(f.name), f.dataType))
        else:
            missing += _missing(target, f, there, quote(f.name))
    return missing


def _missing(target: Target, column: StructField, there: DataType, path: str) -> list[tuple[str, DataType]]:
    if there.simpleString() == column.dataType.simpleString():
        return []
    if isinstance(there, StructType) and isinstance(column.dataType, StructType):
        common = list(zip(there.fields, column.dataType.fields, strict=False))
        if len(common) == len(there.fields) and all(old.name == new.name for old, new in common):
            added = [(f"{path}.{quote(new.name)}", new.dataType) for new in column.dataType.fields[len(common) :]]
            for old, new in common:
                added += _missing(target, new, old.dataType, f"{path}.{quote(new.name)}")
            return added
    raise ChangeTargetError(
        f"`{target.name}`: found the type {column.dataType.simpleString().upper()} of `{path.replace('`', '')}` in the "
        f"source; expected {there.simpleString().upper()}, as the table has it. Cast it in the source, or drop the "
        "table to derive it anew.",
        table=target.name,
        column=path.replace("`", ""),
    )


def grow_target(spark: SparkSession, target: Target, columns: Columns, asked: dict[str, str]) -> None:
    """Give *target* the columns that it lacks, before the last two of its own.

    What it remembers of the tracked columns grows first, so that a call killed in between grows the rest.
    """
    missing = missing_columns(target, columns)
    if not missing:
        return
    known = _tracking(target.settings) | _tracking(asked)
    properties = mapping(columns) | {
        f"{PREFIX}tracked": json.dumps(sorted(name for name in known if known[name])),
        f"{PREFIX}untracked": json.dumps(sorted(name for name in known if not known[name])),
    }
    listed = ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())
    spark.sql(f"ALTER TABLE {target.name} SET TBLPROPERTIES ({listed})")
    own = [f.name for f in target.columns.fields if f.name.upper() not in (START, END)]
    after, added = quote(own[-1]), []
    for path, kind in missing:
        top = "`.`" not in path
        added.append(f"{path} {sql_type(kind)}" + (f" AFTER {after}" if top else ""))
        after = path if top else after
    for one in added:
        spark.sql(f"ALTER TABLE {target.name} ADD COLUMNS ({one})")


def mapping(columns: Columns) -> dict[str, str]:
    """The table property without which Delta refuses a name of *columns*, where there is such a name."""
    fields = [*columns.keys, *columns.values]
    needed = any(_NEEDS_MAPPING & set(name) for name in _all_names(StructType(fields)))
    return {"delta.columnMapping.mode": "name"} if needed else {}


def _all_names(kind: DataType) -> Iterable[str]:
    """The names of the fields of *kind*, at any depth."""
    if isinstance(kind, StructType):
        for one in kind.fields:
            yield one.name
            yield from _all_names(one.dataType)
    elif isinstance(kind, ArrayType):
        yield from _all_names(kind.elementType)
    elif isinstance(kind, MapType):
        yield from _all_names(kind.keyType)
        yield from _all_names(kind.valueType)
