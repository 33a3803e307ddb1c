"""The functions and procedures of schemas, as the relation `routines` of `information_schema` lists them.

SQL functions are stored in Spark's metastore, Python functions and procedures in the state.

Source: Databricks documentation, "ROUTINES".
"""

import getpass
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakelocal.catalogs import SPARK_CATALOG, Catalogs
from lakelocal.dialect import server as ask
from lakelocal.dialect.information_schema import Row, type_row
from lakelocal.dialect.routines.describe import stored_function
from lakelocal.dialect.routines.procedures import read_procedure
from lakelocal.dialect.routines.python import read_function
from lakelocal.dialect.routines.store import FUNCTION, PROCEDURE, RoutineName, Routines
from lakelocal.dialect.server import Server
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Listing:
    """Lists the routines of *server* and of the state of *catalogs*."""

    catalogs: Catalogs
    server: Server

    def rows(self, places: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
        """The routines of *places*, which are schemas as (schema in the metastore, catalog, schema)."""
        routines = Routines(self.catalogs.state)
        for name, catalog, schema in places:
            for function in self._of_sql(name):
                description = self._description(f"{quoted(name)}.{quoted(function)}")
                yield {**_names(RoutineName(catalog, schema, function)), **_sql_function(description)}
            for kind in (FUNCTION, PROCEDURE):
                for each in routines.names(catalog, schema, kind):
                    routine = RoutineName(catalog, schema, each)
                    made = datetime.fromtimestamp(routines.made(routine, kind), UTC)
                    text = routines.text(routine, kind) or ""
                    yield {**_names(routine), **_kept(kind, text), **_history(made)}

    def _of_sql(self, schema: str) -> list[str]:
        """The functions of a schema in the metastore, without those of the session, which are listed as well."""
        found = ask.run(self.server, f"SHOW USER FUNCTIONS IN {quoted(schema)}")
        start = f"{SPARK_CATALOG}.{schema}."
        return [row["function"].removeprefix(start) for row in found if row["function"].startswith(start)]

    def _description(self, function: str) -> dict[str, Any]:
        """The properties of a SQL function."""
        return stored_function(ask.run(self.server, f"DESCRIBE FUNCTION EXTENDED {function}")) or {}


def _names(routine: RoutineName) -> Row:
    values = (routine.catalog, routine.schema, routine.name)
    return {
        f"{kind}_{part}": value
        for kind in ("specific", "routine")
        for part, value in zip(("catalog", "schema", "name"), values, strict=True)
    }


def _sql_function(description: dict[str, Any]) -> Row:
    """The values for a SQL function with the properties *description*."""
    table, made = description.get("sqlFunction.isTableFunc") == "true", description.get("sqlFunction.createTime")
    reads = description.get("sqlFunction.containsSQL") == "false"
    return {
        "routine_type": "FUNCTION",
        **_returned(description.get("sqlFunction.returnType"), table=table),
        "routine_body": "SQL",
        "routine_definition": description.get("sqlFunction.query") or description.get("sqlFunction.expression"),
        "is_deterministic": _yes_no(description.get("sqlFunction.deterministic") == "true"),
        "sql_data_access": "READS SQL DATA" if reads else "CONTAINS SQL",
        "comment": description.get("sqlFunction.comment"),
        **(_history(datetime.fromtimestamp(int(made) / 1000, UTC)) if made else {}),
    }


def _kept(kind: str, text: str) -> Row:
    """The values for the routine that was created by the statement *text*."""
    if kind == PROCEDURE:
        body = read_procedure(text).body
        return {"routine_type": "PROCEDURE", "routine_body": "SQL", "routine_definition": body}
    function = read_function(text)
    table = not isinstance(function.returns, str)
    listed = function.returns if isinstance(function.returns, str) else _listed(function.returns)
    return {
        "routine_type": "FUNCTION",
        **_returned(listed, table=table),
        "routine_body": "EXTERNAL",
        "external_language": "PYTHON",
        "routine_definition": function.body,
        "is_deterministic": _yes_no(function.deterministic),
        "sql_data_access": "NO SQL",
    }


def _listed(columns: Iterable[Any]) -> str:
    return ", ".join(f"{column.name} {column.type}" for column in columns)


def _returned(written: str | None, *, table: bool) -> Row:
    """The values for the type that a function returns; for a *table*, *written* is a list of columns."""
    if table:
        return {"data_type": "TABLE", "full_data_type": f"TABLE({written})"}
    return type_row(written.lower()) if written else {}


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"


def _history(made: datetime) -> Row:
    user = getpass.getuser()
    return {"created": made, "created_by": user, "last_altered": made, "last_altered_by": user}
