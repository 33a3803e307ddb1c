"""SQL for the data to be rescued: the parts of a JSON value that have no place in the value read by the schema.

A leftover is JSON text with the structure of the record: `{"customer":{"zip":"x"}}` if only the zip of the customer did
not fit. If only some entries of an array did not fit, it has NULL in place of the others. A value that could not be
read at all is left over as a whole.
"""

from collections.abc import Mapping
from itertools import count

from lakelocal.dialect.autoloader.types import Array, Map, Simple, Struct, Type
from lakelocal.sql.writing import literal, quoted

_MEMBERS, _ENTRIES = "'map<string,variant>'", "'array<variant>'"
_ALWAYS_FIT = frozenset({"STRING", "VARIANT"})
_MOST_DIGITS = 38
# SQL: a pattern for a complete date and nothing else; Spark also accepts a year alone, or a date followed by a time.
WHOLE_DATE = "'^[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}$'"


def member_leftovers(
    row: Struct, document: str, value: str, folders: Mapping[str, str], *, dates_formatted: bool = False
) -> str:
    """SQL: the leftovers of the members of *document*, as a text such as `"a":1,"b":{"c":2}`; NULL if all fit.

    *document* is SQL for a variant with an object, *value* is SQL for what was read from it by the schema *row*.
    *folders* are the columns that come from the names of folders: a member with such a name is left over if its value
    differs. *dates_formatted*: dates are read with a format that the user has given.
    """
    return _Leftovers(dates_formatted=dates_formatted).members(row, document, value, folders)


class _Leftovers:
    """Writes the SQL; each lambda variable gets a unique name."""

    def __init__(self, *, dates_formatted: bool = False) -> None:
        self._numbers, self._dates_formatted = count(), dates_formatted

    def of(self, kind: Type, variant: str, value: str) -> str:
        """SQL: the JSON text that is left over of *variant*, given *value* of the type *kind* that was read from it."""
        if isinstance(kind, Simple):
            unread = f"{value} IS NULL AND NOT is_variant_null({variant})"
            if lossy := self._is_lossy(kind, variant, value):
                unread = f"{unread} OR {lossy}"
            return "NULL" if kind.name.upper() in _ALWAYS_FIT else f"IF({unread}, to_json({variant}), NULL)"
        inside = self._inside(kind, variant, value)
        whole = f"WHEN {value} IS NULL THEN to_json({variant})"
        return f"CASE WHEN is_variant_null({variant}) THEN NULL {whole} ELSE {inside} END"

    def _inside(self, kind: Array | Map | Struct, variant: str, value: str) -> str:
        if isinstance(kind, Struct):
            return f"concat('{{', {self.members(kind, variant, value, {})}, '}}')"
        if isinstance(kind, Map):
            entry = self._name("e")
            inner = self.of(kind.value, f"{entry}.value", f"try_element_at({value}, {entry}.key)")
            return f"concat('{{', {_joined(entry, variant, inner)}, '}}')"
        entry, position, rests, rest = (self._name(letter) for letter in "xirl")
        inner = self.of(kind.element, entry, f"get({value}, {position})")
        if inner == "NULL":
            return "NULL"
        found = f"transform(try_variant_get({variant}, '$', {_ENTRIES}), ({entry}, {position}) -> {inner})"
        text = f"concat('[', array_join({rests}, ',', 'null'), ']')"
        some = f"exists({rests}, {rest} -> {rest} IS NOT NULL)"
        return f"element_at(transform(array({found}), {rests} -> IF({some}, {text}, NULL)), 1)"

    def members(self, kind: Struct, variant: str, value: str, folders: Mapping[str, str]) -> str:
        entry = self._name("e")
        cases = [
            f"WHEN {literal(field.name)} THEN {self.of(field.type, f'{entry}.value', f'{value}.{quoted(field.name)}')}"
            for field in kind.fields
            if field.name not in folders
        ]
        cases += [
            f"WHEN {literal(name)} THEN "
            f"IF(try_variant_get({entry}.value, '$', 'string') <=> {text}, NULL, {_unless_null(entry)})"
            for name, text in folders.items()
        ]
        found = f"CASE {entry}.key {' '.join(cases)} ELSE {_unless_null(entry)} END" if cases else _unless_null(entry)
        return _joined(entry, variant, found)

    def _is_lossy(self, kind: Simple, variant: str, value: str) -> str:
        """SQL: does *value* differ from *variant*, although it could be read? "" if a value of *kind* never does."""
        name = kind.name.upper()
        if name == "DOUBLE":
            digits = f"to_json({variant}) RLIKE '^-?[0-9]{{16,38}}$'"
            whole = f"DECIMAL({_MOST_DIGITS},0)"
            return f"({digits} AND NOT try_cast({value} AS {whole}) <=> try_cast(to_json({variant}) AS {whole}))"
        if name == "DATE" and not self._dates_formatted:
            return f"NOT try_variant_get({variant}, '$', 'string') RLIKE {WHOLE_DATE}"
        if (size := kind.decimal) is not None:
            exact = literal(f"decimal({_MOST_DIGITS},{_MOST_DIGITS - size[0] + size[1]})")
            return f"(try_variant_get({variant}, '$', {exact}) <> {value})"
        return ""

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"


def _unless_null(entry: str) -> str:
    return f"IF(is_variant_null({entry}.value), NULL, to_json({entry}.value))"


def _joined(entry: str, variant: str, found: str) -> str:
    """SQL: the members of *variant* whose text *found* is not NULL, joined by commas; NULL if there are none."""
    member = f"concat(to_json(CAST({entry}.key AS VARIANT)), ':', {found})"
    members = f"map_entries(try_variant_get({variant}, '$', {_MEMBERS}))"
    return f"nullif(array_join(transform({members}, {entry} -> {member}), ','), '')"


def named_as(row: Struct, variant: str) -> str:
    """SQL: the object *variant* as JSON text, with its names in the case that they have in *row*."""
    return _Names().of(row, variant)


class _Names(_Leftovers):
    def of(self, kind: Type, variant: str, value: str = "") -> str:
        if isinstance(kind, Struct):
            entry = self._name("e")
            names = " ".join(f"WHEN {literal(f.name.lower())} THEN {literal(f.name)}" for f in kind.fields)
            values = " ".join(
                f"WHEN {literal(f.name.lower())} THEN {self.of(f.type, f'{entry}.value')}" for f in kind.fields
            )
            name = f"CASE lower({entry}.key) {names} ELSE {entry}.key END"
            text = f"CASE lower({entry}.key) {values} ELSE to_json({entry}.value) END"
            member = f"concat(to_json(CAST({name} AS VARIANT)), ':', {text})"
            members = f"map_entries(try_variant_get({variant}, '$', {_MEMBERS}))"
            renamed = f"concat('{{', array_join(transform({members}, {entry} -> {member}), ','), '}}')"
            return f"coalesce({renamed}, to_json({variant}))" if kind.fields else f"to_json({variant})"
        if isinstance(kind, Array):
            entry = self._name("x")
            inner = f"transform(try_variant_get({variant}, '$', {_ENTRIES}), {entry} -> {self.of(kind.element, entry)})"
            return f"coalesce(concat('[', array_join({inner}, ','), ']'), to_json({variant}))"
        return f"to_json({variant})"
