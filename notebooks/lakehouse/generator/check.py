"""Look at what a run landed: rows a file, and rows that refer to nothing."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import LakehouseError
from lakehouse.generator.landing import LandedFile

_OPTIONS = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"', "encoding": "UTF-8"}

# Entity and column -> the entity that must have the value.
REFERENCES = {
    ("orders", "customer_id"): "customers",
    ("order_items", "order_id"): "orders",
    ("order_items", "product_id"): "products",
    ("order_items", "seller_id"): "sellers",
    ("order_payments", "order_id"): "orders",
    ("order_reviews", "order_id"): "orders",
}


class LandedRowsError(LakehouseError):
    """Raised when generated rows refer to rows that never landed."""


def read_landed(spark: SparkSession, paths: list[str]) -> DataFrame:
    """The rows of the landed files at *paths*, of one entity, as text."""
    return spark.read.options(**_OPTIONS).csv(sorted(paths))


def count_landed(spark: SparkSession, files: list[LandedFile]) -> DataFrame | None:
    """One row an entity: its files and rows; None without files. One statement for all."""
    counts = [
        read_landed(spark, paths).agg(
            F.lit(entity).alias("entity"), F.lit(len(paths)).alias("files"), F.count("*").alias("rows")
        )
        for entity, paths in _by_entity(files).items()
    ]
    return reduce(DataFrame.unionAll, counts) if counts else None


def dangling_references(spark: SparkSession, new: list[LandedFile], landed: dict[str, list[str]]) -> dict[str, int]:
    """Count the rows of the *new* files that refer to no row of the *landed* ones (entity -> paths).

    Returns:
        `entity.column` -> number of rows, for every reference of the new files. One statement for all.
    """
    paths, found = _by_entity(new), []
    for (entity, column), parent in REFERENCES.items():
        if entity in paths:
            known = read_landed(spark, landed[parent]).select(column)
            orphans = read_landed(spark, paths[entity]).join(known, on=column, how="left_anti")
            found.append(orphans.agg(F.lit(f"{entity}.{column}").alias("reference"), F.count("*").alias("rows")))
    rows = reduce(DataFrame.unionAll, found).collect() if found else []
    return {row["reference"]: row["rows"] for row in rows}


def check_references(dangling: dict[str, int]) -> None:
    """Generated rows refer only to rows that landed.

    Raises:
        LandedRowsError: some do not; names the columns.
    """
    broken = {reference: rows for reference, rows in dangling.items() if rows}
    if broken:
        told = ", ".join(f"{rows:,} rows by `{reference}`" for reference, rows in broken.items())
        raise LandedRowsError(
            f"Landed files: found {told} that refer to nothing, expected none. "
            "Were landed files deleted? Reset the catalog and land again.",
            references=broken,
        )


def _by_entity(files: list[LandedFile]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for file in files:
        paths.setdefault(file.entity, []).append(file.path)
    return paths
