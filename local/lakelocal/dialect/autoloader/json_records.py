"""The records of JSON files, and the types of their values as Spark's own inference finds them.

Source: Spark, "JSON Files": whole numbers are BIGINT, larger ones DECIMAL, fractions DOUBLE; a string is a STRING
whatever it looks like, unless `prefersDecimal` or `inferTimestamp` is set.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.text_files import read_text
from lakelocal.dialect.autoloader.types import BIGINT, BOOLEAN, DOUBLE, NULL, STRING, Array, Simple, Struct, Type, merge

_LINES = re.compile(r"\r\n|\r|\n")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?")
_LONGEST, _MOST_DIGITS = 2**63, 38


def records(file: Path, source: Source) -> Iterator[dict[str, Any]]:
    """The objects in *file*; anything that is not a JSON object is left out here, and rescued when it is read."""
    text = read_text(file, "utf-8-sig")
    separator = source.option("lineSep", "")
    lines = text.split(separator) if separator else _LINES.split(text)
    for part in [text] if source.multi_line else lines:
        value = _value(part, single_quotes=source.option("allowSingleQuotes", "true").lower() == "true")
        yield from (row for row in (value if isinstance(value, list) else [value]) if isinstance(row, dict))


def row_type(file: Path, source: Source) -> Type:
    """The struct type that all records of *file* fit; NULL if there are no records."""
    typed = _Types(source)
    found: Type = NULL
    for record in records(file, source):
        found = merge(found, typed.of(record))
    return found


def _value(text: str, *, single_quotes: bool) -> Any:
    """The value of *text*; None if it is not JSON."""
    text = text.strip()
    if not text:
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        if not single_quotes or "'" not in text:
            return None
    try:
        return json.loads(_QUOTED.sub(_double_quoted, text), parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def _double_quoted(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    return '"' + found[1].replace("\\'", "'").replace('"', '\\"') + '"'


class _Types:
    """Infers the types of values, by the options of *source*."""

    def __init__(self, source: Source) -> None:
        def asked(name: str) -> bool:
            return source.option(name, "false").lower() == "true"

        self._decimals, self._timestamps = asked("prefersDecimal"), asked("inferTimestamp")
        self._texts = asked("primitivesAsString")

    def of(self, value: Any) -> Type:
        if isinstance(value, dict):
            row = Struct(())
            for name, inner in value.items():
                if not name:
                    continue  # no column can have this name, so its value is rescued
                known = row.get(name)
                kind = self.of(inner)
                row = row.put(name, kind if known is None else merge(known, kind))
            return row
        if isinstance(value, list):
            element: Type = NULL
            for inner in value:
                element = merge(element, self.of(inner))
            return Array(element)
        if value is None:
            return NULL
        return STRING if self._texts else self._simple(value)

    def _simple(self, value: Any) -> Type:
        if isinstance(value, bool):
            return BOOLEAN
        if isinstance(value, int):
            return BIGINT if -_LONGEST <= value < _LONGEST else _decimal(Decimal(value)) or DOUBLE
        if isinstance(value, Decimal | float):
            return (self._decimals and isinstance(value, Decimal) and _decimal(value)) or DOUBLE
        if self._decimals and (found := _number(value)) is not None:
            return _decimal(found) or DOUBLE
        return Simple("TIMESTAMP") if self._timestamps and _TIMESTAMP.fullmatch(value) else STRING


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _decimal(value: Decimal) -> Simple | None:
    """The type of *value*; None if it has more digits than a decimal can have."""
    parts = value.as_tuple()
    assert isinstance(parts.exponent, int), "a finite number"
    scale = max(-parts.exponent, 0)
    precision = max(len(parts.digits) + max(parts.exponent, 0), scale)
    return Simple(f"DECIMAL({precision},{scale})") if precision <= _MOST_DIGITS else None
