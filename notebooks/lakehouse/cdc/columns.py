"""The columns of a target: those that a call stores, keys by, orders by and tracks, checked against the source."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType, VariantType

from .delta import text
from .flow import Flow, refuse

START, END = "__START_AT", "__END_AT"
INTERNAL = "__cdc_"
_MICROS = "yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSS"
_WHOLE_TIMES = f"map('timestampFormat', '{_MICROS}XXX', 'timestampNTZFormat', '{_MICROS}')"  # else to milliseconds
SEQUENCE, DELETE, TRUNCATE, GONE = (INTERNAL + name for name in ("sequence", "delete", "truncate", "gone"))


@dataclass(frozen=True)
class Columns:
    """The columns of one target; each *field* has a name as the source spells it, and its type.

    *values* are the stored columns that are not keys, in the target's order; *tracked* are the names of those whose
    changes open a version. *sequence* is SQL over the source's columns. *order* are the names of all stored columns, in
    the order of a new target.
    """

    keys: tuple[StructField, ...]
    values: tuple[StructField, ...]
    tracked: tuple[str, ...]
    sequence: str
    sequence_type: DataType
    order: tuple[str, ...]

    @property
    def key_names(self) -> list[str]:
        return [field.name for field in self.keys]

    @property
    def value_names(self) -> list[str]:
        return [field.name for field in self.values]

    @property
    def untracked(self) -> list[str]:
        return [name for name in self.value_names if name not in self.tracked]


def quote(name: str) -> str:
    """*name* as a SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def sql_type(kind: DataType) -> str:
    """*kind* as a SQL type, whatever the names of its fields."""
    if isinstance(kind, StructType):
        return f"struct<{','.join(f'{quote(f.name)}:{sql_type(f.dataType)}' for f in kind.fields)}>"
    if isinstance(kind, ArrayType):
        return f"array<{sql_type(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"map<{sql_type(kind.keyType)},{sql_type(kind.valueType)}>"
    return kind.simpleString()


def resolve_columns(flow: Flow, source: StructType) -> Columns:
    """Resolve the columns of *flow* against the columns of *source*.

    Without `column_list`, all columns are stored except those that begin with `_`: they describe the delivery, not the
    event. A `column_list` may name them.

    Raises:
        ChangeArgumentsError: a column is missing, has a reserved name, or has a type that cannot be a key, a sequence
            or tracked.
    """
    find = _finder(flow, source)
    keys = [find(name, "keys") for name in flow.keys]
    stored = _stored(flow, source, find)
    names = [field.name for field in stored]
    for key in keys:
        if key.name not in names:
            refuse(flow.target, f"the key `{key.name}` outside the stored columns", "all keys among them", "Store it")
        _orderable(flow, key, "a key")
    _check_reserved(flow, source, names)
    values = tuple(field for field in stored if field.name not in {key.name for key in keys})
    tracked = _tracked(flow, values, find)
    for field in values:
        if field.name in tracked and flow.keeps_history:
            _orderable(flow, field, "tracked", "Name it in `track_history_except_column_list`")
    order = [find(name, "sequence_by") for name in flow.sequence_by]
    for field in order:
        _orderable(flow, field, "a sequence")
    sequence, kind = _sequence(order)
    return Columns(tuple(keys), values, tracked, sequence, kind, tuple(names))


_Find = Callable[[str, str], StructField]  # by the name of a column and the argument that names it


def _finder(flow: Flow, source: StructType) -> _Find:
    known = {field.name.lower(): field for field in source.fields}

    def find(name: str, argument: str) -> StructField:
        if name.lower() not in known:
            columns = ", ".join(f"`{field.name}`" for field in source.fields)
            refuse(
                flow.target,
                f"the column `{name}` in `{argument}`",
                f"columns of `{flow.source}`: {columns}",
                "Correct the name",
            )
        return known[name.lower()]

    return find


def _stored(flow: Flow, source: StructType, find: _Find) -> list[StructField]:
    if flow.column_list:
        return [find(name, "column_list") for name in flow.column_list]
    left_out = {find(name, "except_column_list").name for name in flow.except_column_list}
    keys = {find(name, "keys").name for name in flow.keys} - left_out
    return [
        field
        for field in source.fields
        if field.name in keys
        or (field.name not in left_out and (not field.name.startswith("_") or field.name.upper() in (START, END)))
    ]


def _tracked(flow: Flow, values: Iterable[StructField], find: _Find) -> tuple[str, ...]:
    names = [field.name for field in values]
    for argument in ("track_history_column_list", "track_history_except_column_list"):
        listed = [find(name, argument).name for name in getattr(flow, argument)]
        if outside := [name for name in listed if name not in names]:
            refuse(
                flow.target,
                f"the column `{outside[0]}` in `{argument}`",
                f"stored columns that are no keys: {', '.join(f'`{name}`' for name in names)}",
                "Correct the list",
            )
        if listed:
            return tuple(name for name in names if (name in listed) == (argument == "track_history_column_list"))
    return tuple(names)


def _check_reserved(flow: Flow, source: StructType, stored: list[str]) -> None:
    for name in stored:
        if name.upper() in (START, END):
            refuse(
                flow.target,
                f"the column `{name}` among the stored columns",
                f"`{START}` and `{END}` to be free for the target's own columns",
                "Rename it in the source, or name it in `except_column_list`",
            )
    for field in source.fields:
        if field.name.lower().startswith(INTERNAL):
            refuse(
                flow.target,
                f"the column `{field.name}` in `{flow.source}`",
                f"no name that begins with `{INTERNAL}`",
                "Rename it in the source",
            )


def is_orderable(kind: DataType) -> bool:
    """Can values of this type be compared? Not maps and variants, nor types that contain them."""
    if isinstance(kind, StructType):
        return all(is_orderable(field.dataType) for field in kind.fields)
    if isinstance(kind, ArrayType):
        return is_orderable(kind.elementType)
    return not isinstance(kind, MapType | VariantType)


def _orderable(flow: Flow, field: StructField, role: str, advice: str = "Choose another column") -> None:
    if not is_orderable(field.dataType):
        refuse(
            flow.target,
            f"the column `{field.name}` of type {field.dataType.simpleString().upper()} as {role}",
            "a type whose values can be compared (no MAP, no VARIANT)",
            advice,
        )


def _sequence(order: list[StructField]) -> tuple[str, DataType]:
    if not order:
        return "", StructType()
    if len(order) == 1:
        return quote(order[0].name), order[0].dataType
    fields = ", ".join(f"{text(field.name)}, {quote(field.name)}" for field in order)
    return f"named_struct({fields})", StructType([StructField(field.name, field.dataType) for field in order])


def is_null(expression: str, kind: DataType) -> str:
    """SQL: is this sequence, or any part of it, NULL?"""
    parts = [f"{expression} IS NULL"]
    if isinstance(kind, StructType):
        parts += [is_null(f"{expression}.{quote(field.name)}", field.dataType) for field in kind.fields]
    return f"({' OR '.join(parts)})"


def comparable(expression: str, kind: DataType) -> str:
    """SQL by which two values are compared: the value itself, or its text if it contains a map or a variant."""
    if is_orderable(kind):
        return expression
    return f"CASE WHEN {expression} IS NOT NULL THEN to_json(struct({expression}), {_WHOLE_TIMES}) END"
