"""`cloudFiles.schemaHints`: types of columns, and of values inside them, that are known beforehand.

Source: Databricks documentation, "Override schema inference with schema hints": `a.b DATE` is a field of a struct,
`a.element`, `a.key` and `a.value` are the contents of an array or a map; a column that no file has is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakelocal.dialect.autoloader.columns import malformed_schema, split, type_of
from lakelocal.dialect.autoloader.types import STRING, Array, Map, Struct, Type, parse_type
from lakelocal.sql.tokens import Token


@dataclass(frozen=True)
class Hint:
    """The *type* at *path*, which has the name of the column and the names inside it."""

    path: tuple[str, ...]
    type: Type


def parse_hints(text: str) -> tuple[Hint, ...]:
    """The hints in *text* such as `id INT, tags MAP<STRING, STRING>, users.element.born DATE`.

    Raises:
        DialectError: *text* is not a list of names with types.
    """
    return tuple(_hint(text, part) for part in split(text))


def _hint(text: str, tokens: list[Token]) -> Hint:
    if not tokens or not tokens[0].is_name:
        raise malformed_schema(text)
    path, at = [tokens[0].text], 1
    while at + 1 < len(tokens) and tokens[at].text == "." and tokens[at + 1].is_name:
        path.append(tokens[at + 1].text)
        at += 2
    return Hint(tuple(path), parse_type(type_of(text, tokens[at:])))


def with_hints(row: Struct, hints: Sequence[Hint]) -> Struct:
    """The type *row* with the types of *hints* at their paths."""
    for hint in hints:
        found = _put(row, hint.path, hint.type)
        assert isinstance(found, Struct), "a hint names a column first"
        row = found
    return row


def _put(kind: Type | None, path: Sequence[str], hinted: Type) -> Type:
    """*kind* with the type *hinted* at *path*; *kind* is None if no file has such a value."""
    if not path:
        return hinted
    name, rest = path[0], path[1:]
    if isinstance(kind, Array) and name.lower() == "element":
        return Array(_put(kind.element, rest, hinted))
    if name.lower() in ("key", "value") and (isinstance(kind, Map) or _may_be_map(kind, name)):
        key, value = (kind.key, kind.value) if isinstance(kind, Map) else (STRING, _any_value(kind))
        if name.lower() == "key":
            return Map(_put(key, rest, hinted), value)
        return Map(key, _put(value, rest, hinted))
    if kind is None and name.lower() == "element":
        return Array(_put(None, rest, hinted))
    struct = kind if isinstance(kind, Struct) else Struct(())
    return struct.put(name, _put(struct.get(name), rest, hinted))


def _may_be_map(kind: Type | None, name: str) -> bool:
    """Can *kind* be a map? JSON has no maps, so an object that the hint takes for a map is inferred as a struct."""
    return kind is None or (isinstance(kind, Struct) and kind.get(name) is None)


def _any_value(kind: Type | None) -> Type:
    """The type of all values of an object that was inferred as a struct; STRING if their types differ."""
    kinds = {field.type for field in kind.fields} if isinstance(kind, Struct) else set()
    return kinds.pop() if len(kinds) == 1 else STRING
