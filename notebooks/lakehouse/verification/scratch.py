"""Tables for a moment: a schema of its own that is gone afterwards, whatever happens in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from pyspark.sql import SparkSession

from lakehouse.tables.delta import text
from lakehouse.tables.operations import retry_conflicts

PREFIX = "scratch_"


@contextmanager
def scratch_schema(spark: SparkSession) -> Iterator[str]:
    """The name of a new schema; at the end it is dropped, with its tables and what `ops.progress` knows of them.

    A kernel that is killed leaves it: its name begins with `scratch_`, and nothing else uses it.
    """
    name = f"{PREFIX}{uuid4().hex[:12]}"
    spark.sql(f"CREATE SCHEMA {name} COMMENT 'Of one run of an example or a verification; may be dropped'")
    try:
        yield name
    finally:
        drop_scratch(spark, name)


def drop_scratch(spark: SparkSession, schema: str) -> None:
    """Drop *schema* and forget the progress of its tables."""
    spark.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    retry_conflicts(lambda: spark.sql(f"DELETE FROM ops.progress WHERE startswith(target, {text(schema + '.')})"))
