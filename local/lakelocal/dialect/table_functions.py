"""Table functions in a schema: `SELECT * FROM catalog.schema.function(1)`.

Open-source Spark stores a table function created by CREATE FUNCTION, but can call it only by its bare name, in the
current schema. A call with the full name is therefore replaced by the function's query, together with its arguments:

    (SELECT `__result`.* FROM (SELECT CAST(1 AS INT) AS `x`) AS `function`, LATERAL (query) AS `__result`(`a`, `b`))

Source: Databricks documentation, "CREATE FUNCTION (SQL and Python)", "Table-valued function (TVF) invocation".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.catalogs import SPARK_CATALOG
from lakelocal.dialect import scan
from lakelocal.dialect.names import join_name
from lakelocal.dialect.routines.describe import stored_function
from lakelocal.dialect.routines.signature import Signature, read_parameters
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply, quoted

_BEFORE = frozenset(["FROM", "JOIN", "LATERAL", ","])


@dataclass(frozen=True)
class TableFunction:
    """A SQL table function; *schema* was the current schema when its *query* was written."""

    signature: Signature
    columns: tuple[str, ...]
    query: str
    schema: str


def expand_table_functions(sql: str, described: Callable[[str], list[dict[str, Any]]]) -> str:
    """*sql* with each call of a table function by its full name replaced by its query.

    *described* returns the rows of DESCRIBE FUNCTION EXTENDED for a name.

    Raises:
        DialectError: there is no such table function, or the arguments do not fit.
    """
    tokens = tokenize(sql) or ()
    edits = []
    for name in scan.Scanner(tokens).names():
        before = tokens[name.first - 1].word if name.first else ""
        if not name.called or name.place != scan.TABLE or len(name.parts) < 2 or before not in _BEFORE:
            continue
        function = read_function(name.parts, described(join_name(name.parts)))
        end = closing(tokens, name.last + 1)
        if function is None or end is None:
            continue
        arguments = function.signature.arguments(sql, tokens, name.last + 1)
        edits.append(Edit(tokens[name.first].start, tokens[end].end, _expanded(function, arguments)))
    return apply(sql, edits) if edits else sql


def read_function(parts: Sequence[str], rows: list[dict[str, Any]]) -> TableFunction | None:
    """The function *parts*, from the *rows* of DESCRIBE FUNCTION EXTENDED; None if it is not a SQL table function."""
    description = stored_function(rows)
    if description is None or description.get("sqlFunction.isTableFunc") != "true":
        return None
    where = f"The function {join_name(parts)}"
    columns = tuple(parameter.name for parameter in read_parameters(description["sqlFunction.returnType"], where))
    parameters = tuple(read_parameters(description.get("sqlFunction.inputParam", ""), where))
    schema = description[f"catalogAndNamespace.part.{int(description['catalogAndNamespace.numParts']) - 1}"]
    return TableFunction(Signature(parts[-1], parameters), columns, description["sqlFunction.query"], schema)


def _expanded(function: TableFunction, arguments: list[str | None]) -> str:
    values = [
        f"CAST({text} AS {parameter.type}) AS {quoted(parameter.name)}"
        for parameter, text in zip(function.signature.parameters, arguments, strict=True)
    ]
    columns = ", ".join(quoted(column) for column in function.columns)
    source = f"(SELECT {', '.join(values)}) AS {quoted(function.signature.name)}, LATERAL " if values else ""
    result = f"({_qualified(function)}\n) AS `__result`({columns})"
    return f"(SELECT `__result`.* FROM {source}{result})"


def _qualified(function: TableFunction) -> str:
    """The query with the full names of its tables, so that it means the same wherever it is called."""
    from sqlglot import exp, parse_one  # imported late: rarely needed, and slow
    from sqlglot.errors import ParseError

    try:
        tree = parse_one(function.query, read="databricks")
    except ParseError as error:
        raise DialectError(
            f"{function.signature.name}(...): its query cannot be embedded in another one here. "
            f"Run USE {function.schema}, and call the function by its bare name."
        ) from error
    made = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    edits = []
    for table in tree.find_all(exp.Table):
        first = table.args.get("db") or table.this
        if table.catalog or not isinstance(table.this, exp.Identifier) or "start" not in first.meta:
            continue
        if not table.db and table.name.lower() in made:
            continue
        before = [SPARK_CATALOG] if table.db else [SPARK_CATALOG, function.schema]
        edits.append(Edit(first.meta["start"], first.meta["start"], join_name(before) + "."))
    return apply(function.query, edits)
