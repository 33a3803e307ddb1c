"""Reads landed files back through Spark: each question is one statement, however many files and entities it involves.

The columns are given to the reader, because Spark would start a job for each header that it has to look at: generated
files have those of `COLUMNS`, those of real files are in their first line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.volume import BatchFile, Volume
from lakehouse.layers.reading import CSV_OPTIONS

if TYPE_CHECKING:  # importing pyspark takes a second, and a run with nothing new does not need it
    from pyspark.sql import Column, DataFrame, SparkSession

FILE_NAME = "file_name"

# Files, and entity -> columns: entity -> these columns of its files as text, and `FILE_NAME`.
RowReader = Callable[[Sequence[BatchFile], Mapping[str, Sequence[str]]], dict[str, pa.Table]]

# Entity and column -> the entity that must have the value in its column of the same name.
REFERENCES = {
    ("orders", "customer_id"): "customers",
    ("order_items", "order_id"): "orders",
    ("order_items", "product_id"): "products",
    ("order_items", "seller_id"): "sellers",
    ("order_payments", "order_id"): "orders",
    ("order_reviews", "order_id"): "orders",
}


def row_reader(spark: SparkSession, volume: Volume) -> RowReader:
    """A reader of the rows of landed files, which uses *spark*."""

    def read(files: Sequence[BatchFile], columns: Mapping[str, Sequence[str]]) -> dict[str, pa.Table]:
        parts = []
        for entity, names in columns.items():
            own = [file for file in files if file.entity == entity]
            row = f"array({', '.join(f'`{name}`' for name in names)}) AS row"
            parts.append(_landed(spark, volume, own).selectExpr(f"'{entity}' AS entity", FILE_NAME, row))
        found = _union(parts).toArrow()
        return {entity: _columns(found, entity, names) for entity, names in columns.items()}

    return read


def _columns(found: pa.Table, entity: str, names: Sequence[str]) -> pa.Table:
    own = found.filter(pc.equal(found["entity"], entity))
    columns = {name: pc.list_element(own["row"], place) for place, name in enumerate(names)}
    return pa.table(columns | {FILE_NAME: own[FILE_NAME]})


def count_rows(spark: SparkSession, paths: Sequence[str]) -> dict[str, int]:
    """The number of rows that Spark reads in each of the landed files at *paths*, by file name; without empty files."""
    if not paths:
        return {}
    rows = spark.read.options(**CSV_OPTIONS).schema("first_column STRING").csv(sorted(paths))
    return dict(rows.select("_metadata.file_name").groupBy(FILE_NAME).count().collect())


def count_dangling(
    spark: SparkSession, volume: Volume, new: Sequence[BatchFile], landed: Sequence[BatchFile]
) -> dict[str, int]:
    """Count the rows of the *new* files that refer to no row of the *landed* files, which include the new ones.

    Each file is read once: a row yields the values that it refers to, and the key that others may refer to. A value
    that is not found as a key is dangling.

    Returns:
        `entity.column` -> number of rows, for every reference in the new files.
    """
    entities = {file.entity for file in new}
    asked = {f"{child}.{column}": parent for (child, column), parent in REFERENCES.items() if child in entities}
    parts = []
    for entity in sorted(entities | set(asked.values())):
        referred = [_value(parent, column, f"'{child}.{column}'")
                    for (child, column), parent in REFERENCES.items() if child == entity]  # fmt: skip
        known = [_value(entity, COLUMNS[entity][0], "NULL")] if entity in asked.values() else []
        for files, values in (
            ([file for file in landed if file.entity == entity and file not in new], known),
            ([file for file in new if file.entity == entity], referred + known),
        ):
            if files and values:
                parts.append(_landed(spark, volume, files).selectExpr(f"inline(array({', '.join(values)}))"))
    if not asked:
        return {}
    counts = [f"count_if(reference = '{name}') AS `{name}`" for name in asked]
    found = _union(parts).groupBy("parent", "value").agg(*_expressions("count_if(reference IS NULL) AS known", *counts))
    sums = [f"coalesce(sum(`{name}`), 0) AS `{name}`" for name in asked]
    return found.where("known = 0 OR value IS NULL").agg(*_expressions(*sums)).collect()[0].asDict()


def _value(parent: str, column: str, reference: str) -> str:
    return f"struct('{parent}' AS parent, `{column}` AS value, {reference} AS reference)"


def _landed(spark: SparkSession, volume: Volume, files: Iterable[BatchFile]) -> DataFrame:
    """The rows of *files*, all of one entity, by column name, as text."""
    by_header: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        names = COLUMNS[file.entity] if file.rows is not None else _usable_names(volume.header(file.path))
        by_header.setdefault(tuple(names), []).append(file.path)
    reader, wanted = spark.read.options(**CSV_OPTIONS), [*COLUMNS[file.entity], "_metadata.file_name"]
    return _union(
        reader.schema(", ".join(f"`{name}` STRING" for name in names)).csv(sorted(paths)).select(*wanted)
        for names, paths in by_header.items()
    )


def _usable_names(header: Sequence[str]) -> list[str]:
    """The names of *header*; a repeated or empty name is replaced by its position."""
    return [name if name and name not in header[:at] else f"_column_{at}" for at, name in enumerate(header)]


def _union(frames: Iterable[DataFrame]) -> DataFrame:
    return reduce(lambda one, other: one.unionAll(other), frames)


def _expressions(*texts: str) -> list[Column]:
    from pyspark.sql import functions as F

    return [F.expr(text) for text in texts]
