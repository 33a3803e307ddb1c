"""Reads the columns and constraints between the parentheses of CREATE TABLE, from the statement's tokens.

Source: Databricks documentation, "CREATE TABLE [USING]", "CONSTRAINT clause".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lakelocal.dialect.ddl.constraints import Check, Key, read_constraint
from lakelocal.dialect.ddl.reader import Reader
from lakelocal.sql.nesting import items
from lakelocal.sql.tokens import Token

# Words that end the type or an expression of a column.
_OPTIONS = frozenset(
    {"NOT", "NULL", "COMMENT", "DEFAULT", "GENERATED", "CONSTRAINT", "PRIMARY", "FOREIGN", "REFERENCES", "CHECK"}
    | {"UNIQUE", "MASK"}
)


@dataclass(frozen=True)
class Identity:
    """GENERATED ... AS IDENTITY; *by_default* allows statements to set the value."""

    by_default: bool
    start: int = 1
    step: int = 1


@dataclass
class Column:
    """A column as it is written; the texts are SQL."""

    name: str
    type: str
    nullable: bool = True
    comment: str | None = None
    default: str | None = None
    generated: str | None = None
    identity: Identity | None = None


@dataclass
class Definition:
    """Everything between the parentheses."""

    columns: list[Column] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """Does it contain only what Spark's own SQL supports for a Delta table?"""
        return not self.keys and not self.checks and not self.has_generated

    @property
    def has_generated(self) -> bool:
        """Are there columns that only Delta's own interface can create?"""
        return any(column.generated is not None or column.identity for column in self.columns)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)


def read_definition(sql: str, tokens: Sequence[Token], opened: int, table: str, where: str) -> Definition:
    """The definition of the table named *table*, in the parentheses that open at token *opened*.

    Raises:
        DialectError: an entry does not follow Databricks' grammar, or has no counterpart; begins with *where*.
    """
    found = Definition()
    for entry in items(tokens, opened):
        reader = Reader(sql, tokens, entry.start, entry.stop, where)
        if reader.next_is("CONSTRAINT", "PRIMARY", "FOREIGN", "CHECK", "UNIQUE") and not _is_column(reader):
            _add(found, read_constraint(reader, table))
        else:
            _read_column(reader, found, table)
    return found


def _is_column(reader: Reader) -> bool:
    """Is the next word, which could begin a constraint, the name of a column, as in `check STRING`?"""
    word, behind = reader.word, reader.peek(1)
    expected = {"CONSTRAINT": None, "PRIMARY": "KEY", "FOREIGN": "KEY", "CHECK": "(", "UNIQUE": "("}[word]
    return behind != expected if expected else reader.peek(2) not in ("PRIMARY", "FOREIGN", "CHECK", "UNIQUE")


def _add(found: Definition, constraint: Key | Check) -> None:
    if isinstance(constraint, Key):
        found.keys.append(constraint)
    else:
        found.checks.append(constraint)


def _read_column(reader: Reader, found: Definition, table: str) -> None:
    name = reader.name()
    column = Column(name, reader.until(_OPTIONS))
    found.columns.append(column)
    while not reader.at_end:
        if reader.take("NOT NULL"):
            column.nullable = False
        elif reader.take("NULL"):
            column.nullable = True
        elif reader.take("COMMENT"):
            column.comment = reader.string()
        elif reader.take("DEFAULT"):
            column.default = reader.until(_OPTIONS - {"NULL"}, first=True)
        elif reader.take("GENERATED"):
            _read_generated(reader, column)
        elif reader.next_is("MASK"):
            raise reader.error("a column mask protects data and has no counterpart on this machine; remove it here")
        elif reader.next_is("CONSTRAINT", "PRIMARY", "FOREIGN", "REFERENCES", "CHECK", "UNIQUE"):
            constraint = read_constraint(reader, table, column=name)
            _add(found, constraint)
        else:
            raise reader.error("expected an option of a column (NOT NULL, DEFAULT, GENERATED, COMMENT, a constraint)")


def _read_generated(reader: Reader, column: Column) -> None:
    by_default = reader.take("BY DEFAULT")
    if not by_default and not reader.take("ALWAYS"):
        raise reader.error("expected ALWAYS or BY DEFAULT after GENERATED")
    if not reader.take("AS"):
        raise reader.error("expected AS")
    if not reader.take("IDENTITY"):
        column.generated = reader.parenthesized()
        return
    start, step = 1, 1
    if reader.take("("):
        while not reader.take(")"):
            if reader.take("START WITH"):
                start = reader.number()
            elif reader.take("INCREMENT BY"):
                step = reader.number()
            elif not reader.take(","):
                raise reader.error("expected START WITH number, INCREMENT BY number")
    if step == 0:
        raise reader.error("INCREMENT BY 0 would give every row the same number; expected another number")
    column.identity = Identity(by_default, start, step)
