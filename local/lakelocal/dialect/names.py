"""Names of tables, views, schemas and functions: `catalog.schema.table` becomes `schema.table`.

A server has one metastore, that of Spark's own `spark_catalog` (open-source Spark cannot create views anywhere else).
The schemas of the run's catalog have their own names there, so this catalog is removed from names; a schema of another
catalog has a name that stands for both, see `lakelocal.catalogs.mapped`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lakelocal.catalogs import INFORMATION_SCHEMA, SAMPLES, SPARK_CATALOG, SYSTEM, Catalogs, unmapped
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import quoted

FORMATS = frozenset({"avro", "binaryfile", "csv", "delta", "json", "orc", "parquet", "text"})
# Schemas that belong to no catalog, and those of Spark's functions in `system`.
_OF_SPARK = frozenset({"global_temp", "session", "builtin"})


@dataclass(frozen=True)
class Needed:
    """Something that must exist before a request that names it is sent: a *table* of *schema*, or all if it is None."""

    catalog: str
    schema: str
    table: str | None = None


@dataclass(frozen=True)
class Names:
    """Translates the names in one request; *current* is the catalog of its session.

    *needed* collects what must exist before the request is sent.
    """

    catalogs: Catalogs
    current: str
    needed: list[Needed] = field(default_factory=list)

    @property
    def in_own(self) -> bool:
        """Is the session in the run's catalog?"""
        return self.catalogs.is_own(self.current)

    def table(self, parts: Sequence[str], where: str) -> list[str] | None:
        """The parts of the name that a table or function has in the metastore; None if the name stays as it is.

        Raises:
            DialectError: its catalog does not exist.
        """
        if len(parts) < 2:
            return None
        if len(parts) == 2:
            return self._in_current(parts)
        if parts[0].lower() == SPARK_CATALOG or _lower(parts[:2]) in _OF_SYSTEM:
            return None
        catalog, schema, *rest = parts
        self._need(catalog, schema, rest[0], where)
        found = self.catalogs.schema(catalog, schema)
        # The client may send the text of a query again; a name of two parts would then mean the current catalog.
        return [found, *rest] if self.in_own or unmapped(found) else [SPARK_CATALOG, found, *rest]

    def schema(self, parts: Sequence[str], where: str) -> list[str] | None:
        """The same for the name of a schema, which has at most two parts."""
        if not parts or parts[0].lower() == SPARK_CATALOG:
            return None
        if len(parts) == 1:
            found = self._in_current([parts[0], ""])
            return None if found is None else found[:1]
        self._need(parts[0], parts[1], None, where)
        return [self.catalogs.schema(parts[0], parts[1]), *parts[2:]]

    def written(self, parts: Sequence[str], where: str) -> None:
        """Refuse to write to the table or schema *parts* if its catalog is read-only.

        Raises:
            DialectError: it is in `samples` or `system`, which are read-only on Databricks, too.
        """
        if unmapped(parts[0]):
            return
        catalog = parts[0].lower() if len(parts) > 2 else self.current.lower()
        if catalog in (SAMPLES, SYSTEM) and not self.catalogs.is_own(catalog):
            raise DialectError(
                f"{where}: found the catalog `{catalog}`, which is read-only, here as on Databricks. Write to a table "
                "in another catalog."
            )

    def qualified(self, parts: Sequence[str], schema: str) -> tuple[str, ...]:
        """The name of a table in three parts, as the user knows it, if *schema* is the current one."""
        return {1: (self.current, schema, *parts), 2: (self.current, *parts)}.get(len(parts), tuple(parts))

    def column(self, parts: Sequence[str]) -> list[str] | None:
        """The same for a column with the full name of its table, which the request has named before."""
        if len(parts) < 4:
            return None
        catalog, schema, table = _lower(parts[:3])
        known = self.catalogs.is_own(catalog) or Needed(catalog, schema, table) in self.needed
        return self.table(parts, "") if known else None

    def _in_current(self, parts: Sequence[str]) -> list[str] | None:
        schema, table = parts
        if schema.lower() in _OF_SPARK or unmapped(schema) or (schema.lower() in FORMATS and "/" in table):
            return None
        found = self.catalogs.schema(self.current, schema)
        if found == schema:
            return None
        self._need(self.current, schema, table or None, "")
        return [found, table]

    def _need(self, catalog: str, schema: str, table: str | None, where: str) -> None:
        if catalog.lower() == SYSTEM and schema.lower() != INFORMATION_SCHEMA and not self.catalogs.is_own(SYSTEM):
            raise DialectError(
                f"{where}: found `{catalog}.{schema}`; of the system tables, only `information_schema` exists here. "
                "For what runs have done, use `runs list` and `runs get`."
            )
        if not self.catalogs.exists(catalog):
            raise DialectError(self.catalogs.missing(catalog, where))
        if not self.catalogs.is_own(catalog) or schema.lower() == INFORMATION_SCHEMA:
            needed = Needed(catalog.lower(), schema.lower(), table.lower() if table else None)
            if needed not in self.needed:
                self.needed.append(needed)


def _lower(parts: Sequence[str]) -> list[str]:
    return [part.lower() for part in parts]


_OF_SYSTEM = [[SYSTEM, schema] for schema in ("builtin", "session")]


def split_name(text: str) -> list[str] | None:
    """The parts of a dotted name such as ``a.`b.c` ``; None if *text* is not such a name."""
    tokens = tokenize(text)
    if not tokens or len(tokens) % 2 == 0:
        return None
    names, dots = tokens[0::2], tokens[1::2]
    if all(name.is_name for name in names) and all(dot.text == "." for dot in dots):
        return [name.text for name in names]
    return None


def join_name(parts: Sequence[str]) -> str:
    """*parts* as a dotted name, in which parts are quoted only if necessary."""
    return ".".join(part if part.isidentifier() else quoted(part) for part in parts)


def shorten(sql: str, limit: int = 100) -> str:
    """*sql* on one line and in backticks, for error messages."""
    line = " ".join(sql.split())
    return f"`{line if len(line) <= limit else line[: limit - 3] + '...'}`"
