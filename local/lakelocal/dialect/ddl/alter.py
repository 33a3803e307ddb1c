"""`ALTER TABLE` for constraints, and for what Databricks manages by itself.

Source: Databricks documentation, "ADD CONSTRAINT clause", "DROP CONSTRAINT clause", "ALTER TABLE".
"""

from lakelocal.dialect.ddl.constraints import (
    CHECK,
    KEY,
    Key,
    check_new_keys,
    complete_key,
    read_constraint,
    read_key,
    stored_keys,
)
from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import NOTHING, Statement
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal, quoted

_NOT_NULL = "_not_null"  # the suffix that makes a column's name that of its NOT NULL constraint


def alter_table(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if it is the statement itself, or if that alters no table.

    Raises:
        DialectError: the statement does not follow the grammar, or does not fit the table.
    """
    if not statement.starts("ALTER TABLE"):
        return None
    at = 2 + max(2 * len(statement.name(2)) - 1, 1)
    reader = Reader(statement.sql, statement.tokens, at, len(statement.tokens), statement.where)
    if reader.take("ADD") and reader.next_is("CONSTRAINT", "PRIMARY", "FOREIGN", "UNIQUE"):
        return _add(statement, reader)
    reader.at = at
    if [token.word for token in statement.tokens[at:]] == ["CLUSTER", "BY", "AUTO"]:
        return statement.note("CLUSTER BY AUTO lets Databricks choose the columns; none are chosen on this machine")
    if reader.take("DROP"):
        return _drop(statement, reader)
    if reader.take("SET MANAGED") or reader.take("UNSET MANAGED") or reader.take("SET EXTERNAL"):
        raise DialectError(
            f"{statement.where}: on this machine, a table stays where it was created. Copy it with DEEP CLONE instead."
        )
    if reader.take("ALTER"):
        reader.take("COLUMN")
        return _nullability(statement, reader)
    return None


def _nullability(statement: Statement, reader: Reader) -> str | None:
    """SET NOT NULL of a column, which Delta refuses, as a CHECK, and DROP NOT NULL of a column with such a CHECK."""
    column = join_name(reader.names())
    name = column.replace("`", "").replace(".", "_") + _NOT_NULL
    words = [token.word for token in statement.tokens[reader.at :]]
    if words == ["SET", "NOT", "NULL"]:
        return f"ALTER TABLE {_table(statement)} ADD CONSTRAINT {quoted(name)} CHECK ({column} IS NOT NULL)"
    if words == ["DROP", "NOT", "NULL"] and CHECK + name.lower() in _properties(statement):
        return f"ALTER TABLE {_table(statement)} DROP CONSTRAINT {quoted(name)}"
    return None


def _add(statement: Statement, reader: Reader) -> str | None:
    start = reader.at
    constraint = read_constraint(reader, statement.name(2)[-1])
    if not reader.at_end:
        raise reader.error("expected the end of the statement")
    if not isinstance(constraint, Key):
        named = statement.tokens[start].word == "CONSTRAINT"
        name = quoted(constraint.name)
        return (
            None if named else f"ALTER TABLE {_table(statement)} ADD CONSTRAINT {name} CHECK ({constraint.condition})"
        )
    kept = _keys(statement)
    check_new_keys([constraint], kept, statement.where)
    _check_columns(statement, constraint)
    beside = [read_key(*each) for each in kept.items()]
    name, text = complete_key(constraint, statement, statement.name(2), beside).property
    return f"ALTER TABLE {_table(statement)} SET TBLPROPERTIES ({literal(name)} = {literal(text)})"


def _check_columns(statement: Statement, key: Key) -> None:
    """Check that the columns of *key* exist, and that those of a primary key cannot be NULL."""
    properties = _properties(statement)
    columns = {column.name.lower(): column for column in statement.columns(f"SELECT * FROM {_table(statement)}")}
    for name in key.columns:
        column = columns.get(name.lower())
        if column is None:
            known = ", ".join(f"`{found}`" for found in columns)
            raise DialectError(
                f"{statement.where}: {key.text} names the column `{name}`; expected columns of the table: {known}."
            )
        if key.kind == "PRIMARY KEY" and column.nullable and CHECK + name.lower() + _NOT_NULL not in properties:
            raise DialectError(
                f"{statement.where}: the column `{name}` of a primary key may be NULL; it has to be NOT NULL. "
                f"First run ALTER TABLE ... ALTER COLUMN {quoted(name)} SET NOT NULL."
            )


def _drop(statement: Statement, reader: Reader) -> str | None:
    """DROP PRIMARY KEY, DROP FOREIGN KEY (columns), or DROP CONSTRAINT name if that is a key; Delta drops a CHECK."""
    if reader.take("PRIMARY KEY"):
        if_exists = reader.take("IF EXISTS")
        start = "PRIMARY KEY"
    elif reader.take("FOREIGN KEY"):
        if_exists = reader.take("IF EXISTS")
        columns = reader.parenthesized().replace("`", "").split(",")
        start = f"FOREIGN KEY ({', '.join(quoted(column.strip()) for column in columns)})"
    elif reader.take("CONSTRAINT"):
        if_exists = reader.take("IF EXISTS")
        named = reader.name().lower()
        found = next((name for name in _keys(statement) if name.lower() == named), None)
        return None if found is None else _without(statement, found)
    else:
        return None
    kept = {name: text for name, text in _keys(statement).items() if text.startswith(start)}
    if not kept and not if_exists:
        raise DialectError(f"{statement.where}: the table has no {start}. See SHOW TBLPROPERTIES, or write IF EXISTS.")
    return _without(statement, next(iter(kept))) if kept else NOTHING


def _table(statement: Statement) -> str:
    return join_name(statement.name(2))


def _keys(statement: Statement) -> dict[str, str]:
    return stored_keys(_properties(statement))


def _properties(statement: Statement) -> dict[str, str]:
    rows = statement.run(f"SHOW TBLPROPERTIES {_table(statement)}")
    return {row["key"]: row["value"] for row in rows}


def _without(statement: Statement, name: str) -> str:
    return f"ALTER TABLE {_table(statement)} UNSET TBLPROPERTIES ({literal(KEY + name)})"
