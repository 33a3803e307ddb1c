"""The types of columns as values: read from DDL or from Spark's types, written as DDL, merged field by field.

Names are compared case-insensitively, as Auto Loader does when it infers a schema.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from lakelocal.errors import DialectError
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Simple:
    """A type without parts, with its name in DDL such as `DECIMAL(12,2)`."""

    name: str

    @property
    def ddl(self) -> str:
        return self.name

    @property
    def decimal(self) -> tuple[int, int] | None:
        """The precision and scale of a decimal; None for any other type."""
        found = re.fullmatch(r"(?i)(?:DECIMAL|DEC|NUMERIC)(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", self.name)
        return None if found is None else (int(found[1] or 10), int(found[2] or 0))


@dataclass(frozen=True)
class Array:
    element: "Type"

    @property
    def ddl(self) -> str:
        return f"ARRAY<{self.element.ddl}>"


@dataclass(frozen=True)
class Map:
    key: "Type"
    value: "Type"

    @property
    def ddl(self) -> str:
        return f"MAP<{self.key.ddl},{self.value.ddl}>"


@dataclass(frozen=True)
class Field:
    name: str
    type: "Type"

    @property
    def ddl(self) -> str:
        return f"{quoted(self.name)}: {self.type.ddl}"


@dataclass(frozen=True)
class Struct:
    fields: tuple[Field, ...]

    @property
    def ddl(self) -> str:
        return f"STRUCT<{', '.join(field.ddl for field in self.fields)}>"

    def get(self, name: str) -> "Type | None":
        """The type of the field *name*, compared case-insensitively; None if there is no such field."""
        return next((field.type for field in self.fields if field.name.lower() == name.lower()), None)

    def put(self, name: str, kind: "Type") -> "Struct":
        """The struct with *kind* as the type of the field *name*; a new field is added at the end."""
        if self.get(name) is None:
            return Struct((*self.fields, Field(name, kind)))
        same = name.lower()
        return Struct(tuple(Field(f.name, kind) if f.name.lower() == same else f for f in self.fields))


Type = Simple | Array | Map | Struct

STRING, BIGINT, DOUBLE, BOOLEAN = Simple("STRING"), Simple("BIGINT"), Simple("DOUBLE"), Simple("BOOLEAN")
# A type that is not known yet: that of NULL, and of the elements of an empty array.
NULL = Simple("VOID")
_LONG_DIGITS, _MOST_DIGITS = 20, 38


def from_spark(kind: DataType) -> Type:
    """The type that corresponds to Spark's *kind*."""
    if isinstance(kind, StructType):
        return Struct(tuple(Field(field.name, from_spark(field.dataType)) for field in kind.fields))
    if isinstance(kind, ArrayType):
        return Array(from_spark(kind.elementType))
    if isinstance(kind, MapType):
        return Map(from_spark(kind.keyType), from_spark(kind.valueType))
    return Simple(kind.simpleString())


def parse_type(ddl: str) -> Type:
    """The type that *ddl* such as `ARRAY<STRUCT<a: INT, b STRING COMMENT 'x'>>` names.

    Raises:
        DialectError: brackets or names are missing; whether a simple type exists is for Spark to decide.
    """
    reader = _Reader(ddl)
    kind = reader.type()
    if reader.rest:
        raise reader.error()
    return kind


# `INT`, `DECIMAL(12, 2)`, `INTERVAL DAY TO SECOND`, `TIMESTAMP WITHOUT TIME ZONE`, `STRING COLLATE UNICODE`.
_SIMPLE = r"(INTERVAL\s+)?\w+(\s*\([^)]*\))?(\s+(TO|WITHOUT|WITH|LOCAL|TIME|ZONE|COLLATE)\b(\s+\w+)?)*"


class _Reader:
    """Reads a type from the beginning of a text."""

    def __init__(self, ddl: str) -> None:
        self.ddl, self.rest = ddl, ddl.strip()

    def error(self) -> DialectError:
        return DialectError(
            f"cloudFiles, the type `{self.ddl}`: found `{self.rest[:30]}`; expected a type such as `INT`, "
            "`ARRAY<STRING>` or `STRUCT<a: INT>`. Correct the type."
        )

    def take(self, pattern: str) -> str | None:
        found = re.match(pattern, self.rest, re.IGNORECASE | re.DOTALL)
        if found is None:
            return None
        self.rest = self.rest[found.end() :].lstrip()
        return found[0]

    def need(self, pattern: str) -> str:
        if (found := self.take(pattern)) is None:
            raise self.error()
        return found

    def type(self) -> Type:
        if self.take(r"ARRAY\s*<") is not None:
            element = self.type()
            self.need(">")
            return Array(element)
        if self.take(r"MAP\s*<") is not None:
            key = self.type()
            self.need(",")
            value = self.type()
            self.need(">")
            return Map(key, value)
        if self.take(r"STRUCT\s*<") is not None:
            return Struct(tuple(self.fields()))
        return Simple(self.need(_SIMPLE).strip())

    def fields(self) -> list[Field]:
        found: list[Field] = []
        while self.take(">") is None:
            if found:
                self.need(",")
            name = self.need(r"`(?:[^`]|``)+`|[^\s:`<>,]+")
            name = name[1:-1].replace("``", "`") if name.startswith("`") else name
            self.take(":")
            found.append(Field(name, self.type()))
            self.take(r"NOT\s+NULL")
            self.take(r"COMMENT\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
        return found


def merge(first: Type, second: Type) -> Type:
    """The type for values of both types, as Spark's inference merges two JSON records.

    Source: Spark, "JSON Files", and its inference: structs are merged field by field, whole numbers with fractions
    become DOUBLE, all other differing types become STRING.
    """
    if first == second or second == NULL:
        return first
    if first == NULL:
        return second
    if isinstance(first, Struct) and isinstance(second, Struct):
        for field in second.fields:
            known = first.get(field.name)
            first = first.put(field.name, field.type if known is None else merge(known, field.type))
        return first
    if isinstance(first, Array) and isinstance(second, Array):
        return Array(merge(first.element, second.element))
    if isinstance(first, Simple) and isinstance(second, Simple):
        return _merge_numbers(first, second) or STRING
    return STRING


def _merge_numbers(first: Simple, second: Simple) -> Simple | None:
    sizes = [(_LONG_DIGITS, 0) if kind == BIGINT else kind.decimal for kind in (first, second)]
    known = [size for size in sizes if size is not None]
    if len(known) == 2:
        scale = max(scale for _, scale in known)
        digits = max(precision - scale for precision, scale in known)
        return Simple(f"DECIMAL({digits + scale},{scale})") if digits + scale <= _MOST_DIGITS else DOUBLE
    if DOUBLE in (first, second) and len(known) == 1:
        return DOUBLE
    return None


def with_known_types(kind: Type) -> Type | None:
    """*kind* with STRING for unknown types, and without structs that have no fields; None if nothing is left."""
    if isinstance(kind, Struct):
        found = [(field.name, with_known_types(field.type)) for field in kind.fields]
        fields = tuple(Field(name, inner) for name, inner in found if inner is not None)
        return Struct(fields) if fields else None
    if isinstance(kind, Array):
        element = with_known_types(kind.element)
        return None if element is None else Array(element)
    return STRING if kind == NULL else kind


def sorted_fields(kind: Type) -> Type:
    """*kind* with the fields of its structs sorted by name, as in Spark's inference of JSON."""
    if isinstance(kind, Struct):
        ordered = sorted(kind.fields, key=lambda field: field.name)
        return Struct(tuple(Field(field.name, sorted_fields(field.type)) for field in ordered))
    if isinstance(kind, Array):
        return Array(sorted_fields(kind.element))
    return kind


def as_text(kind: Type) -> Type:
    """*kind* with STRING in place of every simple type."""
    if isinstance(kind, Struct):
        return Struct(tuple(Field(field.name, as_text(field.type)) for field in kind.fields))
    if isinstance(kind, Array):
        return Array(as_text(kind.element))
    return Map(STRING, as_text(kind.value)) if isinstance(kind, Map) else STRING


@dataclass(frozen=True)
class Evolved:
    """A schema with new fields: *added* has their dotted names, *widened* the changes of types."""

    type: Type
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.added or self.widened)


def evolve(known: Type, found: Type, *, widen: bool = False, name: str = "") -> Evolved:
    """*known* with the fields that only *found* has, at the end of their structs; types are widened if *widen* is set.

    Source: Databricks documentation, "How does Auto Loader schema evolution work?", "Automatic type widening".
    """
    if isinstance(known, Struct) and isinstance(found, Struct):
        return _evolve_struct(known, found, widen=widen, name=name)
    if isinstance(known, Array) and isinstance(found, Array):
        return _inside(evolve(known.element, found.element, widen=widen, name=f"{name}.element"), Array)
    if isinstance(known, Map) and isinstance(found, Struct):
        return Evolved(known)
    wider = _wider(known, found) if widen and isinstance(known, Simple) and isinstance(found, Simple) else None
    return Evolved(known) if wider is None else Evolved(wider, widened=(f"{name} {known.ddl} -> {wider.ddl}",))


def _inside(evolved: Evolved, make: Callable[[Type], Type]) -> Evolved:
    return Evolved(make(evolved.type), evolved.added, evolved.widened)


def _evolve_struct(known: Struct, found: Struct, *, widen: bool, name: str) -> Evolved:
    added: list[str] = []
    widened: list[str] = []
    for field in found.fields:
        path = f"{name}.{field.name}" if name else field.name
        inner = known.get(field.name)
        if inner is None:
            known = known.put(field.name, field.type)
            added.append(path)
            continue
        evolved = evolve(inner, field.type, widen=widen, name=path)
        known = known.put(field.name, evolved.type)
        added += evolved.added
        widened += evolved.widened
    return Evolved(known, tuple(added), tuple(widened))


def type_conflicts(known: Type, found: Type, name: str = "") -> Iterator[str]:
    """The places at which values of the type *found* cannot be read as values of the type *known*."""
    if isinstance(known, Struct) and isinstance(found, Struct):
        for field in known.fields:
            if (inner := found.get(field.name)) is not None:
                yield from type_conflicts(field.type, inner, f"{name}.{field.name}" if name else field.name)
    elif isinstance(known, Array) and isinstance(found, Array):
        yield from type_conflicts(known.element, found.element, f"{name}.element")
    elif isinstance(known, Map) and isinstance(found, Map):
        yield from type_conflicts(known.key, found.key, f"{name}.key")
        yield from type_conflicts(known.value, found.value, f"{name}.value")
    elif isinstance(known, Simple) and isinstance(found, Simple):
        same = _plain_name(known) == _plain_name(found)
        if not same and evolve(found, known, widen=True).type != known:
            yield f"`{name}` is {found.ddl}, but {known.ddl} in the schema"
    else:
        yield f"`{name}` is {found.ddl}, but {known.ddl} in the schema"


def _plain_name(kind: Simple) -> str:
    names = {"BYTE": "TINYINT", "SHORT": "SMALLINT", "INTEGER": "INT", "LONG": "BIGINT", "REAL": "FLOAT"}
    found = re.sub(r"\s", "", kind.name.upper())
    if kind.decimal is not None:
        return "DECIMAL({},{})".format(*kind.decimal)
    return names.get(found, "TIMESTAMP" if found == "TIMESTAMP_LTZ" else found)


_INTEGERS = {"TINYINT": 3, "BYTE": 3, "SMALLINT": 5, "SHORT": 5, "INT": 10, "INTEGER": 10, "BIGINT": 20, "LONG": 20}


def _wider(known: Simple, found: Simple) -> Simple | None:
    """The type that *known* has to be widened to for values of *found*; None if it stays."""
    one, other = known.name.upper(), found.name.upper()
    if one == "FLOAT" and other == "DOUBLE":
        return DOUBLE
    if one in _INTEGERS and other in _INTEGERS:
        return found if _INTEGERS[other] > _INTEGERS[one] else None
    if one in _INTEGERS and other == "DOUBLE":
        return None if _INTEGERS[one] == _LONG_DIGITS else DOUBLE
    first = (_INTEGERS[one], 0) if one in _INTEGERS else known.decimal
    second = (_INTEGERS[other], 0) if other in _INTEGERS else found.decimal
    if first is None or second is None:
        return None
    scale = max(first[1], second[1])
    digits = max(first[0] - first[1], second[0] - second[1])
    if (digits + scale, scale) == first or digits + scale > _MOST_DIGITS:
        return None
    return Simple(f"DECIMAL({digits + scale},{scale})")
