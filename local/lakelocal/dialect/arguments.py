"""`spark.sql(text, args)`: parameter markers are replaced by literals.

Delta's parser loses the arguments of Spark's own markers (delta-io/delta#7640), so they cannot be sent beside the text.
A marker in a string or a comment is text, and a colon right after a value accesses JSON (`raw:owner`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pyspark.sql.connect.proto as proto

from lakelocal.sql.tokens import Token, parameter_markers, tokenize
from lakelocal.sql.writing import Edit, apply, literal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIX = {"byte": "Y", "short": "S", "integer": "", "long": "L"}
_Field = Literal["named_arguments", "args", "pos_arguments", "pos_args"]
_FIELDS: tuple[_Field, ...] = ("named_arguments", "args", "pos_arguments", "pos_args")


def fill_arguments(sql: str, holder: proto.SQL | proto.SqlCommand) -> str:
    """*sql* with its markers replaced by the arguments of *holder*, which are then removed from *holder*.

    A marker without an argument stays, so that Spark reports it. If any argument cannot be written as SQL, nothing is
    changed.
    """
    named, positional = _written(holder)
    tokens = tokenize(sql) if named or positional else None
    texts = {name: text for name, text in named.items() if text is not None}
    in_order = [text for text in positional if text is not None]
    if not tokens or len(texts) + len(in_order) < len(named) + len(positional):
        return sql
    markers = (marker for marker in parameter_markers(tokens) if marker.name in texts)
    edits = [Edit(marker.start, marker.end, texts[marker.name]) for marker in markers]
    edits += _positional(tokens, in_order)
    for field in _FIELDS:
        holder.ClearField(field)
    return apply(sql, edits)


def literal_text(value: proto.Expression.Literal) -> str | None:
    """*value* as SQL; None for a kind of literal that cannot be written here."""
    kind = value.WhichOneof("literal_type")
    if kind is None:
        return None
    if kind in _SUFFIX:
        return f"{getattr(value, kind)}{_SUFFIX[kind]}"
    if kind in ("array", "map"):
        return _nested(value, kind)
    writer = _WRITERS.get(kind)
    return writer(getattr(value, kind)) if writer else None


def _nested(value: proto.Expression.Literal, kind: str) -> str | None:
    if kind == "array":
        parts = [literal_text(each) for each in value.array.elements]
    else:
        pairs = zip(value.map.keys, value.map.values, strict=True)
        parts = [literal_text(each) for pair in pairs for each in pair]
    return _call(kind, parts)


def _call(name: str, parts: Sequence[str | None]) -> str | None:
    """The call of a function; None if one of its arguments cannot be written."""
    texts = [part for part in parts if part is not None]
    return f"{name}({', '.join(texts)})" if len(texts) == len(parts) else None


def _float(value: float, kind: str) -> str:
    return f"CAST('{value!r}' AS {kind})"


def _decimal(value: proto.Expression.Literal.Decimal) -> str:
    """A decimal with the type that its digits need, as for Spark's literals: the client always declares (10, 0)."""
    digits, scale = value.value.lstrip("-").replace(".", ""), len(value.value.partition(".")[2])
    return f"CAST('{value.value}' AS DECIMAL({max(len(digits), scale)}, {scale}))"


def _ntz(micros: int) -> str:
    return f"TIMESTAMP_NTZ '{(_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None).isoformat(sep=' ')}'"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "null": lambda _: "NULL",
    "boolean": lambda value: str(value).upper(),
    "string": literal,
    "binary": lambda value: f"X'{value.hex()}'",
    "float": lambda value: _float(value, "FLOAT"),
    "double": lambda value: _float(value, "DOUBLE"),
    "decimal": _decimal,
    "date": lambda days: f"DATE '{date(1970, 1, 1) + timedelta(days=days)}'",
    "timestamp": lambda micros: f"timestamp_micros({micros})",
    "timestamp_ntz": _ntz,
    "day_time_interval": lambda micros: f"make_dt_interval(0, 0, 0, {micros // 10**6}.{micros % 10**6:06d})",
}


def _written(holder: proto.SQL | proto.SqlCommand) -> tuple[dict[str, str | None], list[str | None]]:
    named = {key: literal_text(value) for key, value in holder.args.items()}
    named |= {key: _expression(value) for key, value in holder.named_arguments.items()}
    positional = [literal_text(value) for value in holder.pos_args]
    return named, positional + [_expression(value) for value in holder.pos_arguments]


def _expression(value: proto.Expression) -> str | None:
    """The SQL of a literal, or of a constructor with literals such as `array(1, 2)`; None for anything else."""
    if value.HasField("literal"):
        return literal_text(value.literal)
    if value.HasField("unresolved_function"):
        function = value.unresolved_function
        parts = [_expression(argument) for argument in function.arguments]
        return _call(function.function_name, parts)
    return None


def _positional(tokens: tuple[Token, ...], values: list[str]) -> Iterator[Edit]:
    markers = [token for token in tokens if token.text == "?" and token.kind == "symbol"]
    for marker, value in zip(markers, values, strict=False):
        yield Edit(marker.start, marker.end, value)
