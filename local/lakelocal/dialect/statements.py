"""Statements that only Unity Catalog knows: done here, or a noted no-op, or refused.

`translate` answers with the SQL that Spark runs instead; a statement without a result becomes one that does nothing
and gives no rows, so that `spark.sql(...)` returns what it returns on Databricks.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from lakelocal.dialect.names import join_name, local_schema, other_catalog
from lakelocal.dialect.statement import Statement, rows_of
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError
from lakelocal.program import PROGRAM
from lakelocal.sql.tokens import STRING, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

NOTHING = "RESET `lakelocal.dialect.nothing`"
_log = logging.getLogger(__package__)

_REFUSED = {
    "COPY INTO": "use Auto Loader (`cloudFiles`)",
    "DROP CATALOG": f"`{PROGRAM} down`, then delete its state folder",
    "CREATE STREAMING TABLE": "pipelines are not part of this machine; use spark.readStream",
    "CREATE OR REFRESH": "pipelines are not part of this machine; use spark.readStream",
    "CREATE MATERIALIZED VIEW": "pipelines are not part of this machine; use CREATE VIEW",
    "CREATE OR REPLACE MATERIALIZED": "pipelines are not part of this machine; use CREATE VIEW",
    "CREATE FOREIGN CATALOG": "this server holds one catalog",
    "CREATE CONNECTION": "connections are not part of this machine",
    "CREATE EXTERNAL LOCATION": "external locations are not part of this machine; use a volume",
    "CREATE STORAGE CREDENTIAL": "credentials are not part of this machine",
    "CREATE SHARE": "Delta Sharing is not part of this machine",
    "CREATE RECIPIENT": "Delta Sharing is not part of this machine",
    "CREATE EXTERNAL VOLUME": "there is no other storage here; use CREATE VOLUME",
    "UNDROP": "dropped tables are gone here",
    "SYNC": "there is no other metastore here",
    "PUT": "use dbutils.fs",
    "GET": "use dbutils.fs",
    "REMOVE": "use dbutils.fs",
}


_FIRST = frozenset(
    {"USE", "SET", "UNSET", "CREATE", "DROP", "SHOW", "DESCRIBE", "DESC", "COMMENT", "GRANT", "REVOKE", "DENY"}
    | {"ALTER", "LIST"}
)


@dataclass
class Statements:
    """Unity Catalog's statements for one catalog.

    *schemas* remembers the current schema of each session, for a volume named without one.
    """

    volumes: Volumes
    schemas: dict[str, str] = field(default_factory=dict)

    def translate(self, sql: str, session: str, has_schema: Callable[[str], bool]) -> str:
        """What Spark runs instead of *sql*; *sql* itself where it is no such statement.

        *has_schema* tells whether the server has a schema.

        Raises:
            DialectError: the statement has no counterpart here, or names another catalog.
        """
        tokens = tokenize(sql)
        if not tokens:
            return sql
        statement = Statement(sql, tuple(token for token in tokens if token.word != ";"), session, has_schema)
        first = statement.words[0] if statement.words else ""
        handler: Callable[[Statement], str | None] | None = getattr(self, f"_{first.lower()}", None)
        if first in _FIRST and handler is not None and (found := handler(statement)) is not None:
            return found
        for phrase, advice in _REFUSED.items():
            if statement.starts(phrase):
                raise DialectError(f"{statement.where}: {phrase} has no counterpart on this machine; {advice}.")
        return statement.without_placement()

    def _use(self, statement: Statement) -> str | None:
        if statement.starts("USE CATALOG") or statement.starts("SET CATALOG"):
            self._own(statement.name(2)[-1], statement)
            self.schemas[statement.session] = "default"
            return "USE spark_catalog.default"
        at = 2 if statement.words[1:2] in (["SCHEMA"], ["DATABASE"], ["NAMESPACE"]) else 1
        parts = statement.name(at)
        if not parts or parts[0].upper() == "IDENTIFIER":
            return None
        found = local_schema(parts, self.volumes.catalog, statement.where) or parts
        self.schemas[statement.session] = found[-1]
        return f"USE {join_name(found)}"

    def _set(self, statement: Statement) -> str | None:
        if statement.starts("SET CATALOG"):
            return self._use(statement)
        if statement.starts("SET TAG ON") or statement.starts("UNSET TAG ON"):
            return self._note(statement, "tags")
        return None

    _unset = _set

    def _create(self, statement: Statement) -> str | None:
        if statement.starts("CREATE CATALOG"):
            at, if_not_exists = statement.skip(2, "IF NOT EXISTS")
            self._own(statement.name(at)[-1], statement)
            if not if_not_exists:
                raise DialectError(f"{statement.where}: the catalog exists. Write CREATE CATALOG IF NOT EXISTS.")
            return NOTHING
        if statement.starts("CREATE VOLUME"):
            at, if_not_exists = statement.skip(2, "IF NOT EXISTS")
            if "LOCATION" in statement.words:
                raise DialectError(f"{statement.where}: an external volume; there is no other storage here.")
            schema, volume = self._volume(statement, at)
            if not statement.has_schema(schema):
                raise DialectError(
                    f"CREATE VOLUME {schema}.{volume}: the schema `{schema}` cannot be found. "
                    f"Create it first: CREATE SCHEMA IF NOT EXISTS {schema}."
                )
            self.volumes.create(schema, volume, if_not_exists=if_not_exists)
            return NOTHING
        if statement.has("WITH METRICS"):
            raise DialectError(f"{statement.where}: a metric view, which Spark does not have; use CREATE VIEW.")
        return None

    def _drop(self, statement: Statement) -> str | None:
        if not statement.starts("DROP VOLUME"):
            return None
        at, if_exists = statement.skip(2, "IF EXISTS")
        self.volumes.drop(*self._volume(statement, at), if_exists=if_exists)
        return NOTHING

    def _show(self, statement: Statement) -> str | None:
        if statement.starts("SHOW CATALOGS"):
            pattern = statement.pattern()
            return rows_of(["catalog"], [(self.volumes.catalog,)] if pattern(self.volumes.catalog) else [])
        if statement.starts("SHOW VOLUMES"):
            at, named = statement.skip(2, "IN") if statement.words[2:3] == ["IN"] else statement.skip(2, "FROM")
            schema = self._schema_of(statement, at) if named else self._current(statement)
            pattern = statement.pattern()
            return rows_of(
                ["database", "volume_name"], [row for row in self.volumes.existing(schema) if pattern(row[1])]
            )
        if statement.starts("SHOW GRANTS") or statement.starts("SHOW GRANT"):
            return rows_of(["Principal", "ActionType", "ObjectType", "ObjectKey"], [])
        if statement.starts("SHOW CURRENT NAMESPACE"):
            return f"SELECT {literal(self.volumes.catalog)} AS catalog, current_schema() AS namespace"
        if statement.words[1:3] in [[kind, word] for kind in ("SCHEMAS", "DATABASES") for word in ("IN", "FROM")]:
            self._own(statement.name(3)[0], statement)
            return apply(statement.sql, [Edit(statement.tokens[2].start, statement.tokens[3].end, "")])
        return None

    def _describe(self, statement: Statement) -> str | None:
        if statement.words[1:2] == ["CATALOG"]:
            at, _ = statement.skip(2, "EXTENDED")
            self._own(statement.name(at)[-1], statement)
            rows = [("Catalog Name", self.volumes.catalog), ("Comment", "held by a local server"), ("Owner", "")]
            return rows_of(["info_name", "info_value"], rows)
        if statement.words[1:2] == ["VOLUME"]:
            schema, volume = self._volume(statement, 2)
            if (schema, volume) not in self.volumes.existing():
                raise DialectError(f"{statement.where}: the volume does not exist. See SHOW VOLUMES IN {schema}.")
            place = f"/Volumes/{self.volumes.catalog}/{schema}/{volume}"
            row = (volume, self.volumes.catalog, schema, "", "", place, "MANAGED")
            return rows_of(["name", "catalog", "database", "owner", "comment", "storageLocation", "volumeType"], [row])
        return None

    _desc = _describe

    def _comment(self, statement: Statement) -> str | None:
        if statement.starts("COMMENT ON CATALOG") or statement.starts("COMMENT ON VOLUME"):
            return self._note(statement, "comments on catalogs and volumes")
        if statement.starts("COMMENT ON COLUMN"):
            parts = statement.name(3)
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
            return self._note(statement, "predictive optimization")
        if words[1:2] in (["VOLUME"], ["CATALOG"], ["SHARE"], ["CONNECTION"], ["RECIPIENT"]):
            raise DialectError(f"{statement.where}: has no counterpart on this machine.")
        return None

    def _list(self, statement: Statement) -> str | None:
        path = statement.tokens[1] if len(statement.tokens) > 1 else None
        if path is None or path.kind != STRING:
            return None
        folder = self.volumes.paths.to_local(path.text)
        self.volumes.translate(path.text)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        rows = [(str(self.volumes.paths.to_databricks(p)), p.name, str(p.stat().st_size)) for p in found]
        return rows_of(["path", "name", "size"], rows)

    def _own(self, name: str, statement: Statement) -> None:
        if name.lower() != self.volumes.catalog.lower():
            raise other_catalog(name, self.volumes.catalog, statement.where)

    def _note(self, statement: Statement, what: str) -> str:
        _log.warning("%s: %s are not kept on this machine; nothing was done.", statement.where, what)
        return NOTHING

    def _current(self, statement: Statement) -> str:
        return self.schemas.get(statement.session, "default")

    def _schema_of(self, statement: Statement, at: int) -> str:
        parts = statement.name(at)
        return (local_schema(parts, self.volumes.catalog, statement.where) or parts)[-1]

    def _volume(self, statement: Statement, at: int) -> tuple[str, str]:
        parts = statement.name(at)
        if not 1 <= len(parts) <= 3:
            raise DialectError(f"{statement.where}: found no name of a volume; expected `catalog.schema.volume`.")
        if len(parts) == 3:
            self._own(parts[0], statement)
        return (parts[-2] if len(parts) > 1 else self._current(statement)), parts[-1]
