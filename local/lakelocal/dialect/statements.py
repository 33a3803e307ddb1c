"""Statements that only Unity Catalog has: they are executed here, ignored with a warning, or refused.

`translate` returns the SQL that Spark runs instead; a statement without a result becomes one that does nothing and
returns no rows, so that `spark.sql(...)` returns what it returns on Databricks.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from lakelocal.catalogs import ALWAYS, DEFAULT_SCHEMA, INFORMATION_SCHEMA, SPARK_CATALOG, Catalogs, mapped, shown
from lakelocal.dialect import server as ask
from lakelocal.dialect.changes import rewrite_as_merge
from lakelocal.dialect.copying import copy_into
from lakelocal.dialect.datasets import Datasets, dataset_statement
from lakelocal.dialect.ddl import (
    alter_table,
    analyze,
    cache_select,
    clone_table,
    comment_schema,
    create_table,
    describe_schema,
    describe_table,
    ignore_bloom_index,
    show_table,
)
from lakelocal.dialect.inserts import insert
from lakelocal.dialect.names import Names, join_name
from lakelocal.dialect.routines.describe import describe_function
from lakelocal.dialect.routines.store import FUNCTION, Routines
from lakelocal.dialect.scripts import ReadOnlyServer
from lakelocal.dialect.server import Server
from lakelocal.dialect.sessions import Namespace, Sessions
from lakelocal.dialect.settings import leave_to_choose, reset_parameter, set_parameter, set_path
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.statement import NOTHING, Statement, rows_as_sql
from lakelocal.dialect.volumes import VolumeName, Volumes
from lakelocal.errors import DialectError
from lakelocal.program import PROGRAM
from lakelocal.sql.tokens import STRING
from lakelocal.sql.writing import literal, quoted

_log = logging.getLogger(__package__)

_REFUSED = {
    "CREATE FLOW": "a flow is one of a pipeline; put it into the sources of one",
    "CREATE LIVE": "it is part of a pipeline; put it into the sources of one",
    "CREATE TEMPORARY LIVE": "it is part of a pipeline; put it into the sources of one",
    "CREATE TEMPORARY STREAMING": "it is part of a pipeline; put it into the sources of one",
    "CREATE TEMPORARY TABLE": "use CREATE TEMPORARY VIEW, or CREATE TABLE and DROP TABLE",
    "CREATE TEMP TABLE": "use CREATE TEMPORARY VIEW, or CREATE TABLE and DROP TABLE",
    "CREATE OR REPLACE TEMPORARY TABLE": "use CREATE OR REPLACE TEMPORARY VIEW, or CREATE TABLE and DROP TABLE",
    "CREATE OR REPLACE TEMP TABLE": "use CREATE OR REPLACE TEMPORARY VIEW, or CREATE TABLE and DROP TABLE",
    "CREATE PRIVATE": "it is part of a pipeline; put it into the sources of one",
    "APPLY CHANGES": "it is part of a pipeline; put it into the sources of one, or use MERGE",
    "AUTO CDC": "it is part of a pipeline; put it into the sources of one, or use MERGE",
    "ALTER FLOW": "a flow is one of a pipeline; change the sources of that",
    "FSCK REPAIR": "use RESTORE TABLE with a version whose files exist",
    "MSCK REPAIR PRIVILEGES": "privileges are not stored on this machine",
    "CREATE GROUP": "users and groups are not part of this machine",
    "ALTER GROUP": "users and groups are not part of this machine",
    "DROP GROUP": "users and groups are not part of this machine",
    "SHOW USERS": "users and groups are not part of this machine",
    "SHOW GROUPS": "users and groups are not part of this machine",
    "CREATE SERVER": "connections are not part of this machine",
    "CREATE POLICY": "policies protect data and are not part of this machine",
    "CREATE OR REPLACE POLICY": "policies protect data and are not part of this machine",
    "CREATE SERVICE CREDENTIAL": "credentials are not part of this machine",
    "CREATE CLEAN ROOM": "clean rooms are not part of this machine",
    "CREATE FOREIGN CATALOG": "connections are not part of this machine",
    "CREATE CONNECTION": "connections are not part of this machine",
    "CREATE EXTERNAL LOCATION": "external locations are not part of this machine; use a volume",
    "CREATE STORAGE CREDENTIAL": "credentials are not part of this machine",
    "CREATE SHARE": "Delta Sharing is not part of this machine",
    "CREATE RECIPIENT": "Delta Sharing is not part of this machine",
    "CREATE EXTERNAL VOLUME": "there is no other storage here; use CREATE VOLUME",
    "UNDROP": "a dropped table cannot be recovered here; create it again from its source",
    "SYNC": "there is no other metastore here",
    "PUT": "use dbutils.fs",
    "GET": "use dbutils.fs",
    "REMOVE": "use dbutils.fs",
}

# The functions that translate statements, by the first word; each returns None for other statements.
_BY_KIND: dict[str, tuple[Callable[[Statement], str | None], ...]] = {
    "ALTER": (alter_table,),
    "ANALYZE": (analyze,),
    "CACHE": (cache_select,),
    "COMMENT": (comment_schema,),
    "CREATE": (clone_table, create_table, describe_table, ignore_bloom_index),
    "DELETE": (rewrite_as_merge,),
    "DESC": (describe_schema, describe_function, describe_table),
    "DESCRIBE": (describe_schema, describe_function, describe_table),
    "DROP": (ignore_bloom_index,),
    "INSERT": (insert,),
    "SHOW": (show_table,),
    "UPDATE": (rewrite_as_merge,),
    "WITH": (insert,),
    "REPLACE": (clone_table, create_table),
}

_FIRST = frozenset(
    {"USE", "SET", "UNSET", "CREATE", "DROP", "SHOW", "DESCRIBE", "DESC", "COMMENT", "GRANT", "REVOKE", "DENY"}
    | {"ALTER", "LIST", "COPY", "RESET"}
)


@dataclass
class Statements:
    """Unity Catalog's statements; *sessions* has the current catalog and schema of each session.

    *datasets* are the streaming tables and materialized views that belong to no pipeline of the bundle; None if there
    can be none here.
    """

    volumes: Volumes
    sessions: Sessions
    datasets: Datasets | None = None

    @property
    def catalogs(self) -> Catalogs:
        return self.volumes.catalogs

    def translate(self, sql: str, session: str, names: Names, server: Server, plain: Callable[[str], str]) -> str:
        """What Spark runs instead of *sql*, a statement of *session*; *sql* itself if it is not such a statement.

        *names* are those of the request, *server* is the one that it is sent to; *plain* turns SQL with Databricks'
        names into Spark's.

        Raises:
            DialectError: the statement has no counterpart here, or names a catalog that does not exist.
        """
        schema, in_script = self.sessions.at(session).schema, isinstance(server, ReadOnlyServer)
        statement = Statement.of(sql, session, names, server, plain, schema, in_script=in_script)
        if not statement.tokens:
            return sql
        first = statement.words[0]
        handler: Callable[[Statement], str | None] | None = getattr(self, f"_{first.lower()}", None)
        if first in _FIRST and handler is not None and (found := handler(statement)) is not None:
            return found
        if (found := dataset_statement(statement, self.datasets, self.sessions.at(session))) is not None:
            return found
        for phrase, advice in _REFUSED.items():
            if statement.starts(phrase):
                raise DialectError(f"{statement.where}: {phrase} has no counterpart on this machine; {advice}.")
        placed = statement.without_placement()
        for handle in _BY_KIND.get(first, ()):
            if (found := handle(placed)) is not None:
                return found
        return placed.sql

    def _use(self, statement: Statement) -> str | None:
        if statement.starts("USE CATALOG") or statement.starts("SET CATALOG"):
            return self._move(statement, statement.named(2)[-1], DEFAULT_SCHEMA)
        at = 2 if statement.words[1:2] in (["SCHEMA"], ["DATABASE"], ["NAMESPACE"]) else 1
        parts = statement.name(at)
        if not parts or parts[0].upper() == "IDENTIFIER":
            return None
        catalog = parts[0] if len(parts) > 1 else statement.names.current
        return self._move(statement, catalog, parts[-1])

    def _move(self, statement: Statement, catalog: str, schema: str) -> str:
        """Make *schema* of *catalog* the session's current one, if it exists."""
        if catalog.lower() == SPARK_CATALOG:
            catalog = self.catalogs.own
        if catalog.upper() == "IDENTIFIER":  # a clause that was not replaced, as its text is not a name
            raise DialectError(
                f"{statement.where}: found IDENTIFIER(...) with something that is not the name of a catalog. Write a "
                "constant text, and quote a name that needs it, as in IDENTIFIER('`my-catalog`')."
            )
        found = (statement.names.schema([catalog, schema], statement.where) or [schema])[0]
        moves_on = self.catalogs.is_own(catalog) and statement.names.in_own
        # If the session stays in the run's catalog, the server need not be asked: Spark itself reports what is missing.
        if moves_on or schema == DEFAULT_SCHEMA or ask.has_schema(statement.server, found):
            self.sessions.move(statement.session, Namespace(self._spelled(catalog), schema))
        return f"USE {join_name([SPARK_CATALOG, found] if schema == DEFAULT_SCHEMA else [found])}"

    def _spelled(self, catalog: str) -> str:
        return self.catalogs.own if self.catalogs.is_own(catalog) else catalog.lower()

    def _set(self, statement: Statement) -> str | None:
        if statement.starts("SET CATALOG"):
            return self._use(statement)
        if statement.starts("SET TAG ON") or statement.starts("UNSET TAG ON"):
            return self._note(statement, "tags")
        return set_parameter(statement) or leave_to_choose(statement) or set_path(statement, self.volumes)

    _unset = _set

    def _reset(self, statement: Statement) -> str | None:
        return reset_parameter(statement)

    def _create(self, statement: Statement) -> str | None:
        if statement.starts("CREATE CATALOG"):
            return self._create_catalog(statement)
        if statement.starts("CREATE VOLUME"):
            at, if_not_exists = statement.skip(2, "IF NOT EXISTS")
            if "LOCATION" in statement.words:
                raise DialectError(
                    f"{statement.where}: found an external volume, but there is no other storage here. Remove LOCATION."
                )
            volume = self._volume(statement, at)
            schema = f"{volume.catalog}.{volume.schema}"
            if not ask.has_schema(statement.server, self.catalogs.schema(volume.catalog, volume.schema)):
                raise DialectError(
                    f"CREATE VOLUME {volume}: the schema `{schema}` cannot be found. "
                    f"Create it first: CREATE SCHEMA IF NOT EXISTS {schema}."
                )
            self.volumes.create(volume, if_not_exists=if_not_exists)
            return NOTHING
        if statement.has("WITH METRICS"):
            raise DialectError(f"{statement.where}: found a metric view, which Spark does not have; use CREATE VIEW.")
        return None

    def _create_catalog(self, statement: Statement) -> str:
        at, if_not_exists = statement.skip(2, "IF NOT EXISTS")
        name = statement.named(at)[-1]
        if self.catalogs.exists(name):
            if not if_not_exists:
                raise DialectError(f"{statement.where}: the catalog exists. Write CREATE CATALOG IF NOT EXISTS.")
            return NOTHING
        self.catalogs.create(name)
        return f"CREATE SCHEMA IF NOT EXISTS {mapped(name, DEFAULT_SCHEMA)}"

    def _drop(self, statement: Statement) -> str | None:
        if statement.starts("DROP CATALOG"):
            return self._drop_catalog(statement)
        if not statement.starts("DROP VOLUME"):
            return None
        at, if_exists = statement.skip(2, "IF EXISTS")
        self.volumes.drop(self._volume(statement, at), if_exists=if_exists)
        return NOTHING

    def _drop_catalog(self, statement: Statement) -> str:
        at, if_exists = statement.skip(2, "IF EXISTS")
        name = statement.named(at)[-1]
        if self.catalogs.is_own(name) or name.lower() in ALWAYS:
            how = (
                f"`{PROGRAM} down`, then delete its state folder" if self.catalogs.is_own(name) else "drop its schemas"
            )
            raise DialectError(f"{statement.where}: the catalog `{name}` always exists on this machine; {how}.")
        if not self.catalogs.exists(name):
            if if_exists:
                return NOTHING
            raise DialectError(self.catalogs.missing(name, statement.where))
        found = ask.schemas(statement.server, mapped(name, "*"))
        own = {mapped(name, schema) for schema in (DEFAULT_SCHEMA, INFORMATION_SCHEMA)}
        filled = [schema for schema in found if schema not in own]
        if filled and statement.words[-1] != "CASCADE":
            names = ", ".join(f"`{shown(schema, self.catalogs.own)}`" for schema in filled)
            raise DialectError(
                f"{statement.where}: the catalog has the schemas {names}. Add CASCADE to drop them, too."
            )
        for schema in found:
            ask.run(statement.server, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        self.catalogs.remove(name)
        if statement.names.current == name.lower():
            return self._move(statement, self.catalogs.own, DEFAULT_SCHEMA)
        return NOTHING

    def _show(self, statement: Statement) -> str | None:
        if statement.starts("SHOW CATALOGS"):
            pattern = statement.pattern()
            return rows_as_sql(["catalog"], [(name,) for name in self.catalogs.names() if pattern(name)])
        if statement.starts("SHOW VOLUMES"):
            at, named = statement.skip(2, "IN") if statement.words[2:3] == ["IN"] else statement.skip(2, "FROM")
            place = self._schema_of(statement, at) if named else self.sessions.at(statement.session)
            pattern = statement.pattern()
            found = self.volumes.existing(place.catalog, place.schema)
            return rows_as_sql(["database", "volume_name"], [row for row in found if pattern(row[1])])
        if statement.starts("SHOW GRANTS") or statement.starts("SHOW GRANT"):
            return rows_as_sql(["Principal", "ActionType", "ObjectType", "ObjectKey"], [])
        if statement.starts("SHOW CURRENT NAMESPACE"):
            place = self.sessions.at(statement.session)
            schema = "current_schema()" if statement.names.in_own else literal(place.schema)
            return f"SELECT {literal(place.catalog)} AS catalog, {schema} AS namespace"
        if "FUNCTIONS" in statement.words[1:3] and statement.words[1] != "SYSTEM":
            return self._functions(statement)
        if statement.words[1:2] in (["SCHEMAS"], ["DATABASES"]):
            named = statement.words[2:3] in (["IN"], ["FROM"])
            catalog = statement.named(3)[0] if named else statement.names.current
            statement.names.schema([catalog, DEFAULT_SCHEMA], statement.where)  # which every catalog has
            fitting = self.catalogs.schemas_like(self._need(catalog, statement), statement.like())
            return f"SHOW SCHEMAS LIKE {literal(fitting)}"
        return None

    def _functions(self, statement: Statement) -> str | None:
        """Spark's functions and the Python functions, which Spark does not store; None if there are none of the latter.

        A session that has called a Python function has it with its full name, whatever its current schema.
        """
        routines = Routines(self.catalogs.state)
        if not routines.state.routines.is_dir():
            return None
        at = statement.words.index("FUNCTIONS") + 1
        named = statement.words[at : at + 1] in (["IN"], ["FROM"])
        place = self._schema_of(statement, at + 1) if named else self.sessions.at(statement.session)
        pattern = statement.pattern()
        names = filter(pattern, routines.names(place.catalog, place.schema, FUNCTION))
        found = [f"{place.catalog}.{place.schema}.{name}" for name in names]
        known = [row["function"] for row in statement.run(statement.sql)]
        found += [
            shown(name, self.catalogs.own) for name in known if "." not in name or name.startswith(f"{SPARK_CATALOG}.")
        ]
        return rows_as_sql(["function"], [(name,) for name in sorted(found)])

    def _describe(self, statement: Statement) -> str | None:
        if statement.words[1:2] == ["CATALOG"]:
            at, _ = statement.skip(2, "EXTENDED")
            name = self._need(statement.named(at)[-1], statement)
            rows = [("Catalog Name", name), ("Comment", "on a local server"), ("Owner", "")]
            return rows_as_sql(["info_name", "info_value"], rows)
        if statement.words[1:2] == ["VOLUME"]:
            found = self._volume(statement, 2)
            if (found.schema, found.volume) not in self.volumes.existing(found.catalog):
                raise DialectError(f"{statement.where}: the volume does not exist. See SHOW VOLUMES IN {found.schema}.")
            row = (found.volume, found.catalog, found.schema, "", "", found.path, "MANAGED")
            return rows_as_sql(
                ["name", "catalog", "database", "owner", "comment", "storageLocation", "volumeType"], [row]
            )
        return None

    _desc = _describe

    def _comment(self, statement: Statement) -> str | None:
        if statement.words[2:3] in (["CATALOG"], ["VOLUME"], ["FUNCTION"], ["PROCEDURE"]):
            return self._note(statement, "comments on catalogs, volumes and routines")
        if statement.starts("COMMENT ON COLUMN"):
            parts = statement.named(3)
            at = next((at for at, token in enumerate(statement.tokens) if token.kind == STRING), None)
            text = "''" if at is None else statement.sql[statement.tokens[at].start : statement.tokens[-1].end]
            return f"ALTER TABLE {join_name(parts[:-1])} ALTER COLUMN {quoted(parts[-1])} COMMENT {text}"
        return None

    def _grant(self, statement: Statement) -> str:
        return self._note(statement, "privileges")

    _revoke = _deny = _grant

    def _alter(self, statement: Statement) -> str | None:
        words = statement.words
        if "MASK" in words or ("ROW" in words and "FILTER" in words):
            raise DialectError(
                f"{statement.where}: row filters and column masks protect data and have no counterpart on this machine."
            )
        if statement.has("OWNER TO"):
            return self._note(statement, "owners")
        if statement.has("SET TAGS") or statement.has("UNSET TAGS"):
            return self._note(statement, "tags")
        if statement.has("PREDICTIVE OPTIMIZATION"):
            return statement.note("there is no predictive optimization on this machine")
        if words[1:2] == ["VOLUME"] and statement.has("RENAME TO"):
            at = words.index("RENAME") + 2
            self.volumes.rename(self._volume(statement, 2), self._volume(statement, at))
            return NOTHING
        if words[1:2] in (["VOLUME"], ["CATALOG"], ["SHARE"], ["CONNECTION"], ["RECIPIENT"]):
            raise DialectError(
                f"{statement.where}: ALTER {words[1]} has no counterpart on this machine. Remove it here."
            )
        return None

    def _copy(self, statement: Statement) -> str | None:
        if not statement.starts("COPY INTO"):
            return None
        place = self.sessions.at(statement.session)
        return copy_into(statement, SqlText(self.volumes, statement.names, place.schema))

    def _list(self, statement: Statement) -> str | None:
        path = statement.tokens[1] if len(statement.tokens) > 1 else None
        if path is None or path.kind != STRING:
            return None
        folder = self.volumes.paths.to_local(path.text)
        self.volumes.translate(path.text)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        rows = [(str(self.volumes.paths.to_databricks(p)), p.name, str(p.stat().st_size)) for p in found]
        return rows_as_sql(["path", "name", "size"], rows)

    def _need(self, name: str, statement: Statement) -> str:
        """The catalog *name* as it is spelled here; it must exist."""
        if not self.catalogs.exists(name):
            raise DialectError(self.catalogs.missing(name, statement.where))
        return self._spelled(name)

    def _note(self, statement: Statement, subject: str) -> str:
        _log.warning("%s: %s are not stored on this machine; nothing was done.", statement.where, subject)
        return NOTHING

    def _schema_of(self, statement: Statement, at: int) -> Namespace:
        parts = statement.named(at)
        catalog = parts[0] if len(parts) > 1 else statement.names.current
        return Namespace(self._need(catalog, statement), parts[-1])

    def _volume(self, statement: Statement, at: int) -> VolumeName:
        parts = statement.name(at)
        if not 1 <= len(parts) <= 3:
            raise DialectError(
                f"{statement.where}: found no name of a volume; expected `catalog.schema.volume`. Add it."
            )
        place = self.sessions.at(statement.session)
        catalog = self._need(parts[0], statement) if len(parts) == 3 else place.catalog
        return VolumeName(catalog, parts[-2] if len(parts) > 1 else place.schema, parts[-1])
