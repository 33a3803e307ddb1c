"""`DESCRIBE FUNCTION` of SQL functions, for which Spark shows the raw properties in its metastore.

Source: Databricks documentation, "DESCRIBE FUNCTION".
"""

import json
from collections.abc import Sequence
from typing import Any

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement, rows_as_sql

_USAGE = "Usage: {"


def stored_function(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The properties that Spark stores for a SQL function, from the *rows* of DESCRIBE FUNCTION EXTENDED.

    None for any other function.
    """
    usage = next((row["function_desc"] for row in rows if row["function_desc"].startswith(_USAGE)), None)
    if usage is None:
        return None
    found: dict[str, Any] = json.loads(usage[len(_USAGE) - 1 :])
    return found


def describe_function(statement: Statement) -> str | None:
    """SQL for the result of *statement*; None if it describes something other than a SQL function."""
    if statement.words[1:2] != ["FUNCTION"]:
        return None
    at, extended = statement.skip(2, "EXTENDED")
    name = statement.name(at)
    description = stored_function(statement.run(f"DESCRIBE FUNCTION EXTENDED {join_name(name)}")) if name else None
    if description is None:
        return None
    table = description.get("sqlFunction.isTableFunc") == "true"
    returns = description.get("sqlFunction.returnType", "")
    lines = [
        ("Function", join_name(statement.whole_name(name))),
        ("Type", "TABLE" if table else "SCALAR"),
        ("Input", description.get("sqlFunction.inputParam", "") or "()"),
        ("Returns", f"TABLE ({returns})" if table else returns),
    ]
    if extended:
        reads = description.get("sqlFunction.containsSQL") == "false"
        lines += [
            ("Comment", description.get("sqlFunction.comment", "")),
            ("Deterministic", description.get("sqlFunction.deterministic", "")),
            ("Data Access", "READS SQL DATA" if reads else "CONTAINS SQL"),
            ("Body", description.get("sqlFunction.query") or description.get("sqlFunction.expression") or ""),
        ]
    return rows_as_sql(["function_desc"], [(f"{key}: {value}",) for key, value in lines])
