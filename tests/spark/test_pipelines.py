"""Updates of declarative pipelines: what is written, what is counted, what is refused and what that leaves.

The cases are those of Databricks' documentation and of public measurements; expected values are computed by hand.
"""

import itertools

import pytest

from lakelocal.pipelines.errors import AnalysisError, DefinitionError, PipelineError
from tests.spark.pipeline_fixtures import Pipeline, statuses

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def as_in_a_kernel(monkeypatch):
    """Spark's functions are those of Connect."""
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")


@pytest.fixture
def pipeline(spark, state, tmp_path) -> Pipeline:
    """A pipeline of its own, whose schema has the source table `events (id INT, kind STRING)` with three rows."""
    number = next(_numbers)
    schema = f"pipe{number}"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}_in")
    spark.sql(f"CREATE OR REPLACE TABLE {schema}_in.events (id INT, kind STRING)")
    spark.sql(f"INSERT INTO {schema}_in.events VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    return Pipeline(state, tmp_path / "sources", schema, f"00000000-0000-4000-8000-{number:012}")


def rows(spark, pipeline: Pipeline, table: str) -> list[tuple]:
    return sorted((tuple(row) for row in spark.table(f"{pipeline.schema}.{table}").collect()), key=str)


def exists(spark, pipeline: Pipeline, table: str) -> bool:
    return spark.catalog.tableExists(f"{pipeline.schema}.{table}")


HEAD = "import dlt\nfrom pyspark import pipelines as dp\nfrom pyspark.sql import functions as F\n"


def test_order_of_files_does_not_matter_and_the_log_tells_the_states(spark, pipeline):
    update = pipeline.update(
        HEAD + "@dp.materialized_view\ndef b():\n    return spark.read.table('a')\n",
        HEAD + "@dp.materialized_view\ndef a():\n    return spark.range(1, 3)\n",
    )

    assert rows(spark, pipeline, "b") == [(1,), (2,)]
    assert statuses(update) == {"a": "COMPLETED", "b": "COMPLETED"}
    states = [
        event["details"]["flow_progress"]["status"]
        for event in pipeline.events
        if event["event_type"] == "flow_progress" and event["origin"]["flow_name"].endswith(".b")
    ]
    assert states == ["QUEUED", "STARTING", "RUNNING", "COMPLETED"]
    last = [event for event in pipeline.events if event["event_type"] == "update_progress"][-1]
    assert last["details"]["update_progress"]["state"] == "COMPLETED"


def test_a_streaming_table_reads_what_is_new_and_a_materialized_view_what_is_there(spark, pipeline):
    """`@dlt.table` is either, by its query."""
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        f"@dlt.table\ndef streamed():\n    return spark.readStream.option('skipChangeCommits', 'true').table('{source}')\n"
        f"@dlt.table\ndef viewed():\n    return spark.read.table('{source}')\n"
    )
    first = pipeline.update(code)
    spark.sql(f"UPDATE {source} SET kind = 'z' WHERE id = 1")
    spark.sql(f"INSERT INTO {source} VALUES (4, 'd'), (5, 'e')")
    second = pipeline.update()

    assert first.outcomes[f"olist_dev.{pipeline.schema}.streamed"].counts.written == 3
    assert second.outcomes[f"olist_dev.{pipeline.schema}.streamed"].counts.written == 2
    assert rows(spark, pipeline, "streamed") == [(1, "a"), (2, "b"), (3, None), (4, "d"), (5, "e")]
    assert rows(spark, pipeline, "viewed") == [(1, "z"), (2, "b"), (3, None), (4, "d"), (5, "e")]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("@dp.materialized_view\ndef t():\n    return spark.readStream.table('{}')\n", "from a streaming query"),
        ("CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM {}", "from batch query"),
        ("@dlt.table\ndef t():\n    return dlt.read('t')\n", "Circular dependencies are not supported"),
        ("dp.create_streaming_table('t')\n", "No query found for dataset"),
        ("@dlt.view\ndef t():\n    return spark.range(1)\n", "NO_TABLES_IN_PIPELINE"),
        ("@dlt.table\ndef t():\n    return spark.read.table('{}').select('nope')\n", "nope"),
        ("@dlt.table\ndef t():\n    return 1\n", "expected a DataFrame"),
        ("@dlt.table(row_filter='f')\ndef t():\n    return spark.range(1)\n", "row_filter"),
        ("@dlt.table(colour='f')\ndef t():\n    return spark.range(1)\n", "`colour`"),
        ("INSERT INTO t VALUES (1)", "a statement that defines"),
        ("CREATE TABLE t (a INT)", "CREATE STREAMING TABLE or CREATE MATERIALIZED VIEW"),
        ("@dp.append_flow(target='nope')\ndef f():\n    return spark.readStream.table('{}')\n", "does not define"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_written(spark, pipeline, code, said):
    is_sql = code.startswith(("CREATE", "INSERT"))
    text = code.replace("{}", f"{pipeline.schema}_in.events")
    good = HEAD + "@dlt.table\ndef good():\n    return spark.range(1)\n"
    if "NO_TABLES" in said:
        good = HEAD
    with pytest.raises(PipelineError, match=said):
        pipeline.update(*([good, "-- sql\n" + text] if is_sql else [good + text]))

    assert not exists(spark, pipeline, "good")
    assert not exists(spark, pipeline, "t")


def test_two_datasets_that_read_each_other(spark, pipeline):
    with pytest.raises(AnalysisError, match=r"`a`.*`b`|`b`.*`a`"):
        pipeline.update(
            HEAD + "@dlt.table\ndef a():\n    return dlt.read('b')\n\n@dlt.table\ndef b():\n    return dlt.read('a')\n"
        )


def test_all_that_does_not_resolve_is_told_at_once(spark, pipeline):
    """b reads a missing table, c reads b; d is right; e selects a missing column, f reads e."""
    code = HEAD + "".join(
        f"@dlt.table\ndef {name}():\n    return {query}\n"
        for name, query in {
            "b": "spark.read.table('missing')",
            "c": "dlt.read('b')",
            "d": "spark.range(1)",
            "e": "spark.range(1).select('column')",
            "f": "dlt.read('e')",
        }.items()
    )
    with pytest.raises(AnalysisError) as raised:
        pipeline.update(code)

    text = str(raised.value)
    assert "`b`" in text and "missing" in text and "`e`" in text and "column" in text
    assert "`c`: Failed to read dataset `b`" in text and "`f`: Failed to read dataset `e`" in text
    assert "`d`" not in text
    assert not exists(spark, pipeline, "d")


def test_one_name_for_two_datasets(pipeline):
    source = f"{pipeline.schema}_in.events"
    with pytest.raises(DefinitionError, match="Cannot redefine dataset `t`.*materialized view.*streaming table"):
        pipeline.update(
            f"CREATE OR REFRESH STREAMING TABLE {pipeline.schema}.t AS SELECT * FROM STREAM {source}",
            f"CREATE OR REFRESH MATERIALIZED VIEW t AS SELECT * FROM {source}",
        )
