"""Literal bounds on the keys: with them, Delta skips the files whose statistics exclude the keys of a batch.

Open-source Delta prunes files by literals in a filter or in the condition of a MERGE, but not by a join. So the keys of
a small batch are written out as ranges, one per key or per group of neighbours; a large batch gets the range from its
lowest to its highest key.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import Row
from pyspark.sql.types import (
    ByteType,
    DataType,
    DateType,
    DecimalType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    StructField,
)

from .columns import quote
from .delta import text

FEW_KEYS = 1_000
_RANGES = 50
_KINDS = (ByteType, ShortType, IntegerType, LongType, DecimalType, DateType)


def is_bounded(kind: DataType) -> bool:
    """Do keys of this type get bounds? Only those that Python and Spark order in the same way do."""
    return isinstance(kind, _KINDS) or kind == StringType()


def literal(value: object) -> str:
    """*value* as SQL."""
    if isinstance(value, datetime):
        raise TypeError("a timestamp has no bound here: its zone depends on the session")
    if isinstance(value, date):
        return f"DATE'{value.isoformat()}'"
    if isinstance(value, Decimal):
        return f"{value:f}BD"
    return text(value) if isinstance(value, str) else str(value)


def bounds(keys: Sequence[StructField], rows: Sequence[Row]) -> str:
    """SQL over `{t}`: where the keys in *rows* can be, from the values of each key column.

    Args:
        rows: the touched keys, or two rows with the lowest and highest value of each key column.
    """
    parts = []
    for index, key in enumerate(keys):
        values = sorted({row[index] for row in rows if row[index] is not None}) if is_bounded(key.dataType) else []
        if values:
            name = "{t}." + quote(key.name).replace("{", "{{").replace("}", "}}")
            parts.append("(" + " OR ".join(_range(name, *pair) for pair in _ranges(values)) + ")")
    return " AND ".join(parts) or "true"


def extremes(keys: Sequence[StructField], least_and_greatest: Sequence[object]) -> str:
    """SQL over `{t}`: between the lowest and the highest value of each key column, given as l, h, l, h, ..."""
    parts = []
    for index, key in enumerate(keys):
        least, greatest = least_and_greatest[2 * index : 2 * index + 2]
        if is_bounded(key.dataType) and least is not None:
            name = "{t}." + quote(key.name).replace("{", "{{").replace("}", "}}")
            parts.append(_range(name, least, greatest))
    return " AND ".join(parts) or "true"


def _ranges(values: list[Any]) -> list[tuple[Any, Any]]:
    size = -(-len(values) // _RANGES)
    return [(values[at], values[min(at + size, len(values)) - 1]) for at in range(0, len(values), size)]


def _range(name: str, least: object, greatest: object) -> str:
    if least == greatest:
        return f"{name} = {_braced(least)}"
    return f"({name} >= {_braced(least)} AND {name} <= {_braced(greatest)})"


def _braced(value: object) -> str:
    return literal(value).replace("{", "{{").replace("}", "}}")
