"""`DESCRIBE EXTENDED`: adds the constraints of a table, which Databricks lists at the end."""

from lakelocal.catalogs import shown
from lakelocal.dialect.ddl.constraints import CHECK, stored_keys
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement, rows_as_sql

_COLUMNS = ["col_name", "data_type", "comment"]


def describe_table(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if it does not describe a table with constraints."""
    at, _ = statement.skip(1, "TABLE")
    at, extended = statement.skip(at, "EXTENDED")
    name = statement.name(at)
    if not extended or not name or len(statement.tokens) > at + 2 * len(name) - 1 or _is_function(statement, at):
        return None
    rows = statement.run(statement.sql)
    if not any(row["col_name"] == "Provider" for row in rows):  # it is a view, which has no constraints
        return None
    properties = {row["key"]: row["value"] for row in statement.run(f"SHOW TBLPROPERTIES {join_name(name)}")}
    checks = {key.removeprefix(CHECK): f"CHECK ({text})" for key, text in properties.items() if key.startswith(CHECK)}
    constraints = {**stored_keys(properties), **checks}
    if not constraints:
        return None
    own = statement.names.catalogs.own
    shown_rows = [tuple(shown(row[column] or "", own) for column in _COLUMNS) for row in rows]
    return rows_as_sql(
        _COLUMNS, [*shown_rows, ("", "", ""), ("# Constraints", "", ""), *((n, t, "") for n, t in constraints.items())]
    )


def _is_function(statement: Statement, at: int) -> bool:
    return statement.words[at] in ("FUNCTION", "SCHEMA", "DATABASE", "CATALOG", "VOLUME", "QUERY", "PROCEDURE")
