"""How a target grows with its source: the columns, and the fields of structs, that it has to gain."""

import json
from collections.abc import Iterable

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from .columns import END, START, Columns, quote, sql_type
from .errors import ChangeTargetError
from .settings import PREFIX, Target, set_properties, tracking

_NEEDS_MAPPING = set(" ,;{}()\n\t=")  # characters that Delta allows in names only with column mapping


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
    """Add the columns that *target* lacks, before the last two of its own.

    What it remembers of the tracked columns grows first, so that a repeated call adds the rest if this one is killed.
    """
    missing = missing_columns(target, columns)
    if not missing or target.columns is None:
        return
    known = tracking(target.settings) | tracking(asked)
    properties = mapping(columns) | {
        f"{PREFIX}tracked": json.dumps(sorted(name for name in known if known[name])),
        f"{PREFIX}untracked": json.dumps(sorted(name for name in known if not known[name])),
    }
    set_properties(spark, target, properties)
    own = [f.name for f in target.columns.fields if f.name.upper() not in (START, END)]
    after, added = quote(own[-1]), []
    for path, kind in missing:
        top = "`.`" not in path
        added.append(f"{path} {sql_type(kind)}" + (f" AFTER {after}" if top else ""))
        after = path if top else after
    for one in added:
        spark.sql(f"ALTER TABLE {target.name} ADD COLUMNS ({one})")


def mapping(columns: Columns) -> dict[str, str]:
    """The table property without which Delta refuses a name in *columns*; empty if there is no such name."""
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
