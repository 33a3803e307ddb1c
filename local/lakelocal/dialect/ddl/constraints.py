"""Constraints of a table: keys, which are informational, and CHECK, which is enforced.

Databricks stores primary and foreign keys in Unity Catalog and never enforces them. Here, each key is a property of the
table, `lakelocal.constraint.NAME`, whose value is the constraint as DESCRIBE EXTENDED shows it. CHECK is implemented by
Delta, which also stores it in a property.

Source: Databricks documentation, "CONSTRAINT clause", "ADD CONSTRAINT clause", "DROP CONSTRAINT clause".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import quoted

KEY = "lakelocal.constraint."
CHECK = "delta.constraints."
_TIMESERIES = " TIMESERIES"  # follows a column of a primary key
_IGNORED = (
    "NOT ENFORCED", "DEFERRABLE", "INITIALLY DEFERRED", "NORELY", "MATCH FULL", "ON UPDATE NO ACTION",
    "ON DELETE NO ACTION", "ENABLE NOVALIDATE",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """A primary, foreign or unique key.

    A key without a *name* gets one that is made from its table and kind. A foreign key refers to the columns *referred*
    of the table *parent*; if there are none, to those of its primary key.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    parent: tuple[str, ...] = ()
    referred: tuple[str, ...] = ()
    timeseries: frozenset[str] = frozenset()
    rely: bool = False

    @property
    def text(self) -> str:
        """The constraint as DESCRIBE EXTENDED shows it."""
        columns = ", ".join(quoted(name) + _TIMESERIES * (name in self.timeseries) for name in self.columns)
        referred = f" ({_listed(self.referred)})" if self.referred else ""
        parent = f" REFERENCES {join_name(self.parent)}{referred}" if self.parent else ""
        return f"{self.kind} ({columns}){parent}{' RELY' * self.rely}"

    @property
    def property(self) -> tuple[str, str]:
        return KEY + self.name, self.text


@dataclass(frozen=True)
class Check:
    """A condition that every row has to meet."""

    name: str
    condition: str

    @property
    def property(self) -> tuple[str, str]:
        return CHECK + self.name.lower(), self.condition


def read_constraint(reader: Reader, table: str, *, column: str | None = None) -> Key | Check:
    """The constraint at the position of *reader*; *column* is the column that it follows, if any.

    Raises:
        DialectError: it does not follow Databricks' grammar, or asks for a key to be enforced.
    """
    name = reader.name() if reader.take("CONSTRAINT") else None
    if reader.take("CHECK"):
        condition = reader.parenthesized()
        if reader.take("NOT ENFORCED"):
            raise reader.error("a CHECK is always enforced; remove NOT ENFORCED")
        reader.take("ENFORCED")
        return Check(name or f"{table}_{column or 'check'}_check", condition)
    if reader.take("PRIMARY KEY"):
        return _key(reader, name or f"{table}_pk", "PRIMARY KEY", _own_columns(reader, column))
    if reader.take("UNIQUE"):
        columns = _own_columns(reader, column)
        return _key(reader, name or f"{table}_{'_'.join(columns)}_unique", "UNIQUE", columns)
    foreign = reader.take("FOREIGN KEY")
    columns = _own_columns(reader, column) if foreign or column is None else [column]
    if not reader.take("REFERENCES"):
        raise reader.error("expected PRIMARY KEY, FOREIGN KEY ... REFERENCES or CHECK (...)")
    parent = reader.names()
    referred = _columns(reader) if reader.next_is("(") else []
    found = _key(reader, name or f"{table}_{'_'.join(columns)}_fk", "FOREIGN KEY", columns)
    return replace(found, parent=tuple(parent), referred=tuple(referred))


def _key(reader: Reader, name: str, kind: str, columns: Sequence[str]) -> Key:
    rely = False
    while not reader.at_end:
        if reader.take("RELY"):
            rely = True
        elif reader.next_is("ENFORCED"):
            raise reader.error("keys are informational and never enforced; remove ENFORCED")
        elif not any(reader.take(option) for option in _IGNORED):
            break
    names = tuple(column.removesuffix(_TIMESERIES) for column in columns)
    timeseries = frozenset(column.removesuffix(_TIMESERIES) for column in columns if column.endswith(_TIMESERIES))
    return Key(name, kind, names, timeseries=timeseries, rely=rely)


def _own_columns(reader: Reader, column: str | None) -> list[str]:
    return _columns(reader) if reader.next_is("(") or column is None else [column]


def _columns(reader: Reader) -> list[str]:
    if not reader.take("("):
        raise reader.error("expected the columns of the key in parentheses")
    columns = []
    while not reader.take(")"):
        column = reader.name()
        columns.append(column + _TIMESERIES if reader.take("TIMESERIES") else column)
        if not reader.take(",") and not reader.next_is(")"):
            raise reader.error("expected a comma or the end of the key's columns")
    return columns


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def stored_keys(properties: Mapping[str, str]) -> dict[str, str]:
    """The texts of the keys among the *properties* of a table, by the names of the keys."""
    return {name.removeprefix(KEY): text for name, text in properties.items() if name.startswith(KEY)}


def read_key(name: str, text: str) -> Key:
    """The key *name* that a table stores as *text*."""
    tokens = tokenize(text) or ()
    key = read_constraint(Reader(text, tokens, 0, len(tokens), f"The constraint `{name}`"), "")
    assert isinstance(key, Key)
    return replace(key, name=name)


def complete_key(key: Key, statement: Statement, table: Sequence[str], beside: Sequence[Key]) -> Key:
    """*key* with the full name of its parent and with the columns that it refers to.

    *key* belongs to *table*, whose other keys are *beside* it.

    Raises:
        DialectError: the parent has no key with these columns.
    """
    if not key.parent:
        return key
    parent = statement.whole_name(key.parent)
    if statement.in_script:  # the script may create the parent
        return replace(key, parent=parent)
    if parent == statement.whole_name(table):
        known = list(beside)
    else:
        rows = statement.run(f"SHOW TBLPROPERTIES {join_name(parent)}")
        known = [read_key(*each) for each in stored_keys({row["key"]: row["value"] for row in rows}).items()]
    keys = [each for each in known if each.kind in ("PRIMARY KEY", "UNIQUE")]
    fitting = next((each for each in keys if _fits(key, each)), None)
    if fitting is None:
        there = "; it has " + ", ".join(each.text for each in keys) if keys else ", which has none"
        raise DialectError(
            f"{statement.where}: {key.text} refers to a primary key of `{join_name(parent)}`{there}. "
            "Add a PRIMARY KEY to the parent first, and name as many columns as it has."
        )
    return replace(key, parent=parent, referred=key.referred or fitting.columns)


def _fits(key: Key, other: Key) -> bool:
    """Can the foreign *key* refer to *other*, a key of its parent?"""
    if not key.referred:
        return other.kind == "PRIMARY KEY" and len(key.columns) == len(other.columns)
    names = [{name.lower() for name in columns} for columns in (key.referred, other.columns)]
    return names[0] == names[1] and len(key.columns) == len(key.referred)


def check_new_keys(keys: Sequence[Key], kept: Mapping[str, str], where: str) -> None:
    """Check that *keys* can be added to a table that has the keys *kept*.

    Raises:
        DialectError: there would be two primary keys, or two constraints with the same name.
    """
    primary = [text for text in kept.values() if text.startswith("PRIMARY KEY")]
    names = {name.lower() for name in kept}
    for key in keys:
        if key.kind == "PRIMARY KEY" and primary:
            raise DialectError(
                f"{where}: found a second primary key, {key.text}; the table already has {primary[0]}. "
                "Drop that first, with ALTER TABLE ... DROP PRIMARY KEY."
            )
        if key.name.lower() in names:
            raise DialectError(
                f"{where}: the constraint `{key.name}` exists already. Choose another name, or drop that one first."
            )
        primary += [key.text] if key.kind == "PRIMARY KEY" else []
        names.add(key.name.lower())
