"""Look at what a run landed: rows a file, and rows that refer to nothing."""

from functools import reduce

import pandas as pd
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


def count_landed(spark: SparkSession, files: list[LandedFile]) -> pd.DataFrame:
    """One row an entity: its files of this run and the rows that Spark reads in them. One statement for all."""
    paths = _by_entity(files)
    counts = [
        read_landed(spark, paths[entity]).agg(F.lit(entity).alias("entity"), F.count("*").alias("rows"))
        for entity in paths
    ]
    rows = {row["entity"]: row["rows"] for row in reduce(DataFrame.unionAll, counts).collect()} if counts else {}
    table = {"entity": list(paths), "files": [len(found) for found in paths.values()]}
    return pd.DataFrame(table | {"rows": [rows[entity] for entity in paths]})


def check_counts(files: list[LandedFile], counted: pd.DataFrame) -> None:
    """Spark reads as many rows as were written: no comment was cut at a line break or a quote.

    Real files are left out, since their rows were never counted.

    Raises:
        LandedRowsError: an entity has more or fewer rows; says how many.
    """
    read = dict(zip(counted["entity"], counted["rows"], strict=True))
    for entity in _by_entity(files):
        written = [file.rows for file in files if file.entity == entity]
        if None not in written and sum(written) != read[entity]:
            raise LandedRowsError(
                f"Landed files of `{entity}`: found {read[entity]:,} rows when read back, expected {sum(written):,}. "
                "Were files changed while they landed? Reset the catalog and land again.",
                entity=entity,
            )


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
