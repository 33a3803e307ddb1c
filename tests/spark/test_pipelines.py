"""Updates of declarative pipelines: what is written and counted, what is refused, and what a refusal leaves behind.

The cases come from Databricks' documentation and from public measurements; expected values are computed by hand.
"""

import pytest
from pyspark.errors.exceptions.connect import SparkConnectException

from lakelocal.compute import open_session
from lakelocal.pipelines.errors import AnalysisError, DefinitionError, PipelineError
from tests.spark.pipeline_fixtures import HEAD, Pipeline, exists, rows, rule_counts, statuses


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
    """`@dlt.table` creates either, depending on its query."""
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        "@dlt.table\ndef streamed():\n"
        f"    return spark.readStream.option('skipChangeCommits', 'true').table('{source}')\n"
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


def test_sums_over_a_stream_replace_those_of_before(spark, pipeline):
    """As on Databricks, where a streaming table may have sums without a watermark; a separate flow only appends."""
    source = f"{pipeline.schema}_in.events"
    grouped = f"    return spark.readStream.table('{source}').groupBy('kind').count()\n"
    pipeline.update(
        HEAD + "@dlt.table\n@dlt.expect_or_drop('known', 'kind IS NOT NULL')\ndef sums():\n" + grouped,
        f"CREATE STREAMING TABLE in_sql AS SELECT kind, max(id) AS id FROM STREAM({source}) GROUP BY kind",
    )
    spark.sql(f"INSERT INTO {source} VALUES (4, 'a')")
    pipeline.update()

    assert rows(spark, pipeline, "sums") == [("a", 2), ("b", 1)]
    assert rows(spark, pipeline, "in_sql") == [("a", 4), ("b", 2), (None, 3)]
    with pytest.raises(PipelineError, match="streaming aggregations"):
        pipeline.update(HEAD + "dlt.create_streaming_table('t')\n@dlt.append_flow(target='t')\ndef f():\n" + grouped)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("@dp.materialized_view\ndef t():\n    return spark.readStream.table('{}')\n", "from a streaming query"),
        ("CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM {}", "from batch query"),
        ("@dlt.table\ndef t():\n    return dlt.read('t')\n", "Circular dependencies are not supported"),
        ("dp.create_streaming_table('t')\n", "No query found for dataset"),
        ("@dlt.view\ndef t():\n    return spark.range(1)\n", "NO_TABLES_IN_PIPELINE"),
        ("@dlt.table\ndef t():\n    return spark.read.table('{}').select('nope')\n", "nope"),
        ("@dlt.table\ndef t():\n    return 1\n", "expected a Spark DataFrame"),
        ("@dlt.table\ndef t():\n    return spark.table('{}').groupBy('id').pivot('kind').count()\n", "`pivot`"),
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
    with pytest.raises(DefinitionError, match=r"Cannot redefine dataset `t`.*materialized view.*streaming table"):
        pipeline.update(
            f"CREATE OR REFRESH STREAMING TABLE {pipeline.schema}.t AS SELECT * FROM STREAM {source}",
            f"CREATE OR REFRESH MATERIALIZED VIEW t AS SELECT * FROM {source}",
        )


def test_views_are_read_in_their_own_mode(pipeline):
    source = f"{pipeline.schema}_in.events"
    views = HEAD + f"@dp.temporary_view\ndef v():\n    return spark.readStream.table('{source}')\n"
    with pytest.raises(AnalysisError, match="`v` is a streaming view and must be referenced using readStream"):
        pipeline.update(views, "CREATE OR REFRESH MATERIALIZED VIEW m AS SELECT * FROM v")
    with pytest.raises(AnalysisError, match="is a batch view"):
        pipeline.update(
            "CREATE TEMPORARY VIEW w AS SELECT 1 AS a; CREATE OR REFRESH STREAMING TABLE s AS SELECT * FROM STREAM(w)"
        )


def test_a_catalog_whose_name_needs_quotes(spark, pipeline):
    """Also in a second update, when its schema is there."""
    spark.sql("CREATE CATALOG `my-lake`")
    pipeline.catalog = "my-lake"
    for _ in range(2):
        pipeline.update(
            "CREATE OR REFRESH MATERIALIZED VIEW first AS SELECT 1 AS ab;\n"
            "CREATE OR REFRESH MATERIALIZED VIEW next AS SELECT ab + 1 AS n FROM first"
        )

    assert [tuple(row) for row in spark.sql(f"SELECT n FROM `my-lake`.{pipeline.schema}.next").collect()] == [(2,)]
    spark.sql("DROP CATALOG `my-lake` CASCADE")


def test_names_views_schemas_live_and_use(spark, pipeline):
    """A view wins over a table of one part; LIVE is left out; a dataset has a schema; USE holds for a file."""
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {pipeline.schema}")
    spark.sql(f"CREATE TABLE {pipeline.schema}.thing AS SELECT 'table' AS what")
    spark.sql(f"CREATE TABLE {pipeline.schema}_in.only_there AS SELECT 'used' AS what")
    pipeline.update(
        HEAD
        + "@dp.temporary_view\ndef thing():\n    return spark.createDataFrame([('view',)], 'what STRING')\n"
        + "@dlt.table\ndef one():\n    return spark.read.table('LIVE.thing')\n"
        + f"@dlt.table\ndef two():\n    return spark.read.table('{pipeline.schema}.thing')\n"
        + f"@dlt.table(name='{pipeline.schema}_b.elsewhere')\ndef x():\n    return spark.sql('SELECT * FROM thing')\n",
        f"USE SCHEMA {pipeline.schema}_in; CREATE OR REFRESH MATERIALIZED VIEW {pipeline.schema}.used AS "
        "SELECT t.what FROM only_there AS t",
    )

    assert rows(spark, pipeline, "one") == [("view",)]
    assert rows(spark, pipeline, "two") == [("table",)]
    assert rows(spark, pipeline, "used") == [("used",)]
    assert spark.table(f"{pipeline.schema}_b.elsewhere").collect() == [("view",)]
    assert not exists(spark, pipeline, "elsewhere")


def test_a_query_is_called_after_the_loop_has_ended(spark, pipeline):
    """As on Databricks, all tables get the last value, unless a default argument or a factory stores each value."""
    pipeline.update(
        HEAD
        + "for n in (1, 2, 3):\n"
        + "    @dlt.table(name=f'late{n}')\n    def query():\n        return spark.range(n)\n"
        + "    @dlt.table(name=f'own{n}')\n    def query(n=n):\n        return spark.range(n)\n"
    )

    assert [len(rows(spark, pipeline, f"late{n}")) for n in (1, 2, 3)] == [3, 3, 3]
    assert [len(rows(spark, pipeline, f"own{n}")) for n in (1, 2, 3)] == [1, 2, 3]


def test_reading_at_the_top_of_a_source(spark, pipeline):
    """Tables from outside the pipeline may be read there, datasets of the pipeline may not."""
    source = f"{pipeline.schema}_in.events"
    pipeline.update(
        HEAD + f"kinds = sorted(r.kind for r in spark.table('{source}').where('kind IS NOT NULL').collect())\n"
        "for kind in kinds:\n    @dlt.table(name=f'of_{kind}')\n    def of(kind=kind):\n"
        f"        return spark.table('{source}').where(F.col('kind') == kind)\n"
    )
    assert rows(spark, pipeline, "of_a") == [(1, "a")] and rows(spark, pipeline, "of_b") == [(2, "b")]

    with pytest.raises(DefinitionError, match="REFERENCE_DLT_DATASET_OUTSIDE_QUERY_DEFINITION"):
        pipeline.update(HEAD + "@dlt.table\ndef t():\n    return spark.range(1)\n\nspark.read.table('t').collect()\n")
    with pytest.raises(DefinitionError, match="REFERENCE_DLT_DATASET_OUTSIDE_QUERY_DEFINITION"):
        pipeline.update(HEAD + "@dlt.table\ndef t():\n    return spark.range(1)\n\ndlt.read('t')\n")


def test_a_query_that_requests_rows_gets_those_that_there_are_when_it_runs(spark, pipeline, capsys):
    """As on Databricks, where a query is evaluated several times; a query with arguments reads the tables, too."""
    source = f"{pipeline.schema}_in.events"
    pipeline.update(
        HEAD + f"@dlt.table\ndef t():\n    return spark.read.table('{source}')\n"
        "@dlt.table\ndef shares():\n    total = dlt.read('t').agg(F.sum('id')).collect()[0][0]\n"
        "    return dlt.read('t').select('id', (F.col('id') * 6 / F.lit(total)).alias('share'))\n"
        "@dlt.view\ndef counted():\n    n = spark.table('t').count()\n"
        "    return spark.table('t').select('id', F.lit(n).alias('n'))\n"
        "@dlt.table\ndef below():\n    return dlt.read('counted').where('id < 2')\n"
        "@dlt.table\ndef wide():\n    kinds = [r.kind for r in dlt.read('t').where('id < 3').sort('id').collect()]\n"
        "    return dlt.read('t').select('id', *[(F.col('kind') == k).alias(k) for k in kinds])\n"
        "@dlt.table\ndef named():\n    return spark.sql('SELECT id FROM t WHERE id > :low', {'low': 1})\n"
        "@dlt.table\ndef framed():\n"
        "    return spark.sql('SELECT id FROM {frame} WHERE id > {low}', frame=dlt.read('t'), low=2)\n"
    )

    assert rows(spark, pipeline, "shares") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert rows(spark, pipeline, "below") == [(1, 3)]
    assert rows(spark, pipeline, "wide") == [(1, True, False), (2, False, True), (3, None, None)]
    assert rows(spark, pipeline, "named") == [(2,), (3,)] and rows(spark, pipeline, "framed") == [(3,)]
    notes = [line for line in capsys.readouterr().out.splitlines() if "requests rows of the pipeline" in line]
    assert [line.partition("`")[2].partition("`")[0] for line in notes] == ["shares", "counted", "wide"]


ORDERS = (
    "@dlt.view\ndef orders():\n    return spark.createDataFrame([(1, 'a', 5.0), (2, None, 7.0), (3, 'b', -1.0), "
    "(4, 'c', 2.5), (5, None, -3.0), (6, 'a', 9.0)], 'id INT, customer STRING, amount DOUBLE')\n"
)


def test_expectations_warn_and_drop(spark, pipeline):
    """A dropped row does not count for rules that warn; a condition may be a column; NULL does not pass."""
    update = pipeline.update(
        HEAD + ORDERS + "@dlt.table\n@dlt.expect('positive', 'amount > 0')\n"
        "@dlt.expect_or_drop('customer', 'customer IS NOT NULL')\n"
        "def kept():\n    return dlt.read('orders')\n"
        "@dlt.table\n@dp.expect('as_column', inv=F.col('customer') != 'b')\n"
        "def all_rows():\n    return dlt.read('orders')\n",
        "CREATE OR REFRESH MATERIALIZED VIEW in_sql (CONSTRAINT c EXPECT (customer <> 'b') ON VIOLATION DROP ROW, "
        "CONSTRAINT w EXPECT (amount > 4)) AS SELECT * FROM orders",
    )

    assert [row[0] for row in rows(spark, pipeline, "kept")] == [1, 3, 4, 6]
    assert [row[0] for row in rows(spark, pipeline, "in_sql")] == [1, 4, 6]
    assert rule_counts(update) == {
        ("kept", "positive"): (3, 1),
        ("kept", "customer"): (4, 2),
        ("all_rows", "as_column"): (3, 3),
        ("in_sql", "c"): (3, 3),
        ("in_sql", "w"): (2, 1),
    }
    ended = [event for event in pipeline.events if "data_quality" in event["details"].get("flow_progress", {})]
    assert {
        event["origin"]["dataset_name"].rpartition(".")[2]: event["details"]["flow_progress"]["data_quality"][
            "dropped_records"
        ]
        for event in ended
    } == {"kept": 2, "all_rows": 0, "in_sql": 3}


def test_an_expectation_that_fails_stops_its_flow_alone(spark, pipeline):
    with pytest.raises(PipelineError, match=r"EXPECTATION_VIOLATION.*Violated expectations: 'known, long'.*\"id\":2"):
        pipeline.update(
            HEAD
            + ORDERS
            + "@dlt.table\n@dlt.expect_all_or_fail({'known': 'customer IS NOT NULL', 'long': 'length(customer) > 0'})\n"
            "def strict():\n    return dlt.read('orders').where('id < 3')\n"
            "@dlt.table\ndef below():\n    return dlt.read('strict')\n"
            "@dlt.table\ndef beside():\n    return dlt.read('orders')\n"
        )

    assert rows(spark, pipeline, "strict") == [] and rows(spark, pipeline, "below") == []
    assert len(rows(spark, pipeline, "beside")) == 6
    last = {
        event["origin"]["flow_name"].rpartition(".")[2]: event["details"]["flow_progress"]["status"]
        for event in pipeline.events
        if event["event_type"] == "flow_progress"
    }
    assert last == {"strict": "FAILED", "below": "SKIPPED", "beside": "COMPLETED"}


def test_an_expectation_that_fails_names_the_row_of_a_stream(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    with pytest.raises(PipelineError, match=r"Violated expectations: 'known'\. .*\"id\":3") as raised:
        pipeline.update(
            HEAD + "@dlt.table\n@dlt.expect_or_fail('known', 'kind IS NOT NULL')\n"
            f"def strict():\n    return spark.readStream.table('{source}')\n"
        )

    assert "concat" not in str(raised.value)
    assert rows(spark, pipeline, "strict") == []


def test_rules_of_a_view_count_for_each_that_reads_it(spark, pipeline):
    update = pipeline.update(
        HEAD + "@dlt.view\n@dlt.expect_or_drop('even', 'id % 2 = 0')\ndef v():\n    return spark.range(5)\n"
        "@dlt.view\n@dlt.expect('never', 'false')\ndef unread():\n    return spark.range(5)\n"
        "@dlt.table\ndef a():\n    return dlt.read('v')\n"
        "@dlt.table\ndef b():\n    return dlt.read('v').where('id > 0')\n"
    )

    assert rows(spark, pipeline, "a") == [(0,), (2,), (4,)] and rows(spark, pipeline, "b") == [(2,), (4,)]
    counts = {
        name.rpartition(".")[2]: [(rule.dataset, rule.name, rule.passed, rule.failed) for rule in outcome.counts.rules]
        for name, outcome in update.outcomes.items()
    }
    assert counts == {"a": [("v", "even", 3, 2)], "b": [("v", "even", 3, 2)]}


def test_flows_added_later_once_flows_and_full_refresh(spark, pipeline):
    """Each flow has its own checkpoint; a once flow runs a single time in each generation of its table."""
    source = f"{pipeline.schema}_in.events"
    base = HEAD + (
        "dp.create_streaming_table('t', expect_all_or_drop={'id': 'id > 0'})\n"
        f"@dp.append_flow(target='t')\ndef first():\n    return spark.readStream.table('{source}').select('id')\n"
    )
    once = (
        "@dp.append_flow(target='t', once=True)\ndef old():\n"
        "    return spark.createDataFrame([(100,), (-1,)], 'id INT')\n"
    )
    second = (
        "@dp.append_flow(target='t', name='second')\ndef f():\n"
        f"    return spark.readStream.table('{source}').selectExpr('id + 10 AS id')\n"
    )
    pipeline.update(base + once)
    assert rows(spark, pipeline, "t") == [(1,), (100,), (2,), (3,)]

    update = pipeline.update(base + once + second)
    assert statuses(update) == {"first": "COMPLETED", "old": "IDLE", "second": "COMPLETED"}
    assert [row[0] for row in rows(spark, pipeline, "t")] == [1, 100, 11, 12, 13, 2, 3]

    pipeline.update(base + second)
    update = pipeline.update(base + once + second)
    assert statuses(update)["old"] == "IDLE"
    pipeline.update(base + once + second, full_refresh_all=True)
    assert [row[0] for row in rows(spark, pipeline, "t")] == [1, 100, 11, 12, 13, 2, 3]


def test_a_once_flow_that_failed_runs_again(spark, pipeline):
    code = HEAD + (
        "dp.create_streaming_table('t')\n@dp.append_flow(target='t', once=True)\ndef f():\n"
        "    return spark.range(3).selectExpr('{}')\n"
    )
    with pytest.raises(PipelineError, match="broken"):
        pipeline.update(code.format('IF(id = 2, raise_error("broken"), id) AS id'))
    assert rows(spark, pipeline, "t") == []
    pipeline.update(code.format("id"))
    assert rows(spark, pipeline, "t") == [(0,), (1,), (2,)]


def test_selected_tables_and_reset_protection(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        f"@dlt.table\ndef a():\n    return spark.readStream.table('{source}')\n"
        f"@dlt.table\ndef b():\n    return spark.readStream.table('{source}')\n"
        f"@dlt.table(table_properties={{'pipelines.reset.allowed': 'false'}})\ndef safe():\n"
        f"    return spark.readStream.table('{source}')\n"
        "@dlt.table\ndef m():\n    return dlt.read('a').agg(F.count('*').alias('n'))\n"
    )
    pipeline.update(code)
    spark.sql(f"CREATE OR REPLACE TABLE {source} (id INT, kind STRING)")
    spark.sql(f"INSERT INTO {source} VALUES (9, 'new')")

    update = pipeline.update(full_refresh=("a", f"{pipeline.schema}.m"))
    assert statuses(update) == {"a": "COMPLETED", "b": "EXCLUDED", "safe": "EXCLUDED", "m": "COMPLETED"}
    assert rows(spark, pipeline, "a") == [(9, "new")] and rows(spark, pipeline, "m") == [(1,)]
    assert len(rows(spark, pipeline, "b")) == 3

    with pytest.raises(PipelineError, match="no table `nope`"):
        pipeline.update(refresh=("nope",))
    with pytest.raises(PipelineError, match="in the refresh and in the full refresh"):
        pipeline.update(refresh=("a",), full_refresh=("a",))
    with pytest.raises(PipelineError, match="a full refresh of all tables"):
        pipeline.update(refresh=("a",), full_refresh_all=True)
    with pytest.raises(PipelineError, match=r"pipelines\.reset\.allowed"):
        pipeline.update(full_refresh=("safe",))


def test_a_protected_table_keeps_its_rows_in_a_full_refresh_of_all(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        f"@dlt.table(table_properties={{'pipelines.reset.allowed': 'false'}})\ndef safe():\n"
        f"    return spark.readStream.table('{source}')\n"
        f"@dlt.table\ndef other():\n    return spark.readStream.table('{source}').select('id')\n"
    )
    pipeline.update(code)
    spark.sql(f"INSERT INTO {pipeline.schema}.safe VALUES (77, 'by hand')")
    spark.sql(f"INSERT INTO {pipeline.schema}.other VALUES (77)")
    pipeline.update(full_refresh_all=True)

    assert (77, "by hand") in rows(spark, pipeline, "safe") and len(rows(spark, pipeline, "safe")) == 4
    assert rows(spark, pipeline, "other") == [(1,), (2,), (3,)]


def test_schemas_of_streaming_tables_grow_and_those_of_views_are_replaced(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        "@dlt.table\ndef s():\n    return spark.readStream.table('{0}').select({1})\n"
        "@dlt.table\ndef m():\n    return spark.table('{0}').select({2})\n"
    )
    pipeline.update(code.format(source, "'id', 'kind'", "'id', 'kind'"))
    spark.sql(f"INSERT INTO {source} VALUES (4, 'd')")
    pipeline.update(code.format(source, "'id', (F.col('id') * 2).alias('twice')", "F.col('id').cast('string')"))

    assert spark.table(f"{pipeline.schema}.s").columns == ["id", "kind", "twice"]
    assert rows(spark, pipeline, "s") == [(1, "a", None), (2, "b", None), (3, None, None), (4, None, 8)]
    assert spark.table(f"{pipeline.schema}.m").schema.simpleString() == "struct<id:string>"
    with pytest.raises(PipelineError, match=r"Failed to merge incompatible data types.*refresh the table fully"):
        pipeline.update(code.format(source, "F.col('kind').alias('id')", "'id'"))
    pipeline.update(code.format(source, "F.col('kind').alias('id')", "'id'"), full_refresh=("s",))
    assert spark.table(f"{pipeline.schema}.s").schema.simpleString() == "struct<id:string>"


def test_a_materialized_view_keeps_its_rows_when_its_query_fails(spark, pipeline):
    code = HEAD + "@dlt.table\ndef m():\n    return spark.range(2).selectExpr('{} AS id')\n"
    pipeline.update(code.format("id"))
    with pytest.raises(PipelineError, match="broken"):
        pipeline.update(code.format('IF(id = 1, raise_error(\\"broken\\"), id)'))
    assert rows(spark, pipeline, "m") == [(0,), (1,)]


def test_the_type_of_a_table_stays_and_tables_have_one_owner(spark, pipeline, state, tmp_path):
    source = f"{pipeline.schema}_in.events"
    pipeline.update(HEAD + f"@dlt.table\ndef t():\n    return spark.readStream.table('{source}')\n")
    with pytest.raises(AnalysisError, match="CANNOT_CHANGE_DATASET_TYPE"):
        pipeline.update(HEAD + f"@dlt.table\ndef t():\n    return spark.table('{source}')\n")
    other = Pipeline(state, tmp_path / "other", pipeline.schema, pipeline.id.replace("4000", "4999"))
    with pytest.raises(AnalysisError, match=f"already managed by pipeline {pipeline.id}"):
        other.update(HEAD + "@dlt.table\ndef t():\n    return spark.range(1)\n")
    pipeline.update(HEAD + "@dlt.table\ndef another():\n    return spark.range(1)\n")
    assert len(rows(spark, pipeline, "t")) == 3  # a dataset that is removed from the sources leaves its table


def test_a_dry_run_leaves_nothing(spark, pipeline, state):
    code = HEAD + (
        "@dlt.table\ndef a():\n    return spark.range(3)\n"
        "@dlt.table\ndef b():\n    return spark.read.table('a').select('{}')\n"
    )
    with pytest.raises(AnalysisError, match="wrong"):
        pipeline.update(code.format("wrong"), validate_only=True)
    pipeline.update(code.format("id"), validate_only=True)
    assert not spark.catalog.databaseExists(pipeline.schema)


def test_settings_parameters_and_confs(spark, pipeline):
    pipeline.configuration = {"k": "start", "my.key": "7"}
    pipeline.parameters = {"p": "it's", "column": "id"}
    pipeline.update(
        "CREATE OR REFRESH MATERIALIZED VIEW w AS SELECT '${k}' AS k; SET k = a;"
        "CREATE OR REFRESH MATERIALIZED VIEW x AS SELECT '${k}' AS k; SET k = b;"
        "CREATE OR REFRESH MATERIALIZED VIEW y AS SELECT '${k}' AS k, :p AS p, "
        f"(SELECT max(IDENTIFIER(:column)) FROM {pipeline.schema}_in.events) AS m",
        HEAD + "TOP = spark.conf.get('my.key')\n@dlt.table\ndef z():\n"
        "    found = (TOP, spark.conf.get('my.key'), spark.conf.get('none', 'd'))\n"
        "    return spark.createDataFrame([found], 'a STRING, b STRING, c STRING')\n",
    )
    assert rows(spark, pipeline, "w") == [("start",)] and rows(spark, pipeline, "x") == [("a",)]
    assert rows(spark, pipeline, "y") == [("b", "it's", 3)]
    assert rows(spark, pipeline, "z") == [("7", "7", "d")]
    with pytest.raises(DefinitionError, match="`:missing`"):
        pipeline.update("CREATE OR REFRESH MATERIALIZED VIEW w AS SELECT :missing AS k")


def test_partitions_clusters_comments_and_properties(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        "@dlt.table(comment=\"it's\", table_properties={{'quality': 'silver'}}, partition_cols={1})\ndef s():\n"
        "    return spark.readStream.table('{0}')\n"
        "@dlt.table(partition_cols={1})\ndef m():\n    return spark.table('{0}')\n"
    )
    pipeline.update(code.format(source, "['kind']"))
    detail = spark.sql(f"DESCRIBE DETAIL {pipeline.schema}.s").first()
    assert detail["partitionColumns"] == ["kind"] and detail["description"] == "it's"
    assert detail["properties"]["quality"] == "silver"
    with pytest.raises(PipelineError, match="CANNOT_UPDATE_PARTITION_COLUMNS"):
        pipeline.update(code.format(source, "['id']"))
    pipeline.update(code.format(source, "['id']"), refresh=("m",))
    assert spark.sql(f"DESCRIBE DETAIL {pipeline.schema}.m").first()["partitionColumns"] == ["id"]
    with pytest.raises(AnalysisError, match="clustered by `tags`"):
        pipeline.update("CREATE OR REFRESH MATERIALIZED VIEW c CLUSTER BY (tags) AS SELECT array(1) AS tags")


def test_private_tables_published_views_and_sinks(spark, pipeline, state):
    source = f"{pipeline.schema}_in.events"
    spark.sql(f"CREATE TABLE {pipeline.schema}_in.sink (id INT)")
    code = (
        "CREATE OR REFRESH PRIVATE STREAMING TABLE hidden AS SELECT * FROM STREAM(${source});"
        "CREATE OR REFRESH STREAMING TABLE shown_table AS SELECT id FROM STREAM hidden WHERE id > 1;"
        "CREATE VIEW shown COMMENT 'for all' AS SELECT s.id FROM LIVE.shown_table s"
    )
    pipeline.configuration = {"source": source}
    update = pipeline.update(
        code,
        HEAD + f"dp.create_sink('out', 'delta', {{'tableName': 'olist_dev.{pipeline.schema}_in.sink'}})\n"
        "@dp.append_flow(target='out')\ndef to_sink():\n    return spark.readStream.table('shown_table')\n"
        f"@dlt.table(name='olist_dev.{pipeline.schema}_b.hidden', private=True)\n"
        "def other():\n    return spark.read.table('hidden').where('id > 2')\n"
        f"@dlt.table\ndef of_other():\n    return spark.read.table('{pipeline.schema}_b.hidden')\n",
    )
    assert not exists(spark, pipeline, "hidden")
    assert not spark.catalog.tableExists(f"{pipeline.schema}_b.hidden")
    assert rows(spark, pipeline, "of_other") == [(3, None)]
    assert rows(spark, pipeline, "shown") == [(2,), (3,)]
    assert sorted(row.id for row in spark.table(f"{pipeline.schema}_in.sink").collect()) == [2, 3]
    assert update.outcomes[f"olist_dev.{pipeline.schema}.to_sink"].counts.written == 2
    with pytest.raises(AnalysisError, match="INVALID_TEMP_OBJ_REFERENCE"):
        pipeline.update(code.replace("LIVE.shown_table", "hidden"))


def test_division_by_zero_is_null_as_in_pipelines(spark, pipeline):
    pipeline.update("CREATE OR REFRESH MATERIALIZED VIEW z AS SELECT 1 / 0 AS quotient")
    assert rows(spark, pipeline, "z") == [(None,)]


def test_auto_loader_keeps_its_own_schema_and_starts_again_for_a_new_column(spark, pipeline, state):
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {pipeline.schema}_in.files")
    folder = state.volumes / f"{pipeline.schema}_in" / "files"
    (folder / "a.json").write_text('{"id": 1}\n', encoding="utf-8")
    path = f"/Volumes/olist_dev/{pipeline.schema}_in/files"
    code = HEAD + (
        "@dlt.view\ndef raw():\n    return (spark.readStream.format('cloudFiles').option('cloudFiles.format', 'json')"
        f".option('cloudFiles.inferColumnTypes', 'true').load('{path}'))\n"
        "@dlt.table\ndef t():\n    return dlt.read_stream('raw')\n"
    )
    pipeline.update(code, f"CREATE OR REFRESH STREAMING TABLE f AS SELECT id FROM STREAM read_files('{path}')")
    (folder / "b.json").write_text('{"id": 2, "name": "new"}\n', encoding="utf-8")
    pipeline.update()

    found = spark.table(f"{pipeline.schema}.t").select("id", "name").collect()
    assert sorted(map(tuple, found)) == [(1, None), (2, "new")]
    assert rows(spark, pipeline, "f") == [(1,), (2,)]


def changes(spark, pipeline: Pipeline, *events: str) -> str:
    """Create a feed with *events*, each with the values (id, city, at, operation), and return its table's name."""
    feed = f"{pipeline.schema}_in.feed"
    spark.sql(f"CREATE TABLE IF NOT EXISTS {feed} (id INT, city STRING, at INT, operation STRING)")
    spark.sql(f"INSERT INTO {feed} VALUES {', '.join(f'({each})' for each in events)}")
    return feed


def test_auto_cdc_in_two_updates_and_a_full_refresh(spark, pipeline):
    """SCD 1 and 2, through a view, in Python and SQL; the expected rows follow from the rules in the documentation."""
    feed = changes(spark, pipeline, "1, 'Recife', 1, 'I'", "2, 'Natal', 1, 'I'", "1, 'Olinda', 3, 'U'")
    code = HEAD + (
        f"@dlt.view\ndef feed():\n    return spark.readStream.table('{feed}')\n"
        "dlt.create_streaming_table('history', comment='versions')\n"
        "dlt.apply_changes(target='history', source='feed', keys=['id'], sequence_by=F.col('at'),\n"
        "    apply_as_deletes=F.expr(\"operation = 'D'\"), except_column_list=['operation', 'at'],\n"
        "    stored_as_scd_type='2', track_history_except_column_list=['operation'])\n"
        "@dlt.table\ndef cities():\n    return dlt.read('history').where('__END_AT IS NULL').select('city')\n"
    )
    sql = (
        "CREATE OR REFRESH STREAMING TABLE current;"
        "CREATE FLOW changes AS AUTO CDC INTO current FROM STREAM(feed) KEYS (id) APPLY AS DELETE WHEN operation = 'D' "
        "SEQUENCE BY at COLUMNS * EXCEPT (operation, at) STORED AS SCD TYPE 1"
    )
    pipeline.update(code, sql)
    assert rows(spark, pipeline, "current") == [(1, "Olinda"), (2, "Natal")]
    assert rows(spark, pipeline, "history") == [(1, "Olinda", 3, None), (1, "Recife", 1, 3), (2, "Natal", 1, None)]

    changes(spark, pipeline, "1, 'Caruaru', 2, 'U'", "2, NULL, 5, 'D'", "3, 'Fortaleza', 4, 'I'")
    update = pipeline.update()
    expected = [
        (1, "Caruaru", 2, 3),
        (1, "Olinda", 3, None),
        (1, "Recife", 1, 2),
        (2, "Natal", 1, 5),
        (3, "Fortaleza", 4, None),
    ]
    assert rows(spark, pipeline, "current") == [(1, "Olinda"), (3, "Fortaleza")]
    assert rows(spark, pipeline, "history") == expected
    assert rows(spark, pipeline, "cities") == [("Fortaleza",), ("Olinda",)]
    changed = update.outcomes[f"olist_dev.{pipeline.schema}.changes"].counts
    assert (changed.upserted, changed.deleted) == (1, 1)

    pipeline.update(full_refresh_all=True)
    assert rows(spark, pipeline, "history") == expected
    tables = spark.sql(f"SHOW TABLES IN {pipeline.schema}").where("NOT isTemporary").collect()
    assert {row.tableName for row in tables} == {"current", "history", "cities"}


def test_the_changes_of_a_table_are_events_in_the_order_of_its_commits(spark, pipeline):
    """The columns of its change data feed give sequence and deletes; so do those of a second and a third update."""
    source = f"{pipeline.schema}_in.cities"
    enabled = "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    spark.sql(f"CREATE TABLE {source} (id INT, city STRING) {enabled}")
    spark.sql(f"INSERT INTO {source} VALUES (1, 'Recife'), (2, 'Natal')")
    flow = (
        "dp.create_streaming_table('{0}')\n"
        "dp.create_auto_cdc_flow(target='{0}', source='feed', keys=['id'], sequence_by='{1}',\n"
        "    apply_as_deletes=F.expr(\"_change_type = 'delete'\"), stored_as_scd_type={2},\n"
        "    except_column_list=['_change_type', '_commit_version', '_commit_timestamp'])\n"
    )
    pipeline.update(
        HEAD + "@dp.temporary_view()\ndef feed():\n"
        f"    changes = spark.readStream.option('readChangeFeed', 'true').table('{source}')\n"
        "    return changes.where(\"_change_type <> 'update_preimage'\")\n"
        + flow.format("by_version", "_commit_version", 2)
        + flow.format("by_time", "_commit_timestamp", 1)
    )
    assert rows(spark, pipeline, "by_version") == [(1, "Recife", 1, None), (2, "Natal", 1, None)]

    spark.sql(f"UPDATE {source} SET city = 'Olinda' WHERE id = 1")
    spark.sql(f"DELETE FROM {source} WHERE id = 2")
    pipeline.update()
    spark.sql(f"INSERT INTO {source} VALUES (3, 'Fortaleza')")
    pipeline.update()

    assert rows(spark, pipeline, "by_version") == [
        (1, "Olinda", 2, None),
        (1, "Recife", 1, 2),
        (2, "Natal", 1, 3),
        (3, "Fortaleza", 4, None),
    ]
    assert rows(spark, pipeline, "by_time") == [(1, "Olinda"), (3, "Fortaleza")]


def test_the_session_of_a_killed_update_is_ended(spark, pipeline, state):
    """So that nothing that the server still runs of it writes beside the next update."""
    pipeline.update(HEAD + "@dlt.table\ndef t():\n    return spark.range(1)\n")
    killed, left_behind = open_session(state), state.pipelines / pipeline.id / "session"
    assert killed.range(2).count() == 2 and not left_behind.exists()
    left_behind.write_text(killed.session_id, encoding="utf-8")

    pipeline.update()

    with pytest.raises(SparkConnectException, match="SESSION_CLOSED"):
        killed.range(2).count()
    assert not left_behind.exists()


@pytest.mark.parametrize("where", ["memory.Memory.save", "tables._create_statement"])
def test_a_full_refresh_that_stopped_in_the_middle_loses_nothing(spark, pipeline, monkeypatch, where):
    """The events of an AUTO CDC flow are dropped together with recording that its source is read from the beginning."""
    feed = changes(spark, pipeline, "1, 'Recife', 1, 'I'", "2, 'Natal', 1, 'I'")
    pipeline.update(
        HEAD + f"@dlt.view\ndef feed():\n    return spark.readStream.table('{feed}')\n"
        "dlt.create_streaming_table('t')\n"
        "dlt.create_auto_cdc_flow(target='t', source='feed', keys=['id'], sequence_by='at',\n"
        "    column_list=['id', 'city'])\n"
    )
    before = rows(spark, pipeline, "t")

    def stop(*arguments: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
        stopping.setattr(f"lakelocal.pipelines.{where}", stop)
        pipeline.update(full_refresh_all=True)
    pipeline.update()

    assert rows(spark, pipeline, "t") == before == [(1, "Recife"), (2, "Natal")]


def test_auto_cdc_with_a_once_flow_and_what_it_refuses(spark, pipeline):
    feed = changes(spark, pipeline, "1, 'new', 5, 'I'")
    spark.sql(
        f"CREATE TABLE {pipeline.schema}_in.old AS "
        "SELECT * FROM VALUES (1, 'old', 1, 'I'), (2, 'two', 1, 'I') t(id, city, at, operation)"
    )
    head = (
        HEAD + f"@dlt.view\ndef feed():\n    return spark.readStream.table('{feed}')\ndlt.create_streaming_table('t')\n"
    )
    flow = (
        "dlt.create_auto_cdc_flow(target='t', source='{}', keys=['id'], sequence_by='at',\n"
        "    except_column_list=['operation'], name='{}', once={})\n"
    )
    both = head + flow.format("feed", "running", False) + flow.format(f"{pipeline.schema}_in.old", "older", True)
    pipeline.update(both)
    update = pipeline.update()
    assert rows(spark, pipeline, "t") == [(1, "new", 5), (2, "two", 1)]
    assert statuses(update) == {"running": "COMPLETED", "older": "IDLE"}

    with pytest.raises(DefinitionError, match="flows of several kinds into `t`"):
        pipeline.update(both + "@dlt.append_flow(target='t')\ndef more():\n    return dlt.read_stream('feed')\n")
    spark.sql(f"ALTER TABLE {feed} ADD COLUMN __START_AT INT")
    with pytest.raises(AnalysisError, match="rename the following system reserved columns in your source: __START_AT"):
        pipeline.update(both)


def test_snapshots_by_function_and_by_name(spark, pipeline):
    code = HEAD + (
        "COPIES = [(1, [(1, 'a'), (2, 'b')]), (2, [(1, 'c')])]\n"
        "def next_copy(last):\n"
        "    if last is None and spark.conf.get('first_is_gone', 'no') == 'yes':\n"
        "        raise ValueError('the first copy is gone')\n"
        "    later = [each for each in COPIES if last is None or each[0] > last]\n"
        "    if not later:\n        return None\n"
        "    return spark.createDataFrame(later[0][1], 'id INT, city STRING'), later[0][0]\n"
        "dp.create_streaming_table('versions')\n"
        "dp.create_auto_cdc_from_snapshot_flow('versions', next_copy, keys=['id'], stored_as_scd_type=2)\n"
        "dp.create_streaming_table('copy')\n"
        f"dp.create_auto_cdc_from_snapshot_flow(target='copy', source='{pipeline.schema}_in.events', keys=['id'])\n"
    )
    pipeline.update(code)
    assert rows(spark, pipeline, "versions") == [(1, "a", 1, 2), (1, "c", 2, None), (2, "b", 1, 2)]
    spark.sql(f"DELETE FROM {pipeline.schema}_in.events WHERE id = 2")
    pipeline.configuration = {"first_is_gone": "yes", "spark.sql.warehouse.dir": "/other"}
    update = pipeline.update()
    assert rows(spark, pipeline, "copy") == [(1, "a"), (3, None)]
    again = update.outcomes[f"olist_dev.{pipeline.schema}.versions"].counts
    assert (again.upserted, again.deleted) == (0, 0)
