"""The functions and procedures of schemas, as the relation `routines` of `information_schema` lists them.

Spark's metastore keeps functions of SQL; those of Python, and procedures, are kept in the state.

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
from lakelocal.dialect.routines.described import kept_function
from lakelocal.dialect.routines.procedures import read_procedure
from lakelocal.dialect.routines.python import read_function
from lakelocal.dialect.routines.store import FUNCTION, PROCEDURE, RoutineName, Routines
from lakelocal.dialect.server import Server
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Listing:
    """What *server* and the state of *catalogs* have."""

    catalogs: Catalogs
    server: Server

    def rows(self, places: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
        """The routines of *places*: (schema of the metastore, catalog, schema) of each schema."""
        routines = Routines(self.catalogs.state)
        for name, catalog, schema in places:
            for function in self._of_sql(name):
                told = self._told(f"{quoted(name)}.{quoted(function)}")
                yield {**_names(RoutineName(catalog, schema, function)), **_sql_function(told)}
            for kind in (FUNCTION, PROCEDURE):
                for each in routines.names(catalog, schema, kind):
                    routine = RoutineName(catalog, schema, each)
                    made = datetime.fromtimestamp(routines.made(routine, kind), UTC)
                    text = routines.text(routine, kind) or ""
                    yield {**_names(routine), **_kept(kind, text), **_history(made)}

    def _of_sql(self, schema: str) -> list[str]:
        """The functions of a schema of the metastore, without those of the session, which it lists too."""
        found = ask.run(self.server, f"SHOW USER FUNCTIONS IN {quoted(schema)}")
        start = f"{SPARK_CATALOG}.{schema}."
        return [row["function"].removeprefix(start) for row in found if row["function"].startswith(start)]

    def _told(self, function: str) -> dict[str, Any]:
        """What DESCRIBE FUNCTION says of a function of SQL."""
        return kept_function(ask.run(self.server, f"DESCRIBE FUNCTION EXTENDED {function}")) or {}


def _names(routine: RoutineName) -> Row:
    values = (routine.catalog, routine.schema, routine.name)
    return {
        f"{kind}_{part}": value
        for kind in ("specific", "routine")
        for part, value in zip(("catalog", "schema", "name"), values, strict=True)
    }


def _sql_function(told: dict[str, Any]) -> Row:
    """A function that *told*, the properties that Spark keeps of it, describes."""
    table, made = told.get("sqlFunction.isTableFunc") == "true", told.get("sqlFunction.createTime")
    reads = told.get("sqlFunction.containsSQL") == "false"
    return {
        "routine_type": "FUNCTION",
        **_returned(told.get("sqlFunction.returnType"), table=table),
        "routine_body": "SQL",
        "routine_definition": told.get("sqlFunction.query") or told.get("sqlFunction.expression"),
        "is_deterministic": _yes_no(told.get("sqlFunction.deterministic") == "true"),
        "sql_data_access": "READS SQL DATA" if reads else "CONTAINS SQL",
        "comment": told.get("sqlFunction.comment"),
        **(_history(datetime.fromtimestamp(int(made) / 1000, UTC)) if made else {}),
    }


def _kept(kind: str, text: str) -> Row:
    """The routine that the statement *text* made."""
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
    """What a relation says of the type that a function returns, a list of columns for a *table*."""
    if table:
        return {"data_type": "TABLE", "full_data_type": f"TABLE({written})"}
    return type_row(written.lower()) if written else {}


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"


def _history(made: datetime) -> Row:
    user = getpass.getuser()
    return {"created": made, "created_by": user, "last_altered": made, "last_altered_by": user}
