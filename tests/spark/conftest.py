"""Fixtures of the tests that need Spark's server."""

import itertools
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakelocal.project import State
from tests.spark.pipeline_fixtures import Pipeline

_numbers = itertools.count(1)


@pytest.fixture
def pipeline(spark: SparkSession, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline of its own, whose schema has the source table `events (id INT, kind STRING)` with three rows.

    Spark's functions are those of Connect, as in a kernel.
    """
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    number = next(_numbers)
    schema = f"pipe{number}"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}_in")
    spark.sql(f"CREATE OR REPLACE TABLE {schema}_in.events (id INT, kind STRING)")
    spark.sql(f"INSERT INTO {schema}_in.events VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    return Pipeline(state, tmp_path / "sources", schema, f"00000000-0000-4000-8000-{number:012}")
