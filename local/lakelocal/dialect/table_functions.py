"""Table functions in a schema: `SELECT * FROM catalog.schema.function(1)`.

Open-source Spark keeps a table function made by CREATE FUNCTION, but calls it by its bare name only, in the schema that
is current. So a call with the whole name is replaced by the function's query, with its arguments beside it:

    (SELECT `__result`.* FROM (SELECT CAST(1 AS INT) AS `x`) AS `function`, LATERAL (query) AS `__result`(`a`, `b`))

Source: Databricks documentation, "CREATE FUNCTION (SQL and Python)", "Table-valued function (TVF) invocation".
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.catalogs import SPARK_CATALOG
from lakelocal.dialect import scan
from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, items
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import Edit, apply, quoted

_BEFORE = frozenset(["FROM", "JOIN", "LATERAL", ","])


@dataclass(frozen=True)
class Parameter:
    """One of a function, its texts as SQL; *default* is None where it has to be given."""

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True)
class TableFunction:
    """One that SQL defines: its *query* was written where *schema* was current."""

    name: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    query: str
    schema: str


def expand_table_functions(sql: str, described: Callable[[str], list[dict[str, Any]]]) -> str:
    """*sql* with each call of a table function by its whole name replaced by its query.

    *described* gives the rows of DESCRIBE FUNCTION EXTENDED for a name.

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
        given = dict(_arguments(sql, tokens, name.last + 1, function))
        edits.append(Edit(tokens[name.first].start, tokens[end].end, _expanded(function, given)))
    return apply(sql, edits) if edits else sql


def read_function(parts: Sequence[str], rows: list[dict[str, Any]]) -> TableFunction | None:
    """The function *parts* as DESCRIBE FUNCTION EXTENDED tells of it; None where it is no SQL table function."""
    usage = next((row["function_desc"] for row in rows if row["function_desc"].startswith("Usage: {")), None)
    if usage is None:
        return None
    told = json.loads(usage.removeprefix("Usage: "))
    if told.get("sqlFunction.isTableFunc") != "true":
        return None
    where = f"The function {join_name(parts)}"
    columns = tuple(parameter.name for parameter in read_parameters(told["sqlFunction.returnType"], where))
    parameters = tuple(read_parameters(told.get("sqlFunction.inputParam", ""), where))
    schema = told[f"catalogAndNamespace.part.{int(told['catalogAndNamespace.numParts']) - 1}"]
    return TableFunction(parts[-1], parameters, columns, told["sqlFunction.query"], schema)


def read_parameters(text: str, where: str) -> Iterator[Parameter]:
    """The parameters, or columns, that *text* lists: `x INT, y STRING DEFAULT 'a' COMMENT 'b'`."""
    sql = f"({text})"
    tokens = tokenize(sql) or ()
    for item in items(tokens, 0):
        reader = Reader(sql, tokens, item.start, item.stop, where)
        name, of_type = reader.name(), reader.until(["DEFAULT", "COMMENT", "NOT"])
        reader.take("NOT NULL")
        yield Parameter(name, of_type, reader.until(["COMMENT"]) if reader.take("DEFAULT") else None)


def _arguments(sql: str, tokens: Sequence[Token], opened: int, function: TableFunction) -> Iterator[tuple[str, str]]:
    """(parameter in lower case, text) of each argument of a call, by position or by name."""
    for index, item in enumerate(items(tokens, opened)):
        own = tokens[item.start : item.stop]
        named = len(own) > 2 and own[0].is_name and own[1].text == "=>"
        text = sql[own[2 if named else 0].start : own[-1].end]
        if named:
            yield own[0].text.lower(), text
        elif index < len(function.parameters):
            yield function.parameters[index].name.lower(), text
        else:
            raise DialectError(f"{function.name}(...): found {index + 1} arguments; expected {_signature(function)}.")


def _expanded(function: TableFunction, given: dict[str, str]) -> str:
    known = {parameter.name.lower() for parameter in function.parameters}
    if unknown := [name for name in given if name not in known]:
        raise DialectError(f"{function.name}(...): found the argument `{unknown[0]}`; expected {_signature(function)}.")
    values = []
    for parameter in function.parameters:
        text = given.get(parameter.name.lower(), parameter.default)
        if text is None:
            raise DialectError(
                f"{function.name}(...): found no argument for `{parameter.name}`; expected {_signature(function)}."
            )
        values.append(f"CAST({text} AS {parameter.type}) AS {quoted(parameter.name)}")
    columns = ", ".join(quoted(column) for column in function.columns)
    source = f"(SELECT {', '.join(values)}) AS {quoted(function.name)}, LATERAL " if values else ""
    result = f"({_qualified(function)}\n) AS `__result`({columns})"
    return f"(SELECT `__result`.* FROM {source}{result})"


def _signature(function: TableFunction) -> str:
    return f"({', '.join(f'{parameter.name} {parameter.type}' for parameter in function.parameters)})"


def _qualified(function: TableFunction) -> str:
    """The query with the whole names of its tables, so that it means the same wherever it is called."""
    from sqlglot import exp, parse_one  # rarely needed, and slow to import
    from sqlglot.errors import ParseError

    try:
        tree = parse_one(function.query, read="databricks")
    except ParseError as error:
        raise DialectError(
            f"{function.name}(...): its query cannot be put into another one here. Write USE {function.schema}, and "
            f"call it by its bare name."
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
