"""`CREATE TABLE` with features that only Databricks' SQL has: keys, CHECK, identity and generated columns.

Keys and CHECK become properties of the table (`constraints`), so that one Spark SQL statement still creates it. For
identity and generated columns, see `generated`.

Source: Databricks documentation, "CREATE TABLE [USING]".
"""

import re
from dataclasses import dataclass

from lakelocal.dialect.ddl.constraints import check_new_keys, complete_key
from lakelocal.dialect.ddl.definition import Column, Definition, read_definition
from lakelocal.dialect.ddl.generated import make_generated
from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import NOTHING, Statement
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, level
from lakelocal.sql.writing import Edit, apply, literal, quoted

_COLLATION = re.compile(r"\bCOLLATE\s+`?(\w+)", re.IGNORECASE)
_DEFAULTS = "delta.feature.allowColumnDefaults"


@dataclass(frozen=True)
class NewTable:
    """A statement that creates a table from a list of columns between the tokens *opened* and *closed*."""

    statement: Statement
    name: list[str]
    opened: int
    closed: int
    definition: Definition

    @property
    def format(self) -> str:
        at = self.clause("USING")
        return "delta" if at is None else self.statement.named(at)[0].lower()

    def clause(self, *words: str) -> int | None:
        """The index of the token after *words*, which begin a clause after the columns; None if there is none."""
        found = (i for i in level(self.statement.tokens, self.closed + 1) if self._is_at(i, words))
        at = next(found, None)
        return None if at is None else at + len(words)

    def _is_at(self, index: int, words: tuple[str, ...]) -> bool:
        return self.statement.words[index : index + len(words)] == list(words)


def create_table(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if Spark can execute it as it is, or if it creates no table.

    Raises:
        DialectError: the statement does not follow the grammar, or asks for something that this machine cannot do.
    """
    _refuse_protection(statement)
    table = _new_table(statement)
    if table is None:
        return None
    definition = table.definition
    _check(table)
    if definition.is_plain:
        return None
    keys = [complete_key(key, statement, table.name, definition.keys) for key in definition.keys]
    properties = [key.property for key in keys] + [check.property for check in definition.checks]
    columns = ", ".join(_written(column) for column in definition.columns)
    tokens = statement.tokens
    edits = [Edit(tokens[table.opened].end, tokens[table.closed].start, columns)]
    edits += [_properties(table, properties)] if properties else []
    if not definition.has_generated:
        return apply(statement.sql, edits)
    _make_generated(table, edits)
    return NOTHING


def _make_generated(table: NewTable, edits: list[Edit]) -> None:
    """Create *table*; *edits* turn its statement into one that Spark accepts."""
    statement, tokens = table.statement, table.statement.tokens
    if table.format != "delta":
        raise DialectError(
            f"{statement.where}: found USING {table.format}; only Delta has identity and generated columns. "
            "Remove USING."
        )
    using, location, location_text = table.clause("USING"), table.clause("LOCATION"), ""
    if using is not None:
        edits.append(Edit(tokens[using - 1].start, tokens[using].end, ""))
    if location is not None:
        location_text = statement.part(location - 1, location + 1)
        edits.append(Edit(tokens[location - 1].start, tokens[location].end, ""))
    start = tokens[table.opened].start
    whole = apply(statement.sql[: tokens[-1].end], edits)
    make_generated(statement, table.definition.columns, statement.sql[:start], table.name, whole[start:], location_text)
    if (comment := table.clause("COMMENT")) is not None:  # a clone does not copy it
        text = Reader(statement.sql, tokens, comment, len(tokens), statement.where).string()
        statement.run(f"COMMENT ON TABLE {join_name(table.name)} IS {text}")


def _refuse_protection(statement: Statement) -> None:
    if statement.has("WITH ROW FILTER"):
        raise DialectError(
            f"{statement.where}: row filters protect data and have no counterpart on this machine. Remove it here."
        )


def _new_table(statement: Statement) -> NewTable | None:
    """The table that *statement* creates from columns; None if it creates none, or from a query or another table."""
    at, _ = statement.skip(1, "OR REPLACE")
    at, _ = statement.skip(at, "EXTERNAL")
    at, found = statement.skip(at if statement.starts("CREATE") else 1, "TABLE")
    if not found:
        return None
    at, _ = statement.skip(at, "IF NOT EXISTS")
    name = statement.name(at)
    opened = at + 2 * len(name) - 1
    if not name or statement.words[opened : opened + 1] != ["("]:
        return None
    closed = closing(statement.tokens, opened)
    if closed is None:
        return None
    definition = read_definition(statement.sql, statement.tokens, opened, name[-1], statement.where)
    return NewTable(statement, name, opened, closed, definition)


def _check(table: NewTable) -> None:
    """Check the keys, collations and defaults of *table*, and make the columns of a primary key NOT NULL."""
    definition, where = table.definition, table.statement.where
    check_new_keys(definition.keys, {}, where)
    for key in definition.keys:
        for name in key.columns:
            column = definition.column(name)
            if column is None:
                known = ", ".join(f"`{column.name}`" for column in definition.columns)
                raise DialectError(
                    f"{where}: {key.text} names the column `{name}`; expected columns of the table: {known}."
                )
            column.nullable = column.nullable and key.kind != "PRIMARY KEY"
    if table.format == "delta":
        _check_collations(table)
    if any(column.default for column in definition.columns) and table.format == "delta":
        _check_defaults(table)


def _check_collations(table: NewTable) -> None:
    """Refuse collations, which open-source Delta does not have; its own error would be about unknown types."""
    types = [column.type for column in table.definition.columns]
    at = table.clause("DEFAULT", "COLLATION")
    found = [name for text in types for name in _COLLATION.findall(text)]
    found += [] if at is None else [table.statement.tokens[at].text]
    for name in found:
        if name.upper() != "UTF8_BINARY":
            raise DialectError(
                f"{table.statement.where}: found the collation `{name}`; tables of open-source Delta have none. Remove "
                f"it, and write it where texts are compared: name COLLATE {name} = 'x'."
            )


def _check_defaults(table: NewTable) -> None:
    """Refuse defaults without their table feature; Delta would fail only after it has created the table's folder, and
    then every later CREATE would fail, too."""
    at = table.clause("TBLPROPERTIES")
    named = [token.text.lower() for token in table.statement.tokens[at or 0 :]] if at else []
    if _DEFAULTS.lower() not in "".join(named):
        raise DialectError(
            f"{table.statement.where}: [WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED] found a column with a "
            f"DEFAULT; Delta allows it, as on Databricks, in tables with TBLPROPERTIES ('{_DEFAULTS}' = 'supported'). "
            "Add the property."
        )


def _written(column: Column) -> str:
    parts = [quoted(column.name), column.type]
    parts += [] if column.nullable else ["NOT NULL"]
    parts += [f"DEFAULT {column.default}"] if column.default is not None else []
    parts += [f"COMMENT {column.comment}"] if column.comment is not None else []
    return " ".join(part for part in parts if part)


def _properties(table: NewTable, properties: list[tuple[str, str]]) -> Edit:
    """The edit that adds *properties* to those in the statement."""
    listed = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in properties)
    at = table.clause("TBLPROPERTIES")
    if at is None:
        end = table.statement.tokens[table.closed].end
        return Edit(end, end, f" TBLPROPERTIES ({listed})")
    opened = table.statement.tokens[at]
    return Edit(opened.end, opened.end, listed + ("" if table.statement.words[at + 1] == ")" else ", "))
