"""`spark.catalog`: translates the user's names into those of the metastore, and the names in responses back."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.catalogs import (
    DEFAULT_SCHEMA,
    INFORMATION_SCHEMA,
    MAPPED_PREFIX,
    SAMPLES,
    SPARK_CATALOG,
    Catalogs,
    unmapped,
)
from lakelocal.dialect import server as ask
from lakelocal.dialect.names import Needed, shorten, split_name
from lakelocal.dialect.server import Server
from lakelocal.dialect.sessions import Namespace, Sessions
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.walk import Handlers
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal

# For each message: the fields with the name of a table or function, and those with the name of a schema.
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
_NAME_FIELDS = frozenset({"table_name", "function_name", "db_name"})
_EXISTS = {"DatabaseExists": "database_exists", "TableExists": "table_exists", "FunctionExists": "function_exists"}
_PATHS = ("RefreshByPath", "CreateTable", "CreateExternalTable")
# The requests whose rows have a column `catalog`, with the column that contains the name of a schema.
_WITH_CATALOG = {
    "list_databases": "name",
    "get_database": "name",
    "list_tables": "namespace",
    "get_table": "namespace",
    "list_functions": "namespace",
    "get_function": "namespace",
}


@dataclass(frozen=True)
class CatalogPlans:
    """Translates the catalog messages in a request of one session."""

    sql: SqlText
    sessions: Sessions
    session: str
    server: Server

    @property
    def catalogs(self) -> Catalogs:
        return self.sessions.catalogs

    @property
    def handlers(self) -> Handlers:
        return {f"spark.connect.{name}": self._renames(name) for name in {*_FIELDS, *_PATHS}}

    def _renames(self, name: str) -> Callable[[Any], None]:
        tables, schemas = _FIELDS.get(name, ((), ()))

        def rename_asked(message: Any) -> None:
            try:
                rename(message)
            except DialectError:  # a catalog that does not exist has no tables
                message.Clear()
            if (needed := self.sql.names.needed) and not _may_exist(needed[-1]):
                needed.pop()
                message.Clear()

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
                self._move(message.db_name)

        return rename_asked if name in _EXISTS else rename

    def answer(self, relation: proto.Relation) -> None:
        """Let *relation*, a catalog request whose names have been translated, return the user's names."""
        kind = relation.catalog.WhichOneof("cat_type")
        place = self.sessions.at(self.session)
        if kind == "current_catalog":
            _ask(relation, f"SELECT {literal(place.catalog)} AS current_catalog")
        elif kind == "current_database" and not self.sql.names.in_own:
            _ask(relation, f"SELECT {literal(place.schema)} AS current_database")
        elif kind in _EXISTS.values() and not relation.catalog.ListFields()[0][1].ListFields():
            _ask(relation, "SELECT false AS value")
        elif kind == "list_catalogs":
            self._list_catalogs(relation, relation.catalog.list_catalogs.pattern or "*")
        elif kind == "set_current_catalog":
            relation.catalog.set_current_database.db_name = self._set_catalog(relation.catalog.set_current_catalog)
        elif kind in _WITH_CATALOG:
            if kind == "list_databases":
                listed = relation.catalog.list_databases
                listed.pattern = self.catalogs.schemas_like(place.catalog, listed.pattern or "*")
            self._show_names(relation, kind)

    def _set_catalog(self, message: proto.SetCurrentCatalog) -> str:
        """Make the catalog of *message* the current one, and return its default schema's name in the metastore."""
        where = "spark.catalog.setCurrentCatalog"
        found = self.sql.names.schema([message.catalog_name, DEFAULT_SCHEMA], where)
        own = self.catalogs.is_own(message.catalog_name) or message.catalog_name.lower() == SPARK_CATALOG
        name = self.catalogs.own if own else message.catalog_name.lower()
        self.sessions.move(self.session, Namespace(name))
        return DEFAULT_SCHEMA if found is None else found[0]

    def _move(self, schema: str) -> None:
        """Make *schema* of the metastore the session's current one, if it exists."""
        if (self.sql.names.in_own and unmapped(schema) is None) or ask.has_schema(self.server, schema):
            self.sessions.enter(self.session, schema)

    def _list_catalogs(self, relation: proto.Relation, pattern: str) -> None:
        names = [name for name in self.catalogs.names() if _fits(name, pattern)]
        rows = ", ".join(f"({literal(name)}, CAST(NULL AS STRING))" for name in names)
        _ask(
            relation,
            f"SELECT * FROM VALUES {rows or '(NULL, CAST(NULL AS STRING))'} AS t(name, description)"
            f"{'' if rows else ' WHERE false'}",
        )

    def _show_names(self, relation: proto.Relation, kind: str) -> None:
        column, catalog = _WITH_CATALOG[kind], self._catalog_of(relation, kind)
        shown = {"catalog": f"replace(catalog, 'spark_catalog', {literal(catalog)})"}
        if not self.catalogs.is_own(catalog):
            in_list = column == "namespace"
            bare = f"regexp_replace({'s' if in_list else column}, '^{MAPPED_PREFIX}', '')"
            shown[column] = f"transform({column}, s -> {bare})" if in_list else bare
        asked = proto.Relation()
        asked.CopyFrom(relation)
        aliases = [proto.Expression.Alias(expr=_sql(text), name=[name]) for name, text in shown.items()]
        relation.with_columns.CopyFrom(proto.WithColumns(input=asked, aliases=aliases))

    def _catalog_of(self, relation: proto.Relation, kind: str) -> str:
        """The catalog that the request is about: that of the schema which it names, or else the current one."""
        message = getattr(relation.catalog, kind)
        named = [value for field, value in message.ListFields() if field.name in _NAME_FIELDS]
        parts = [split_name(name) or [] for name in named]
        foreign = [found[0] for each in parts for part in each if (found := unmapped(part))]
        names_schema = any(len(each) > 1 for each in parts) or bool(getattr(message, "db_name", ""))
        return foreign[0] if foreign else self.catalogs.own if names_schema else self.sessions.at(self.session).catalog


def _may_exist(needed: Needed) -> bool:
    """Can the table exist? This machine has only some of the sample data."""
    if needed.catalog != SAMPLES or needed.schema in (DEFAULT_SCHEMA, INFORMATION_SCHEMA):
        return True
    from lakelocal.dialect.samples import known  # imported late: most requests name no sample

    return bool(known(needed.schema, needed.table))


def _fits(name: str, pattern: str) -> bool:
    return any(fnmatchcase(name.lower(), one.strip().lower()) for one in pattern.split("|"))


def _sql(text: str) -> proto.Expression:
    return proto.Expression(expression_string=proto.Expression.ExpressionString(expression=text))


def _ask(relation: proto.Relation, query: str) -> None:
    relation.sql.CopyFrom(proto.SQL(query=query))
