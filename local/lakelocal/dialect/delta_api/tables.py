"""The requests of Delta's API about one table, as SQL."""

import re
from typing import Any

from lakelocal.dialect.column_sql import attribute_parts, dotted
from lakelocal.dialect.names import split_name
from lakelocal.sql.writing import literal, quoted

_PATH = re.compile(r"/|[A-Za-z][A-Za-z0-9]*:/")


def table_sql(table: Any) -> str:
    """The name of *table*, a `delta.connect.DeltaTable`."""
    return path_sql(table.path.path) if table.HasField("path") else name_sql(table.table_or_view_name)


def path_sql(path: str) -> str:
    """The table in the folder *path*."""
    return f"delta.{quoted(path)}"


def name_sql(text: str) -> str:
    """The table that *text* names; a clone's target may be a folder."""
    if _PATH.match(text):
        return path_sql(text)
    parts = split_name(text)
    return dotted(parts) if parts else text


def clone_table(clone: Any) -> str:
    create = "CREATE OR REPLACE TABLE" if clone.replace else "CREATE TABLE"
    kind = "SHALLOW" if clone.is_shallow else "DEEP"
    text = f"{create} {name_sql(clone.target)} {kind} CLONE {table_sql(clone.table)}{_as_of(clone)}"
    return f"{text} {properties_sql(clone.properties)}" if clone.properties else text


def properties_sql(properties: Any) -> str:
    """`TBLPROPERTIES (...)`."""
    pairs = (f"{literal(key)} = {literal(value)}" for key, value in properties.items())
    return f"TBLPROPERTIES ({', '.join(pairs)})"


def vacuum_table(vacuum: Any) -> str:
    text = f"VACUUM {table_sql(vacuum.table)}"
    return f"{text} RETAIN {vacuum.retention_hours:.10g} HOURS" if vacuum.HasField("retention_hours") else text


def upgrade_table_protocol(upgrade: Any) -> str:
    versions = {"delta.minReaderVersion": upgrade.reader_version, "delta.minWriterVersion": upgrade.writer_version}
    properties = properties_sql({key: str(value) for key, value in versions.items()})
    return f"ALTER TABLE {table_sql(upgrade.table)} SET {properties}"


def generate(manifest: Any) -> str:
    return f"GENERATE {manifest.mode} FOR TABLE {table_sql(manifest.table)}"


def add_feature_support(feature: Any) -> str:
    properties = properties_sql({f"delta.feature.{feature.feature_name}": "supported"})
    return f"ALTER TABLE {table_sql(feature.table)} SET {properties}"


def drop_feature_support(feature: Any) -> str:
    truncated = " TRUNCATE HISTORY" if feature.truncate_history else ""
    return f"ALTER TABLE {table_sql(feature.table)} DROP FEATURE {quoted(feature.feature_name)}{truncated}"


def restore_table(restore: Any) -> str:
    return f"RESTORE TABLE {table_sql(restore.table)} TO{_as_of(restore)}"


def optimize_table(optimize: Any) -> str:
    text = f"OPTIMIZE {table_sql(optimize.table)}"
    if optimize.partition_filters:
        text += f" WHERE {' AND '.join(f'({each})' for each in optimize.partition_filters)}"
    if optimize.zorder_columns:
        text += f" ZORDER BY ({', '.join(dotted(attribute_parts(each)) for each in optimize.zorder_columns)})"
    return text


def convert_to_delta(convert: Any, partitions: str) -> str:
    text = f"CONVERT TO DELTA {convert.identifier}"
    return f"{text} PARTITIONED BY ({partitions})" if partitions else text


def _as_of(message: Any) -> str:
    """` VERSION AS OF ...` or ` TIMESTAMP AS OF ...`; "" if *message* has neither."""
    kind = message.WhichOneof("version_or_timestamp")
    if kind == "version":
        return f" VERSION AS OF {message.version}"
    return f" TIMESTAMP AS OF {literal(message.timestamp)}" if kind else ""
