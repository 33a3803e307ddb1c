"""What one update of a pipeline leaves to the next: checkpoints, once flows, selections; and flows that fail.

Expected values are computed by hand.
"""

import pytest

from lakelocal.pipelines.errors import AnalysisError, PipelineError
from tests.spark.pipeline_fixtures import HEAD, Pipeline, rows, rule_counts, statuses


def written(update, pipeline: Pipeline) -> dict[str, int]:
    """The rows that each completed flow wrote, by the last part of its name."""
    prefix = f"olist_dev.{pipeline.schema}."
    return {
        name.removeprefix(prefix): outcome.counts.written
        for name, outcome in update.outcomes.items()
        if outcome.status == "COMPLETED"
    }


def test_a_changed_expectation_judges_what_is_new_until_a_full_refresh(spark, pipeline):
    """And a refresh of a table below alone reads what its input holds."""
    source = f"{pipeline.schema}_in.events"
    code = HEAD + (
        "@dlt.table\n@dlt.expect_or_drop('low', 'id > {}')\ndef t():\n"
        f"    return spark.readStream.table('{source}').select('id')\n"
        "@dlt.table\ndef n():\n    return dlt.read('t').agg(F.count('*').alias('n'))\n"
    )
    pipeline.update(code.format(0))
    spark.sql(f"INSERT INTO {source} VALUES (4, 'd'), (5, 'e')")

    alone = pipeline.update(code.format(4), refresh=("n",))
    assert statuses(alone) == {"t": "EXCLUDED", "n": "COMPLETED"} and rows(spark, pipeline, "n") == [(3,)]
    pipeline.update()
    assert rows(spark, pipeline, "t") == [(1,), (2,), (3,), (5,)] and rows(spark, pipeline, "n") == [(4,)]
    pipeline.update(full_refresh_all=True)
    assert rows(spark, pipeline, "t") == [(5,)] and rows(spark, pipeline, "n") == [(1,)]


def test_some_tables_anew_and_another_one_on(spark, pipeline):
    """In one update: two are cleared and read all, a third reads what is new, the fourth is left out."""
    source = f"{pipeline.schema}_in.events"
    code = HEAD + "".join(
        f"@dlt.table\ndef {name}():\n    return spark.{read}.table('{source}')\n"
        for name, read in {"m": "read", "a": "readStream", "b": "readStream", "c": "readStream"}.items()
    )
    pipeline.update(code)
    spark.sql(f"INSERT INTO {source} VALUES (4, 'd')")
    update = pipeline.update(full_refresh=("m", "a"), refresh=("b",))

    assert written(update, pipeline) == {"m": 4, "a": 4, "b": 1} and statuses(update)["c"] == "EXCLUDED"
    assert [len(rows(spark, pipeline, name)) for name in ("m", "a", "b", "c")] == [4, 4, 4, 3]


def test_a_flow_that_fails_in_a_function_leaves_its_table_and_skips_what_is_below(spark, pipeline):
    """Also a once flow, which is loaded a single time when it is mended; what is beside them runs."""
    code = HEAD + (
        "from pyspark.sql.types import IntegerType\n"
        "@F.udf(IntegerType())\ndef checked(value):\n    if value == {0}:\n        raise ValueError('no such day')\n"
        "    return value\n"
        "def numbers():\n    return spark.range(3).select(checked(F.col('id').cast('int')).alias('id'))\n"
        "dp.create_streaming_table('t')\n"
        "@dp.append_flow(target='t', once=True)\ndef old():\n    return numbers()\n"
        "@dlt.table\ndef branch_1():\n    return spark.range(2)\n"
        "@dlt.table\ndef branch_2():\n    return numbers()\n"
        "@dlt.table\ndef x():\n    return dlt.read('branch_2')\n"
        "@dlt.table\ndef z():\n    return dlt.read('x')\n"
    )
    with pytest.raises(PipelineError, match=r"(?s)no such day.*Other flows that failed: 1\. Flows skipped .*: 2\."):
        pipeline.update(code.format(2))
    last = {
        event["origin"]["flow_name"].rpartition(".")[2]: event["details"]["flow_progress"]["status"]
        for event in pipeline.events
        if event["event_type"] == "flow_progress"
    }
    assert last == {"old": "FAILED", "branch_1": "COMPLETED", "branch_2": "FAILED", "x": "SKIPPED", "z": "SKIPPED"}
    assert rows(spark, pipeline, "t") == [] and rows(spark, pipeline, "branch_1") == [(0,), (1,)]

    pipeline.update(code.format(99))
    assert rows(spark, pipeline, "t") == rows(spark, pipeline, "z") == [(0,), (1,), (2,)]
    assert statuses(pipeline.update())["old"] == "IDLE" and len(rows(spark, pipeline, "t")) == 3


def test_a_once_flow_that_comes_back_is_not_loaded_again(spark, pipeline):
    """Its rows stay while it is away."""
    base = HEAD + (
        "dp.create_streaming_table('t')\n@dp.append_flow(target='t')\ndef on():\n"
        f"    return spark.readStream.table('{pipeline.schema}_in.events').select('id')\n"
    )
    once = "@dp.append_flow(target='t', once=True)\ndef old():\n    return spark.createDataFrame([(100,)], 'id INT')\n"
    expected = [(1,), (100,), (2,), (3,)]
    pipeline.update(base + once)
    assert rows(spark, pipeline, "t") == expected
    pipeline.update(base)
    assert rows(spark, pipeline, "t") == expected
    pipeline.update(base + once)
    assert rows(spark, pipeline, "t") == expected


def test_a_query_asks_for_columns_and_settings(spark, pipeline):
    """Of a dataset that does not exist yet; a setting that nobody has made, and that has no default, is an error."""
    pipeline.configuration = {"shop.suffix": "_x"}
    code = HEAD + (
        "SUFFIX = spark.conf.get('shop.suffix')\n"
        "@dlt.table\ndef b():\n    upstream = dlt.read('a')\n"
        "    assert [each.dataType.simpleString() for each in upstream.schema.fields] == ['bigint', 'int']\n"
        "    return upstream.select([F.col(name).alias(name + spark.conf.get('{0}')) for name in upstream.columns])\n"
        "@dlt.table\ndef a():\n    return spark.range(1).withColumn('one', F.lit(1))\n"
    )
    pipeline.update(code.format("shop.suffix"))
    assert spark.table(f"{pipeline.schema}.b").columns == ["id_x", "one_x"]
    with pytest.raises(AnalysisError, match=r"`b`.*shop\.nothing"):
        pipeline.update(code.format("shop.nothing"))
    with pytest.raises(Exception, match=r"shop\.nothing"):
        pipeline.update(code.replace("'shop.suffix'", "'shop.nothing'", 1).format("shop.suffix"))


def test_partition_columns_cannot_be_added_to_rows_that_are_there(spark, pipeline):
    source = f"{pipeline.schema}_in.events"
    code = HEAD + f"@dlt.table({{0}})\ndef t():\n    return spark.readStream.table('{source}')\n"
    pipeline.update(code.format(""))
    with pytest.raises(PipelineError, match="CANNOT_UPDATE_PARTITION_COLUMNS"):
        pipeline.update(code.format("partition_cols=['kind']"))
    pipeline.update(code.format("partition_cols=['kind']"), full_refresh=("t",))
    assert spark.sql(f"DESCRIBE DETAIL {pipeline.schema}.t").first()["partitionColumns"] == ["kind"]


def test_what_a_rule_that_drops_counts(spark, pipeline):
    """Of 3,192 rows, 150 are dropped: as many pass as are written."""
    update = pipeline.update(
        HEAD + "@dlt.table\n@dlt.expect_or_drop('valid', 'id >= 150')\ndef t():\n    return spark.range(3192)\n"
    )
    counts = update.outcomes[f"olist_dev.{pipeline.schema}.t"].counts

    assert (counts.written, counts.dropped, rule_counts(update)) == (3042, 150, {("t", "valid"): (3042, 150)})


def test_sums_and_maxima_over_the_events_of_a_stream_agree(spark, pipeline):
    """Of three batches: the queries of the documentation add up rows, and take the largest number of dropped ones."""
    source = f"{pipeline.schema}_in.events"
    for values in ("(-4, 'd'), (5, 'e')", "(-6, 'f')"):
        spark.sql(f"INSERT INTO {source} VALUES {values}")
    pipeline.update(
        HEAD + "@dlt.table\n@dlt.expect_or_drop('positive', 'id > 0')\ndef t():\n"
        f"    return spark.readStream.option('maxFilesPerTrigger', '1').table('{source}')\n"
    )
    ended = [
        event["details"]["flow_progress"]
        for event in pipeline.events
        if event["event_type"] == "flow_progress" and "data_quality" in event["details"]["flow_progress"]
    ]
    rules = [rule for each in ended for rule in each["data_quality"]["expectations"]]
    batches = list((pipeline.state.pipelines / pipeline.id / "checkpoints").rglob("commits/[0-9]*"))

    assert len(batches) >= 3
    assert sum(each["metrics"]["num_output_rows"] for each in ended) == len(rows(spark, pipeline, "t")) == 4
    assert max(each["data_quality"]["dropped_records"] for each in ended) == 2
    assert (sum(rule["passed_records"] for rule in rules), sum(rule["failed_records"] for rule in rules)) == (4, 2)


def test_a_full_refresh_reads_the_older_changes_of_a_once_flow_again(spark, pipeline):
    """Into a target of AUTO CDC; a plain update does not."""
    schema = f"{pipeline.schema}_in"
    feed = "(id INT, city STRING, at INT)"
    for name, values in (("feed", "(1, 'new', 5)"), ("old", "(1, 'old', 1), (2, 'two', 1)")):
        spark.sql(f"CREATE TABLE {schema}.{name} {feed}")
        spark.sql(f"INSERT INTO {schema}.{name} VALUES {values}")
    flow = "dp.create_auto_cdc_flow(target='t', source='{}', keys=['id'], sequence_by='at', name='{}', once={})\n"
    code = HEAD + (
        f"@dlt.view\ndef feed():\n    return spark.readStream.table('{schema}.feed')\ndp.create_streaming_table('t')\n"
    )
    pipeline.update(code + flow.format("feed", "on", False) + flow.format(f"{schema}.old", "older", True))
    spark.sql(f"INSERT INTO {schema}.old VALUES (3, 'late', 1)")
    assert statuses(pipeline.update()) == {"on": "COMPLETED", "older": "IDLE"}
    assert rows(spark, pipeline, "t") == [(1, "new", 5), (2, "two", 1)]

    assert statuses(pipeline.update(full_refresh_all=True))["older"] == "COMPLETED"
    assert rows(spark, pipeline, "t") == [(1, "new", 5), (2, "two", 1), (3, "late", 1)]
