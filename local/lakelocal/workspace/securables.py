"""Catalogs, schemas, volumes and tables as Unity Catalog describes them.

They are those that kernels and SQL see: catalogs and volumes are folders of a state, schemas and tables are in the
metastore of its Spark server. What only clients set, such as an owner or a property, is stored as a record.

Source: Unity Catalog API 2.1, `CatalogInfo`, `SchemaInfo`, `VolumeInfo`, `TableInfo`.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.catalogs import ALWAYS, DEFAULT_SCHEMA, INFORMATION_SCHEMA, SAMPLES, SYSTEM, Catalogs, unmapped
from lakelocal.compute import state_warehouse
from lakelocal.errors import LocalError
from lakelocal.project import State
from lakelocal.server import stop_server
from lakelocal.sql.writing import literal, quoted
from lakelocal.workspace.catalog_states import CatalogStates
from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.records import Records
from lakelocal.workspace.spark_sessions import SparkSessions
from lakelocal.workspace.tree.durable import sync_folder
from lakelocal.workspace.volume_files import parts_of, schema_folder, volume_folder

if TYPE_CHECKING:
    from lakelocal.dialect.information_schema import Relation

CATALOG, SCHEMA, VOLUME = "CATALOG", "SCHEMA", "VOLUME"
_ID_SPACE = uuid.UUID("6b1d2f0e-5c1a-5b52-9a3e-1d4cf0a1b7c3")
_SAID = ("comment", "owner", "properties", "options")  # the fields that clients set and read again
_OF_TABLES = ("warehouse", "metastore", "volumes", "catalogs", "links", "routines")


@dataclass(frozen=True)
class Securables:
    """The securables of the workspace of *user*; *clock* returns milliseconds since 1970 UTC."""

    states: CatalogStates
    sessions: SparkSessions
    records: Records
    user: str

    # Catalogs

    def catalogs(self) -> Iterator[dict[str, Any]]:
        return (self._catalog(name) for name in self.states.names())

    def catalog(self, name: str) -> dict[str, Any]:
        if name.lower() not in ALWAYS:
            self.states.get(name)
        return self._catalog(name.lower())

    def create_catalog(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        self.states.make(name)
        self._say(CATALOG, name, said)
        return self._catalog(name.lower())

    def update_catalog(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        self.catalog(name)
        self._say(CATALOG, name, said)
        return self._catalog(name.lower())

    def delete_catalog(self, name: str, *, force: bool) -> None:
        """Delete the catalog *name* with its tables and volumes; the runs of its state are kept."""
        state = self.states.get(name)
        if name.lower() in ALWAYS:
            raise wrong_value(f"Catalog '{name}' exists in every workspace and cannot be deleted.")
        filled = [
            schema for schema in self._schema_names(state, name) if schema not in (DEFAULT_SCHEMA, INFORMATION_SCHEMA)
        ]
        if filled and not force:
            raise _not_empty(f"Catalog '{name}' is not empty: it has the schema '{filled[0]}'.")
        if not Catalogs(state).is_own(name):
            self._run(state, f"DROP CATALOG {quoted(name)} CASCADE")
        else:
            self.sessions.forget(state)
            stop_server(state)
            for folder in (state.folder / each for each in _OF_TABLES):
                if folder.exists():
                    parts_of(state).remove(folder)
        for kind in (CATALOG, SCHEMA, VOLUME):
            self.records.remove(kind, name)

    # Schemas

    def schemas(self, catalog: str) -> Iterator[dict[str, Any]]:
        if catalog.lower() in (SAMPLES, SYSTEM):
            return iter(())
        names = self._schema_names(self.states.get(catalog), catalog)
        return (self._schema(catalog, name) for name in names)

    def schema(self, full_name: str) -> dict[str, Any]:
        catalog, name = _parts(full_name, "<catalog>.<schema>", 2)
        self._need_schema(catalog, name)
        return self._schema(catalog, name)

    def create_schema(self, catalog: str, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        state = self.states.get(catalog)
        _check_name(name)
        if name.lower() in self._schema_names(state, catalog):
            raise ApiError("SCHEMA_ALREADY_EXISTS", f"Schema '{catalog}.{name}' already exists.", 400)
        if said.get("storage_root"):
            raise wrong_value("`storage_root`: there is no storage here other than the state. Leave it out.")
        comment = f" COMMENT {literal(str(said['comment']))}" if said.get("comment") else ""
        self._run(state, f"CREATE SCHEMA {quoted(catalog)}.{quoted(name.lower())}{comment}")
        self._say(SCHEMA, f"{catalog}.{name}", said)
        return self._schema(catalog, name)

    def update_schema(self, full_name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        catalog, name = _parts(full_name, "<catalog>.<schema>", 2)
        state = self._need_schema(catalog, name)
        if said.get("new_name") and said["new_name"].lower() != name.lower():
            raise wrong_value("`new_name`: Spark cannot rename a schema. Create a new one, and move its tables.")
        if said.get("comment") is not None:
            self._run(state, f"COMMENT ON SCHEMA {quoted(catalog)}.{quoted(name)} IS {literal(str(said['comment']))}")
        self._say(SCHEMA, full_name, said)
        return self._schema(catalog, name)

    def delete_schema(self, full_name: str, *, force: bool) -> None:
        catalog, name = _parts(full_name, "<catalog>.<schema>", 2)
        state = self._need_schema(catalog, name)
        folder = schema_folder(state, catalog, name)
        if folder.is_dir() and any(folder.iterdir()) and not force:
            raise _not_empty(f"Schema '{full_name}' is not empty: it has volumes.")
        self._run(state, f"DROP SCHEMA {quoted(catalog)}.{quoted(name)} {'CASCADE' if force else 'RESTRICT'}")
        if folder.is_dir():
            parts_of(state).remove(folder)
        for kind in (SCHEMA, VOLUME):
            self.records.remove(kind, full_name)

    # Volumes

    def volumes(self, catalog: str, schema: str) -> Iterator[dict[str, Any]]:
        state = self._need_schema(catalog, schema)
        folder = schema_folder(state, catalog, schema)
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
        return (self._volume(state, catalog, schema, name) for name in names)

    def volume(self, full_name: str) -> dict[str, Any]:
        return self._volume(*self._need_volume(full_name))

    def create_volume(self, catalog: str, schema: str, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        state = self._need_schema(catalog, schema)
        _check_name(name)
        if said.get("volume_type", "MANAGED") != "MANAGED" or said.get("storage_location"):
            raise wrong_value(
                f"Volume '{catalog}.{schema}.{name}': there is no storage here other than the state, so it cannot be "
                "EXTERNAL or have a `storage_location`. Make it MANAGED."
            )
        folder = volume_folder(state, catalog, schema, name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError as error:
            text = f"Volume '{catalog}.{schema}.{name}' already exists."
            raise ApiError("VOLUME_ALREADY_EXISTS", text, 400) from error
        sync_folder(folder.parent)
        self._say(VOLUME, f"{catalog}.{schema}.{name}", said)
        return self._volume(state, catalog, schema, name)

    def update_volume(self, full_name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        state, catalog, schema, name = self._need_volume(full_name)
        new_name = str(said.get("new_name") or name)
        if new_name.lower() != name.lower():
            _check_name(new_name)
            target = volume_folder(state, catalog, schema, new_name)
            if target.exists():
                raise ApiError("VOLUME_ALREADY_EXISTS", f"Volume '{catalog}.{schema}.{new_name}' already exists.", 400)
            volume_folder(state, catalog, schema, name).rename(target)
            sync_folder(target.parent)
            said = {**self.records.get(VOLUME, full_name), **{k: v for k, v in said.items() if v is not None}}
            self.records.remove(VOLUME, full_name)
        self._say(VOLUME, f"{catalog}.{schema}.{new_name}", said)
        return self._volume(state, catalog, schema, new_name)

    def delete_volume(self, full_name: str) -> None:
        state, catalog, schema, name = self._need_volume(full_name)
        parts_of(state).remove(volume_folder(state, catalog, schema, name))
        self.records.remove(VOLUME, full_name)

    # Tables

    def tables(self, catalog: str, schema: str) -> list[dict[str, Any]]:
        state = self._need_schema(catalog, schema)
        return [self._table(state, each) for each in self._relations(state, catalog, schema, "*")]

    def table(self, full_name: str) -> dict[str, Any]:
        return self._table(*self._need_table(full_name))

    def has_table(self, full_name: str) -> bool:
        return self._find_table(full_name)[1] is not None

    def delete_table(self, full_name: str) -> None:
        state, found = self._need_table(full_name)
        self._run(state, f"DROP {'VIEW' if found.is_view else 'TABLE'} {_sql_name(found)}")

    def _need_table(self, full_name: str) -> "tuple[State, Relation]":
        state, found = self._find_table(full_name)
        if found is None:
            raise ApiError("TABLE_DOES_NOT_EXIST", f"Table '{full_name}' does not exist.", 404)
        return state, found

    def _find_table(self, full_name: str) -> "tuple[State, Relation | None]":
        catalog, schema, name = _parts(full_name, "<catalog>.<schema>.<table>", 3)
        state = self._need_schema(catalog, schema)
        found = self._relations(state, catalog, schema, name)
        return state, next((each for each in found if each.name == name.lower()), None)

    def _relations(self, state: State, catalog: str, schema: str, pattern: str) -> "list[Relation]":
        """The tables and views of a schema that match *pattern*, by name, without their columns.

        The relations of `information_schema`, which describe a whole catalog each, are created only for queries.
        """
        from lakelocal.dialect.information_schema import listed_relations  # brings Spark's client, slow to import

        catalog, schema = catalog.lower(), schema.lower()
        if schema == INFORMATION_SCHEMA:
            return []
        place = f"{quoted(catalog)}.{quoted(schema)}"
        rows = self._rows(state, f"SHOW TABLE EXTENDED IN {place} LIKE {literal(pattern.lower())}")
        return sorted(listed_relations(rows, catalog, schema, Catalogs(state).own), key=lambda each: each.name)

    def _table(self, state: State, found: "Relation") -> dict[str, Any]:
        try:
            columns = tuple(self.sessions.columns(state, _sql_name(found)))
        except LocalError:  # for example because its files are gone; it is described without them
            columns = ()
        return _table(replace(found, columns=columns))

    # Common to all of them

    def _catalog(self, name: str) -> dict[str, Any]:
        kind = "SYSTEM_CATALOG" if name in (SAMPLES, SYSTEM) else "MANAGED_CATALOG"
        return {
            **self._told(CATALOG, name, None),
            "name": name,
            "full_name": name,
            "catalog_type": kind,
            "securable_type": CATALOG,
            "isolation_mode": "OPEN",
        }

    def _schema(self, catalog: str, name: str) -> dict[str, Any]:
        full_name = f"{catalog}.{name}".lower()
        return {
            **self._told(SCHEMA, full_name, None),
            "name": name.lower(),
            "catalog_name": catalog.lower(),
            "full_name": full_name,
            "catalog_type": "MANAGED_CATALOG",
            "securable_type": SCHEMA,
            "schema_id": str(uuid.uuid5(_ID_SPACE, full_name)),
        }

    def _volume(self, state: State, catalog: str, schema: str, name: str) -> dict[str, Any]:
        folder, full_name = volume_folder(state, catalog, schema, name), f"{catalog}.{schema}.{name}".lower()
        return {
            **self._told(VOLUME, full_name, folder),
            "name": folder.name,
            "catalog_name": catalog.lower(),
            "schema_name": schema.lower(),
            "full_name": full_name,
            "volume_type": "MANAGED",
            "volume_id": str(uuid.uuid5(_ID_SPACE, full_name)),
            "storage_location": f"file:{folder}",
        }

    def _told(self, kind: str, full_name: str, folder: Path | None) -> dict[str, Any]:
        kept = self.records.get(kind, full_name)
        created = int(folder.stat().st_ctime * 1000) if folder else 0
        known = {"owner": self.user, "created_by": self.user, "updated_by": self.user, "created_at": created}
        return {name: value for name, value in {**known, "updated_at": created, **kept}.items() if value}

    def _say(self, kind: str, full_name: str, said: Mapping[str, Any]) -> None:
        kept = {name: said[name] for name in _SAID if said.get(name) is not None}
        self.records.change(kind, full_name, lambda known: {**known, **kept})

    def _schema_names(self, state: State, catalog: str) -> list[str]:
        """The schemas of *catalog*, sorted."""
        tables, catalogs = state_warehouse.tables_folder(state), Catalogs(state)
        if tables is None:
            rows = self._rows(state, f"SHOW SCHEMAS IN {quoted(catalog)}")
            found = {str(next(iter(row.values()))).lower() for row in rows}
        else:
            found = set()
            for folder in tables.glob("*.db"):
                owner, name = unmapped(folder.name[:-3]) or (catalogs.own, folder.name[:-3])
                if owner.lower() == catalog.lower():
                    found.add(name.lower())
        return sorted({DEFAULT_SCHEMA, INFORMATION_SCHEMA} | found)

    def _need_schema(self, catalog: str, name: str) -> State:
        state = self.states.get(catalog)
        if name.lower() not in self._schema_names(state, catalog):
            raise ApiError("SCHEMA_DOES_NOT_EXIST", f"Schema '{catalog}.{name}' does not exist.", 404)
        return state

    def _need_volume(self, full_name: str) -> tuple[State, str, str, str]:
        catalog, schema, name = _parts(full_name, "<catalog>.<schema>.<volume>", 3)
        state = self._need_schema(catalog, schema)
        if not volume_folder(state, catalog, schema, name).is_dir():
            raise ApiError("VOLUME_DOES_NOT_EXIST", f"Volume '{full_name}' does not exist.", 404)
        return state, catalog, schema, name

    def _run(self, state: State, statement: str) -> None:
        self._rows(state, statement)

    def _rows(self, state: State, statement: str) -> list[dict[str, Any]]:
        return self.sessions.rows(state, statement)


def _table(relation: "Relation") -> dict[str, Any]:
    from lakelocal.dialect.information_schema import column_rows, table_rows, view_rows  # as above

    (row,) = table_rows([relation])
    names = (relation.catalog, relation.schema, relation.name)
    created = row["created"]
    found = {
        "name": relation.name,
        "catalog_name": relation.catalog,
        "schema_name": relation.schema,
        "full_name": ".".join(names),
        "table_type": row["table_type"],
        "data_source_format": row["data_source_format"],
        "storage_location": row["storage_path"],
        "owner": row["table_owner"],
        "comment": row["comment"],
        "created_at": int(created.timestamp() * 1000) if created else None,
        "view_definition": next((view["view_definition"] for view in view_rows([relation])), None),
        "columns": [_column(column) for column in column_rows([relation])],
        "table_id": str(uuid.uuid5(_ID_SPACE, ".".join(names))),
    }
    return {name: value for name, value in found.items() if value is not None}


def _sql_name(relation: "Relation") -> str:
    return ".".join(map(quoted, (relation.catalog, relation.schema, relation.name)))


def _column(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "name": row["column_name"],
        "type_text": row["full_data_type"],
        "type_name": row["data_type"],
        "position": row["ordinal_position"] - 1,
        "nullable": row["is_nullable"] != "NO",
        "comment": row["comment"],
        "partition_index": row["partition_ordinal_position"] and row["partition_ordinal_position"] - 1,
    }
    return {name: value for name, value in found.items() if value is not None}


def _parts(full_name: str, expected: str, number: int) -> list[str]:
    parts = full_name.split(".")
    if len(parts) != number or not all(parts):
        raise wrong_value(f"`{full_name[:300]}` is not a full name; expected {expected}.")
    return parts


def _check_name(name: str) -> None:
    if not name or len(name) > 255 or any(c in "./" or c.isspace() or ord(c) < 32 or ord(c) == 127 for c in name):
        raise wrong_value(f"`{name[:100]}`: expected a name of 1 to 255 characters without dots, slashes and spaces.")


def _not_empty(message: str) -> ApiError:
    return ApiError("INVALID_STATE", f"{message} Delete that first, or set `force`.", 400)
