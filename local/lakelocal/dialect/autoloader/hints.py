"""`cloudFiles.schemaHints`: types that are known beforehand, of columns and of what is in them.

Source: Databricks documentation, "Override schema inference with schema hints": `a.b DATE` is a field of a struct,
`a.element`, `a.key` and `a.value` what is in an array or a map; a column that no file has is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakelocal.dialect.autoloader.columns import not_columns, split, type_of
from lakelocal.dialect.autoloader.types import STRING, Array, Map, Struct, Type, parse_type
from lakelocal.sql.tokens import Token


@dataclass(frozen=True)
class Hint:
    """The *type* at *path*, the names from the column inwards."""

    path: tuple[str, ...]
    type: Type


def parse_hints(text: str) -> tuple[Hint, ...]:
    """The hints in *text* such as `id INT, tags MAP<STRING, STRING>, users.element.born DATE`.

    Raises:
        DialectError: it is no list of names with types.
    """
    return tuple(_hint(text, part) for part in split(text))


def _hint(text: str, tokens: list[Token]) -> Hint:
    if not tokens or not tokens[0].is_name:
        raise not_columns(text)
    path, at = [tokens[0].text], 1
    while at + 1 < len(tokens) and tokens[at].text == "." and tokens[at + 1].is_name:
        path.append(tokens[at + 1].text)
        at += 2
    return Hint(tuple(path), parse_type(type_of(text, tokens[at:])))


def with_hints(row: Struct, hints: Sequence[Hint]) -> Struct:
    """The type *row* with the types of *hints* in their places."""
    for hint in hints:
        found = _put(row, hint.path, hint.type)
        assert isinstance(found, Struct), "a hint names a column first"
        row = found
    return row


def _put(kind: Type | None, path: Sequence[str], hinted: Type) -> Type:
    """*kind*, None for what no file has, with *hinted* at *path*."""
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
    """JSON has no maps, so that an object whose entries are hinted at as those of a map was inferred as a struct."""
    return kind is None or (isinstance(kind, Struct) and kind.get(name) is None)


def _any_value(kind: Type | None) -> Type:
    """The type of the values of an object that was inferred as a struct, where it is one and the same."""
    kinds = {field.type for field in kind.fields} if isinstance(kind, Struct) else set()
    return kinds.pop() if len(kinds) == 1 else STRING
