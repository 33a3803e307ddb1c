"""The relations of `information_schema` and their columns, for one catalog or, in `system`, for all of them.

Columns and constant values are those of Databricks' documentation, "Information schema". Values that are not recorded
here, such as who last altered a table and when, are those of its creation.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow

from lakelocal.catalogs import shown
from lakelocal.dialect.ddl.constraints import Key

TEXT, NUMBER, TIME = pyarrow.string(), pyarrow.int32(), pyarrow.timestamp("us", "UTC")
Row = dict[str, Any]

_HISTORY = {"comment": TEXT, "created": TIME, "created_by": TEXT, "last_altered": TIME, "last_altered_by": TEXT}
_TABLE = {"table_catalog": TEXT, "table_schema": TEXT, "table_name": TEXT}
_CONSTRAINT = {"constraint_catalog": TEXT, "constraint_schema": TEXT, "constraint_name": TEXT}
_TYPE = {
    "data_type": TEXT, "full_data_type": TEXT, "character_maximum_length": NUMBER, "character_octet_length": TEXT,
    "numeric_precision": NUMBER, "numeric_precision_radix": NUMBER, "numeric_scale": NUMBER,
    "datetime_precision": NUMBER, "interval_type": TEXT, "interval_precision": NUMBER, "maximum_cardinality": NUMBER,
}  # fmt: skip
_CATALOG, _SCHEMA = {"catalog_name": TEXT}, {"catalog_name": TEXT, "schema_name": TEXT}
_PRIVILEGED: Mapping[str, Mapping[str, pyarrow.DataType]] = {
    "catalog": _CATALOG,
    "schema": _SCHEMA,
    "table": _TABLE,
    "volume": {"volume_catalog": TEXT, "volume_schema": TEXT, "volume_name": TEXT},
    "routine": {
        "specific_catalog": TEXT, "specific_schema": TEXT, "specific_name": TEXT, "routine_catalog": TEXT,
        "routine_schema": TEXT, "routine_name": TEXT,
    },
}  # fmt: skip
_TAGGED: Mapping[str, Mapping[str, pyarrow.DataType]] = {
    "catalog": _CATALOG,
    "schema": _SCHEMA,
    "table": {**_SCHEMA, "table_name": TEXT},
    "column": {**_SCHEMA, "table_name": TEXT, "column_name": TEXT},
    "volume": {**_SCHEMA, "volume_name": TEXT},
}
RELATIONS: Mapping[str, Mapping[str, pyarrow.DataType]] = {
    "catalogs": {"catalog_name": TEXT, "catalog_owner": TEXT, **_HISTORY},
    "schemata": {"catalog_name": TEXT, "schema_name": TEXT, "schema_owner": TEXT, **_HISTORY},
    "tables": {
        **_TABLE, "table_type": TEXT, "is_insertable_into": TEXT, "commit_action": TEXT, "table_owner": TEXT,
        **_HISTORY, "data_source_format": TEXT, "storage_sub_directory": TEXT, "storage_path": TEXT,
    },
    "views": {
        **_TABLE, "view_definition": TEXT, "check_option": TEXT, "is_updatable": TEXT, "is_insertable_into": TEXT,
        "sql_path": TEXT,
    },
    "columns": {
        **_TABLE, "column_name": TEXT, "ordinal_position": NUMBER, "column_default": TEXT, "is_nullable": TEXT,
        "full_data_type": TEXT, "data_type": TEXT, "character_maximum_length": NUMBER, "character_octet_length": TEXT,
        "numeric_precision": NUMBER, "numeric_precision_radix": NUMBER, "numeric_scale": NUMBER,
        "datetime_precision": NUMBER, "interval_type": TEXT, "interval_precision": NUMBER,
        "maximum_cardinality": NUMBER, "is_identity": TEXT, "identity_generation": TEXT, "identity_start": TEXT,
        "identity_increment": TEXT, "identity_maximum": TEXT, "identity_minimum": TEXT, "identity_cycle": TEXT,
        "is_generated": TEXT, "generation_expression": TEXT, "is_system_time_period_start": TEXT,
        "is_system_time_period_end": TEXT, "system_time_period_timestamp_generation": TEXT, "is_updatable": TEXT,
        "partition_ordinal_position": NUMBER, "comment": TEXT,
    },
    "volumes": {
        "volume_catalog": TEXT, "volume_schema": TEXT, "volume_name": TEXT, "volume_type": TEXT, "volume_owner": TEXT,
        **_HISTORY, "storage_location": TEXT,
    },
    "information_schema_catalog_name": {"catalog_name": TEXT},
    "table_constraints": {
        **_CONSTRAINT, **_TABLE, "constraint_type": TEXT, "is_deferrable": TEXT, "initially_deferred": TEXT,
        "enforced": TEXT, "comment": TEXT,
    },
    "key_column_usage": {
        **_CONSTRAINT, **_TABLE, "column_name": TEXT, "ordinal_position": NUMBER,
        "position_in_unique_constraint": NUMBER,
    },
    "constraint_column_usage": {**_TABLE, "column_name": TEXT, **_CONSTRAINT},
    "constraint_table_usage": {**_TABLE, **_CONSTRAINT},
    "referential_constraints": {
        **_CONSTRAINT, "unique_constraint_catalog": TEXT, "unique_constraint_schema": TEXT,
        "unique_constraint_name": TEXT, "match_option": TEXT, "update_rule": TEXT, "delete_rule": TEXT,
    },
    "routines": {
        "specific_catalog": TEXT, "specific_schema": TEXT, "specific_name": TEXT, "routine_catalog": TEXT,
        "routine_schema": TEXT, "routine_name": TEXT, "routine_type": TEXT, **_TYPE, "routine_body": TEXT,
        "routine_definition": TEXT, "external_name": TEXT, "external_language": TEXT, "parameter_style": TEXT,
        "is_deterministic": TEXT, "sql_data_access": TEXT, "is_null_call": TEXT, "sql_path": TEXT,
        "security_type": TEXT, "as_locator": TEXT, **_HISTORY,
    },
    **{
        f"{kind}_privileges": {"grantor": TEXT, "grantee": TEXT, **names, "privilege_type": TEXT, "is_grantable": TEXT,
                               "inherited_from": TEXT}
        for kind, names in _PRIVILEGED.items()
    },
    **{f"{kind}_tags": {**names, "tag_name": TEXT, "tag_value": TEXT} for kind, names in _TAGGED.items()},
}  # fmt: skip
# Relations without rows, since what statements set there is not stored on this machine.
NOT_STORED = {
    **{f"{kind}_privileges": "privileges" for kind in _PRIVILEGED},
    **{f"{kind}_tags": "tags" for kind in _TAGGED},
}
_ALWAYS: Mapping[str, Row] = {
    "tables": {"commit_action": "PRESERVE"},
    "views": {"check_option": "NONE", "is_updatable": "NO", "is_insertable_into": "NO"},
    "columns": {
        "is_identity": "NO",
        "is_system_time_period_start": "NO",
        "is_system_time_period_end": "NO",
        "is_updatable": "YES",
    },
    "volumes": {"volume_type": "MANAGED"},
    "table_constraints": {"is_deferrable": "YES", "initially_deferred": "NO", "enforced": "NO"},
    "referential_constraints": {"match_option": "FULL", "update_rule": "NO ACTION", "delete_rule": "NO ACTION"},
    "routines": {"parameter_style": "S", "security_type": "DEFINER", "as_locator": "NO"},
}
# Unity Catalog's names for types, and their number of bits.
_NUMBERS = {
    "tinyint": ("BYTE", 8), "smallint": ("SHORT", 16), "int": ("INT", 32), "bigint": ("LONG", 64),
    "float": ("FLOAT", 32), "double": ("DOUBLE", 64),
}  # fmt: skip
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_SPARK_TIME = "%a %b %d %H:%M:%S %Z %Y"
_VIEW_TEXT = re.compile(r"^View Text: (.*?)(?=^View Original Text: |^View Schema Mode: |\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Relation:
    """A table or view: its name, the information from SHOW TABLE EXTENDED, and its columns from Spark's catalog."""

    catalog: str
    schema: str
    name: str
    information: str = ""
    columns: tuple[Row, ...] = ()
    keys: tuple[Key, ...] = ()
    checks: tuple[str, ...] = ()  # the names of the conditions that every row has to meet
    defaults: Mapping[str, str] = field(default_factory=dict)  # the name of a column -> the SQL of its default

    def detail(self, key: str) -> str | None:
        """The value of *key* in the information; None if there is none."""
        found = re.search(rf"^{key}: (.*)$", self.information, re.MULTILINE)
        return found[1] if found else None

    @property
    def is_view(self) -> bool:
        return self.detail("Type") == "VIEW"

    @property
    def format(self) -> str:
        return "UNKNOWN_DATA_SOURCE_FORMAT" if self.is_view else (self.detail("Provider") or "").upper()

    @property
    def names(self) -> Row:
        return {"table_catalog": self.catalog, "table_schema": self.schema, "table_name": self.name}


def listed_relations(rows: Iterable[Row], catalog: str, schema: str, own: str) -> list[Relation]:
    """The relations of a schema, from the *rows* of SHOW TABLE EXTENDED, without temporary views of the session.

    *own* is the catalog whose name Spark does not know.
    """
    return [
        Relation(catalog, schema, row["tableName"], shown(row["information"], own))
        for row in rows
        if not row["isTemporary"]
    ]


def table_of(relation: str, rows: Iterable[Row]) -> pyarrow.Table:
    """*rows* as the *relation* of an information schema; values that a row lacks are NULL."""
    schema = pyarrow.schema(RELATIONS[relation].items())
    always = _ALWAYS.get(relation, {})
    return pyarrow.Table.from_pylist([{**dict.fromkeys(schema.names), **always, **row} for row in rows], schema)


def table_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each in relations:
        created, owner = _time(each.detail("Created Time")), each.detail("Owner")
        yield {
            **each.names,
            "table_type": each.detail("Type"),
            "is_insertable_into": "NO" if each.is_view else "YES",
            "table_owner": owner,
            "comment": each.detail("Comment"),
            "created": created,
            "created_by": owner,
            "last_altered": created,
            "last_altered_by": owner,
            "data_source_format": each.format,
            "storage_path": None if each.is_view else each.detail("Location"),
        }  # fmt: skip


def view_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each in relations:
        if each.is_view:
            found = _VIEW_TEXT.search(each.information)
            yield {**each.names, "view_definition": found[1].strip() if found else None}


def column_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each in relations:
        partitions = [column["name"] for column in each.columns if column["isPartition"]]
        for place, column in enumerate(each.columns, 1):
            name = column["name"]
            yield {
                **each.names,
                "column_name": name,
                "ordinal_position": place,
                "is_nullable": "YES" if column["nullable"] else "NO",
                "column_default": each.defaults.get(name),
                "comment": column["description"],
                "partition_ordinal_position": partitions.index(name) + 1 if name in partitions else None,
                **type_row(column["dataType"]),
            }


def type_row(written: str) -> Row:
    """The values of the columns that describe the type which Spark writes as *written*."""
    row: Row = {"full_data_type": written, "data_type": re.split(r"[<(]", written)[0].upper()}
    if written in _NUMBERS:
        name, bits = _NUMBERS[written]
        scale = None if name in ("FLOAT", "DOUBLE") else 0
        return row | {
            "data_type": name,
            "numeric_precision": bits,
            "numeric_precision_radix": 2,
            "numeric_scale": scale,
        }
    if decimal := _DECIMAL.fullmatch(written):
        precision, scale = int(decimal[1]), int(decimal[2])
        return row | {"numeric_precision": precision, "numeric_precision_radix": 10, "numeric_scale": scale}
    if written.startswith("interval "):
        unit = written.removeprefix("interval ").upper()
        return row | {"data_type": "INTERVAL", "interval_type": unit, "datetime_precision": 3 * ("SECOND" in unit)}
    if written in ("date", "timestamp", "timestamp_ntz"):
        return row | {"datetime_precision": 0 if written == "date" else 3}
    return row


def _time(text: str | None) -> datetime | None:
    return datetime.strptime(text, _SPARK_TIME).replace(tzinfo=UTC) if text else None
