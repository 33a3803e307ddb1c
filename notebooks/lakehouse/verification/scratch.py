"""Temporary tables, in a schema that is dropped afterwards, whatever happens in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from pyspark.sql import SparkSession

PREFIX = "scratch_"


@contextmanager
def scratch_schema(spark: SparkSession) -> Iterator[str]:
    """The name of a new schema; it is dropped at the end, with its tables.

    If the kernel is killed, the schema remains: its name begins with `scratch_`, and nothing else uses it.
    """
    name = f"{PREFIX}{uuid4().hex[:12]}"
    spark.sql(f"CREATE SCHEMA {name} COMMENT 'Of one run of an example or a verification; may be dropped'")
    try:
        yield name
    finally:
        spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
