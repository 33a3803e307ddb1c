"""`spark.catalog`: names going in lose the run's catalog, names coming back have it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import other_catalog, shorten
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.statements import Statements
from lakelocal.dialect.walk import Handlers
from lakelocal.sql.writing import literal

# Message -> (fields with the name of a table or function, fields with the name of a schema).
_FIELDS = {
    "SetCurrentDatabase": ((), ("db_name",)),
    "ListTables": ((), ("db_name",)),
    "ListFunctions": ((), ("db_name",)),
    "ListColumns": (("table_name",), ("db_name",)),
    "GetDatabase": ((), ("db_name",)),
    "GetTable": (("table_name",), ("db_name",)),
    "GetFunction": (("function_name",), ("db_name",)),
    "DatabaseExists": ((), ("db_name",)),
    "TableExists": (("table_name",), ("db_name",)),
    "FunctionExists": (("function_name",), ("db_name",)),
    "CreateExternalTable": (("table_name",), ()),
    "CreateTable": (("table_name",), ()),
    "RecoverPartitions": (("table_name",), ()),
    "IsCached": (("table_name",), ()),
    "CacheTable": (("table_name",), ()),
    "UncacheTable": (("table_name",), ()),
    "RefreshTable": (("table_name",), ()),
}
_PATHS = ("RefreshByPath", "CreateTable", "CreateExternalTable")
# Answers whose rows have a column `catalog`.
_WITH_CATALOG = frozenset(
    {"list_databases", "list_tables", "list_functions", "get_database", "get_table", "get_function"}
)


@dataclass(frozen=True)
class CatalogPlans:
    """Translates the catalog messages of one session's request."""

    sql: SqlText
    statements: Statements
    session: str

    @property
    def handlers(self) -> Handlers:
        return {f"spark.connect.{name}": self._renames(name) for name in {*_FIELDS, *_PATHS}}

    def _renames(self, name: str) -> Callable[[Any], None]:
        tables, schemas = _FIELDS.get(name, ((), ()))

        def rename(message: Any) -> None:
            for field in tables:
                text = getattr(message, field)
                setattr(message, field, self.sql.name(text, f"spark.catalog, {shorten(text)}"))
            for field in schemas:
                if text := getattr(message, field):
                    setattr(message, field, self.sql.schema(text, f"spark.catalog, {shorten(text)}"))
            if name in _PATHS and message.path:
                message.path = self.sql.volumes.translate(message.path)
            if name == "SetCurrentDatabase":
                self.statements.schemas[self.session] = message.db_name

        return rename

    def answer(self, relation: proto.Relation) -> None:
        """Let *relation*, a question to the catalog, answer with the run's catalog."""
        kind = relation.catalog.WhichOneof("cat_type")
        name = self.sql.catalog
        if kind == "current_catalog":
            _ask(relation, f"SELECT {literal(name)} AS current_catalog")
        elif kind == "list_catalogs":
            _ask(relation, f"SELECT {literal(name)} AS name, CAST(NULL AS STRING) AS description")
        elif kind == "set_current_catalog":
            found = relation.catalog.set_current_catalog.catalog_name
            if found.lower() != name.lower():
                raise other_catalog(found, name, "spark.catalog.setCurrentCatalog")
            self.statements.schemas[self.session] = "default"
            relation.catalog.set_current_database.db_name = "default"
        elif kind in _WITH_CATALOG:
            self._show_catalog(relation)

    def _show_catalog(self, relation: proto.Relation) -> None:
        asked = proto.Relation()
        asked.CopyFrom(relation)
        shown = f"replace(catalog, 'spark_catalog', {literal(self.sql.catalog)})"
        alias = proto.Expression.Alias(
            expr=proto.Expression(expression_string=proto.Expression.ExpressionString(expression=shown)),
            name=["catalog"],
        )
        relation.with_columns.CopyFrom(proto.WithColumns(input=asked, aliases=[alias]))


def _ask(relation: proto.Relation, query: str) -> None:
    relation.sql.CopyFrom(proto.SQL(query=query))
