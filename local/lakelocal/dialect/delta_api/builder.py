"""CREATE TABLE, from Delta's table builders."""

from typing import Any

from lakelocal.dialect.column_sql import attribute_parts, dotted, type_sql
from lakelocal.dialect.delta_api.tables import name_sql, path_sql, properties_sql
from lakelocal.sql.writing import literal, quoted

_BEGIN = {
    "MODE_CREATE": "CREATE TABLE",
    "MODE_CREATE_IF_NOT_EXISTS": "CREATE TABLE IF NOT EXISTS",
    "MODE_REPLACE": "REPLACE TABLE",
    "MODE_CREATE_OR_REPLACE": "CREATE OR REPLACE TABLE",
}


def create_table(create: Any) -> str:
    """*create*, a `delta.connect.CreateDeltaTable`, as a statement; without a name, it creates a table by its path."""
    mode = create.DESCRIPTOR.enum_types_by_name["Mode"].values_by_number[create.mode].name
    named = create.HasField("table_name")
    parts = [_BEGIN[mode], name_sql(create.table_name) if named else path_sql(create.location)]
    if create.columns:
        parts.append(f"({', '.join(_column(column) for column in create.columns)})")
    parts.append("USING DELTA")
    if create.partitioning_columns:
        parts.append(f"PARTITIONED BY ({_columns(create.partitioning_columns)})")
    if create.clustering_columns:
        parts.append(f"CLUSTER BY ({_columns(create.clustering_columns)})")
    if named and create.HasField("location"):
        parts.append(f"LOCATION {literal(create.location)}")
    if create.HasField("comment"):
        parts.append(f"COMMENT {literal(create.comment)}")
    if create.properties:
        parts.append(properties_sql(create.properties))
    return " ".join(parts)


def _columns(names: Any) -> str:
    return ", ".join(dotted(attribute_parts(name)) for name in names)


def _column(column: Any) -> str:
    parts = [quoted(column.name), type_sql(column.data_type)]
    if not column.nullable:
        parts.append("NOT NULL")
    if column.HasField("generated_always_as"):
        parts.append(f"GENERATED ALWAYS AS ({column.generated_always_as})")
    if column.HasField("identity_info"):
        identity = column.identity_info
        kind = "BY DEFAULT" if identity.allow_explicit_insert else "ALWAYS"
        parts.append(f"GENERATED {kind} AS IDENTITY (START WITH {identity.start} INCREMENT BY {identity.step})")
    if column.HasField("comment"):
        parts.append(f"COMMENT {literal(column.comment)}")
    return " ".join(parts)
