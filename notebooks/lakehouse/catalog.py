"""What a catalog contains before any file lands: the schemas, the volumes and the tables of `ops`.

`00_setup` creates it, and so does the first run of `10_generate_data` in a new catalog, so that a deployed job runs
without any other step. A catalog that already has tables is left as it is: if its volume is missing, somebody has
dropped it with the files that the tables were made from, and a person has to decide what happens next.
"""

from typing import Any

from pyspark.sql import SparkSession

from lakehouse.places import entries_of, reach, volume_folder, volume_missing, volume_root
from lakehouse.tables.contracts import find_contracts
from lakehouse.tables.operations import create_operations_tables

SCHEMAS = {
    "raw": "Files as they were landed",
    "bronze": "The lines of the files, as text",
    "silver": "Typed, valid and current rows",
    "gold": "Views for reports",
    "ops": "Progress, counts and quarantine of the pipelines",
    "declarative": "The same tables, by declarative pipelines",
}
VOLUMES = {
    "ops.checkpoints": "Checkpoints of the streams",
    "raw.olist": "CSV files of Olist, a folder per entity",  # the last: where it exists, so does everything else
}


def create_schemas(spark: SparkSession) -> None:
    """Create the missing schemas in the current catalog."""
    for schema, purpose in SCHEMAS.items():
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} COMMENT '{purpose}'")


def create_volumes(spark: SparkSession, dbutils: Any, catalog: str) -> list[str]:
    """Create the missing volumes in *catalog*, which is the current one, and return the folders in which files land."""
    for volume, purpose in VOLUMES.items():
        spark.sql(f"CREATE VOLUME IF NOT EXISTS {volume} COMMENT '{purpose}'")
    landed = [contract.folder for contract in find_contracts("bronze_*")]
    for folder in landed:
        dbutils.fs.mkdirs(volume_folder(catalog, folder))
    return landed


def set_up_new_catalog(spark: SparkSession, dbutils: Any, catalog: str) -> bool:
    """Create what *catalog* contains if it is new; False if the volume exists, so that nothing was to be done.

    Raises:
        PlaceError: there is no such catalog, it has tables but no volume, or the user may not create what is missing.
    """
    root = volume_root(catalog)
    if entries_of(dbutils, root) is not None:
        return False
    reach(spark)
    try:
        spark.sql(f"USE CATALOG `{catalog}`")
        tables = _bronze_tables(spark)
        if not tables:
            create_schemas(spark)
            create_operations_tables(spark)
            create_volumes(spark, dbutils, catalog)
    except Exception as error:  # each environment raises a different class
        raise volume_missing(root, next(iter(str(error).splitlines()), type(error).__name__)) from error
    if tables:
        because = f"{catalog} has tables made from its files, such as {tables[0]}: the volume was dropped"
        raise volume_missing(root, because)
    return True


def _bronze_tables(spark: SparkSession) -> list[str]:
    """The tables that files were loaded into."""
    schemas = {row[0] for row in spark.sql("SHOW SCHEMAS").collect()}
    return [row.tableName for row in spark.sql("SHOW TABLES IN bronze").collect()] if "bronze" in schemas else []
