"""Creates the relations of an `information_schema` when a request names one, from what the server has.

A relation is a view of one Parquet file in the state folder, which has the contents of that moment. A query that is
running keeps reading the file that its view had; a view is replaced only if something has changed.
"""

import getpass
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import grpc
import pyarrow
import pyarrow.parquet
import pyspark.sql.connect.proto as proto

from lakelocal.catalogs import DEFAULT_SCHEMA, INFORMATION_SCHEMA, SYSTEM, Catalogs, mapped, unmapped
from lakelocal.dialect import server as ask
from lakelocal.dialect.constraint_relations import (
    column_usage_rows,
    constraint_rows,
    key_column_rows,
    referential_rows,
    table_usage_rows,
)
from lakelocal.dialect.ddl.constraints import CHECK, Key, read_key, stored_keys
from lakelocal.dialect.ddl.schemas import schema_comment
from lakelocal.dialect.information_schema import (
    NOT_STORED,
    RELATIONS,
    Relation,
    Row,
    column_rows,
    listed_relations,
    table_of,
    table_rows,
    view_rows,
)
from lakelocal.dialect.routines.listing import Listing
from lakelocal.dialect.server import Server
from lakelocal.dialect.volumes import VolumeName, Volumes
from lakelocal.errors import DialectError
from lakelocal.sql.writing import quoted

_log = logging.getLogger(__package__)
_DEFAULT = "CURRENT_DEFAULT"  # Spark's key for the default in the metadata of a column
_KEPT_SECONDS = 3600  # how long older files are kept for queries that still read them


def make_information_schema(volumes: Volumes, catalog: str, relation: str | None, server: Server) -> None:
    """Bring *relation* of the information schema of *catalog* up to date; None stands for all of them.

    Raises:
        DialectError: there is no such relation here.
    """
    if relation is not None and relation not in RELATIONS:
        there = ", ".join(f"`{name}`" for name in RELATIONS)
        raise DialectError(
            f"`{catalog}.{INFORMATION_SCHEMA}.{relation}`: this relation does not exist here; expected one of {there}. "
            "Use one of these, SHOW or DESCRIBE."
        )
    reader = _Reader(volumes, catalog, server)
    schema = mapped(catalog, INFORMATION_SCHEMA)
    if not ask.has_schema(server, schema):
        ask.run(server, f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for name in [relation] if relation else RELATIONS:
        _keep(volumes.catalogs.folder(catalog) / INFORMATION_SCHEMA, schema, name, reader.table(name), server)


def _keep(folder: Path, schema: str, name: str, table: pyarrow.Table, server: Server) -> None:
    """Make the view *schema*.*name* show *table*."""
    folder.mkdir(parents=True, exist_ok=True)
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    content = sink.getvalue().to_pybytes()
    file = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    if file.exists() and ask.has_table(server, schema, name):
        file.touch()
        newest = max(folder.glob(f"{name}-*.parquet"), key=lambda each: each.stat().st_mtime_ns)
        shows = ask.run(server, f"SHOW CREATE TABLE {schema}.{name}")[0]
        if newest == file and file.name in next(iter(shows.values())):
            return
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)
    ask.run(server, f"CREATE OR REPLACE VIEW {schema}.{name} AS SELECT * FROM parquet.{quoted(str(file))}")
    for old in folder.glob(f"{name}-*.parquet"):
        if old != file and time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            old.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Reader:
    """Reads the contents of *catalog*, or of all catalogs if it is `system`."""

    volumes: Volumes
    catalog: str
    server: Server

    @property
    def catalogs(self) -> Catalogs:
        return self.volumes.catalogs

    def table(self, relation: str) -> pyarrow.Table:
        rows: dict[str, Callable[[], Iterable[Row]]] = {
            "catalogs": self._catalogs,
            "schemata": self._schemata,
            "tables": lambda: table_rows(self._relations()),
            "views": lambda: view_rows(self._relations()),
            "columns": lambda: column_rows(_with_columns(self._relations(), self.catalogs, self.server)),
            "volumes": self._volumes,
            "information_schema_catalog_name": lambda: [{"catalog_name": self.catalog}],
            "table_constraints": lambda: constraint_rows(self._constrained()),
            "key_column_usage": lambda: key_column_rows(self._constrained(), self._keys_of),
            "constraint_column_usage": lambda: column_usage_rows(self._constrained()),
            "constraint_table_usage": lambda: table_usage_rows(self._constrained()),
            "referential_constraints": lambda: referential_rows(self._constrained(), self._keys_of),
            "routines": self._routines,
        }
        if relation in NOT_STORED:
            _log.warning(
                "%s.%s has no rows on this machine, which does not store %s.",
                INFORMATION_SCHEMA,
                relation,
                NOT_STORED[relation],
            )
            return table_of(relation, [])
        return table_of(relation, rows[relation]())

    def _names(self) -> list[str]:
        """The catalogs that are described; as on Databricks, `system` leaves out that of Hive."""
        if self.catalog != SYSTEM or self.catalogs.is_own(SYSTEM):
            return [self.catalog]
        return [name for name in self.catalogs.names() if name != "hive_metastore" or self.catalogs.is_own(name)]

    def _places(self) -> list[tuple[str, str, str]]:
        """The schemas in these catalogs, each as (schema in the metastore, catalog, schema)."""
        wanted = {name.lower() for name in self._names()}
        found = []
        for name in ask.schemas(self.server, "*"):
            catalog, schema = unmapped(name) or (self.catalogs.own, name)
            if catalog.lower() in wanted and schema != INFORMATION_SCHEMA:
                found.append((name, catalog, schema))
        return found

    def _relations(self) -> list[Relation]:
        found = []
        for name, catalog, schema in self._places():
            rows = ask.run(self.server, f"SHOW TABLE EXTENDED IN {quoted(name)} LIKE '*'")
            found += listed_relations(rows, catalog, schema, self.catalogs.own)
        return found

    def _constrained(self) -> list[Relation]:
        """The tables, with their constraints."""
        found = []
        for each in self._relations():
            if not each.is_view:
                properties = self._properties(_metastore_name(each, self.catalogs))
                checks = tuple(name.removeprefix(CHECK) for name in properties if name.startswith(CHECK))
                found.append(replace(each, keys=_keys_in(properties, each), checks=checks))
        return found

    def _keys_of(self, table: tuple[str, ...]) -> tuple[Key, ...]:
        """The keys of *table*, in any catalog; none if it no longer exists."""
        catalog, schema, name = table
        place = self.catalogs.schema(catalog, schema)
        if not ask.has_table(self.server, place, name):
            return ()
        relation = Relation(catalog, schema, name)
        return _keys_in(self._properties(_metastore_name(relation, self.catalogs)), relation)

    def _properties(self, name: str) -> dict[str, str]:
        return {row["key"]: row["value"] for row in ask.run(self.server, f"SHOW TBLPROPERTIES {name}")}

    def _routines(self) -> Iterable[Row]:
        return Listing(self.catalogs, self.server).rows(self._places())

    def _catalogs(self) -> Iterable[Row]:
        return [{"catalog_name": name, "catalog_owner": getpass.getuser()} for name in self._names()]

    def _schemata(self) -> Iterable[Row]:
        always = (DEFAULT_SCHEMA, INFORMATION_SCHEMA)
        found: dict[tuple[str, str], str | None] = {(name, schema): None for name in self._names() for schema in always}
        for name, catalog, schema in self._places():
            if schema != DEFAULT_SCHEMA:  # whose comment in the metastore is one about Hive
                rows = ask.run(self.server, f"DESCRIBE SCHEMA EXTENDED {quoted(name)}")
                found[catalog, schema] = schema_comment(rows)
        owner = getpass.getuser()
        return [
            {"catalog_name": catalog, "schema_name": schema, "schema_owner": owner, "comment": comment}
            for (catalog, schema), comment in sorted(found.items())
        ]

    def _volumes(self) -> Iterable[Row]:
        for catalog in self._names():
            for schema, name in self.volumes.existing(catalog):
                volume = VolumeName(catalog, schema, name)
                place = (self.catalogs.volumes(catalog) / schema / name).stat()
                made = datetime.fromtimestamp(place.st_mtime, UTC)
                yield {
                    "volume_catalog": catalog,
                    "volume_schema": schema,
                    "volume_name": name,
                    "volume_owner": getpass.getuser(),
                    "created": made,
                    "last_altered": made,
                    "storage_location": volume.path,
                }


def _keys_in(properties: Mapping[str, str], table: Relation) -> tuple[Key, ...]:
    """The keys of *table*, each with the full name of its parent."""
    keys = []
    for name, text in stored_keys(properties).items():
        key = read_key(name, text)
        missing = (table.catalog, table.schema)[: 3 - len(key.parent)] if key.parent else ()
        keys.append(replace(key, parent=(*missing, *key.parent)))
    return tuple(keys)


def _metastore_name(relation: Relation, catalogs: Catalogs) -> str:
    return f"{quoted(catalogs.schema(relation.catalog, relation.schema))}.{quoted(relation.name)}"


def _with_columns(relations: list[Relation], catalogs: Catalogs, server: Server) -> list[Relation]:
    """*relations* with their columns, which are all requested in one plan."""
    asked = [_listing(number, _metastore_name(each, catalogs)) for number, each in enumerate(relations)]
    if not asked:
        return []
    try:
        rows = server.rows(proto.Plan(root=_union(asked)))
    except grpc.RpcError:  # for example because of a view whose table no longer exists
        rows = [row for number, each in enumerate(asked) for row in _rows_of(each, relations[number], server)]
    columns: dict[int, list[Row]] = {}
    for row in rows:
        columns.setdefault(row["relation"], []).append(row)
    found = [replace(each, columns=tuple(columns.get(number, ()))) for number, each in enumerate(relations)]
    return _with_defaults(found, catalogs, server)


def _with_defaults(relations: list[Relation], catalogs: Catalogs, server: Server) -> list[Relation]:
    """*relations* with the defaults of their columns, which are all requested in one plan."""
    tables = [each for each in relations if each.columns and not each.is_view]
    if not tables:
        return relations
    names = ", ".join(_metastore_name(each, catalogs) for each in tables)
    fields = iter(ask.columns(server, f"SELECT * FROM {names}"))
    defaults: dict[tuple[str, ...], dict[str, str]] = {}
    for table in tables:
        for field in islice(fields, len(table.columns)):
            default = json.loads(field.metadata or "{}").get(_DEFAULT)
            if default is not None:
                defaults.setdefault((table.catalog, table.schema, table.name), {})[field.name] = default
    return [replace(each, defaults=defaults.get((each.catalog, each.schema, each.name), {})) for each in relations]


def _rows_of(listing: proto.Relation, relation: Relation, server: Server) -> list[Row]:
    try:
        return server.rows(proto.Plan(root=listing))
    except grpc.RpcError as error:
        name = f"{relation.catalog}.{relation.schema}.{relation.name}"
        _log.warning(
            "%s.columns: %s is left out because it cannot be read: %s", INFORMATION_SCHEMA, name, error.details()
        )
        return []


def _listing(number: int, name: str) -> proto.Relation:
    """The columns of the table *name*, each row with *number*."""
    relation = proto.Relation()
    relation.with_columns.input.catalog.list_columns.table_name = name
    alias = relation.with_columns.aliases.add(name=["relation"])
    alias.expr.literal.integer = number
    return relation


def _union(relations: list[proto.Relation]) -> proto.Relation:
    """All rows of *relations*, in their order; nested as little as possible, since the server's parser has a limit."""
    if len(relations) == 1:
        return relations[0]
    half = len(relations) // 2
    united = proto.Relation()
    united.set_op.left_input.CopyFrom(_union(relations[:half]))
    united.set_op.right_input.CopyFrom(_union(relations[half:]))
    united.set_op.set_op_type = proto.SetOperation.SET_OP_TYPE_UNION
    united.set_op.is_all = True
    return united
