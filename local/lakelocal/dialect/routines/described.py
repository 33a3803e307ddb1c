"""`DESCRIBE FUNCTION` of functions that SQL defines, of which Spark shows what its metastore keeps.

Source: Databricks documentation, "DESCRIBE FUNCTION".
"""

import json
from collections.abc import Sequence
from typing import Any

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement, rows_of

_USAGE = "Usage: {"


def kept_function(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What Spark keeps of a function that SQL defines, from *rows* of DESCRIBE FUNCTION EXTENDED; None of another."""
    usage = next((row["function_desc"] for row in rows if row["function_desc"].startswith(_USAGE)), None)
    if usage is None:
        return None
    found: dict[str, Any] = json.loads(usage[len(_USAGE) - 1 :])
    return found


def describe_function(statement: Statement) -> str | None:
    """The answer to *statement*; None where it describes something else than a function of SQL."""
    if statement.words[1:2] != ["FUNCTION"]:
        return None
    at, extended = statement.skip(2, "EXTENDED")
    name = statement.name(at)
    told = kept_function(statement.run(f"DESCRIBE FUNCTION EXTENDED {join_name(name)}")) if name else None
    if told is None:
        return None
    table = told.get("sqlFunction.isTableFunc") == "true"
    returns = told.get("sqlFunction.returnType", "")
    lines = [
        ("Function", join_name(statement.whole_name(name))),
        ("Type", "TABLE" if table else "SCALAR"),
        ("Input", told.get("sqlFunction.inputParam", "") or "()"),
        ("Returns", f"TABLE ({returns})" if table else returns),
    ]
    if extended:
        reads = told.get("sqlFunction.containsSQL") == "false"
        lines += [
            ("Comment", told.get("sqlFunction.comment", "")),
            ("Deterministic", told.get("sqlFunction.deterministic", "")),
            ("Data Access", "READS SQL DATA" if reads else "CONTAINS SQL"),
            ("Body", told.get("sqlFunction.query") or told.get("sqlFunction.expression") or ""),
        ]
    return rows_of(["function_desc"], [(f"{key}: {value}",) for key, value in lines])
