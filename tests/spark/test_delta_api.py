"""Delta's Python API, `DeltaTable`, as notebooks write it: names of three levels, volumes, columns and SQL texts."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from delta.connect.tables import DeltaTable as RemoteTable
from delta.tables import DeltaTable, IdentityGenerator
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from lakelocal.compute.session import register
from lakelocal.errors import DialectError
from lakelocal.kernel.delta_tables import find_out_at_once
from lakelocal.project import State

SCHEMA = "delta_api"


@pytest.fixture(scope="module")
def spark(spark: SparkSession, state: State) -> Iterator[SparkSession]:
    """The session as a kernel has it, with a schema and a volume."""
    before = SparkSession._default_session, SparkSession._active_session
    register(spark)
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {state.catalog}.{SCHEMA}")
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {state.catalog}.{SCHEMA}.files")
    yield spark
    SparkSession._default_session, SparkSession._active_session = before


@pytest.fixture
def name(spark: SparkSession, state: State, request: pytest.FixtureRequest) -> str:
    """A table of this test, (1, a), (2, b), (3, c), by its whole name."""
    whole = f"{state.catalog}.{SCHEMA}.{request.node.originalname.removeprefix('test_')}"
    spark.sql(f"CREATE OR REPLACE TABLE {whole} (id LONG, text STRING)")
    spark.sql(f"INSERT INTO {whole} VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    return whole


@pytest.fixture
def folder(state: State, tmp_path: Path) -> str:
    """A place in the volume for a table of this test."""
    return f"/Volumes/{state.catalog}/{SCHEMA}/files/{tmp_path.name}"


def rows(spark: SparkSession, name: str) -> list[tuple]:
    return sorted(tuple(row) for row in spark.table(name).collect())


def commits(spark: SparkSession, name: str) -> list[str]:
    """The operations that made the table, the last first."""
    return [row.operation for row in DeltaTable.forName(spark, name).history().select("operation").collect()]


def test_merge_as_the_documentation_writes_it(spark, name):
    """Aliases, a condition in SQL, all columns; one commit; the counts come back."""
    updates = spark.createDataFrame([(2, "bb"), (4, "d")], "id long, text string")

    counts = (
        DeltaTable.forName(spark, name)
        .alias("target")
        .merge(updates.alias("updates"), "target.id = updates.id")
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute()
    )

    assert rows(spark, name) == [(1, "a"), (2, "bb"), (3, "c"), (4, "d")]
    assert counts.first().asDict() == {
        "num_affected_rows": 2, "num_updated_rows": 1, "num_deleted_rows": 0, "num_inserted_rows": 1,
    }  # fmt: skip
    assert commits(spark, name) == ["MERGE", "WRITE", "CREATE OR REPLACE TABLE"]


def test_merge_with_every_clause_and_columns(spark, name):
    """Conditions and values as columns: operators, functions, CASE, casts, lambdas, literals, a Python function."""
    source = spark.createDataFrame([(1, "x", 10), (2, "y", 20), (5, "z", None)], "id long, text string, rank int")
    next_rank = F.element_at(F.transform(F.array("s.rank"), lambda rank: rank + 1), 1)
    shout = F.udf(lambda text: f"{text}!", "string")

    (
        DeltaTable.forName(spark, name).alias("t")
        .merge(source.alias("s"), (F.col("t.id") == F.col("s.id")) & ~F.col("t.text").isNull())
        .whenMatchedDelete(F.col("s.rank") > F.lit(15))
        .whenMatchedUpdate(
            (F.col("s.id").isin(1, 2)) | (F.col("s.text") == "o'clock"),
            {"text": F.concat(F.upper("s.text"), F.lit("-'"), next_rank)},
        )
        .whenNotMatchedInsert(
            F.col("s.rank").cast("string").isNull(),
            {"id": "s.id * 10", "text": F.when(F.col("s.id") > 4, shout("s.text")).otherwise("never")},
        )
        .whenNotMatchedBySourceUpdate(F.col("t.id") < 4, {"t.text": F.lit("gone")})
        .whenNotMatchedBySourceDelete("t.id >= 4")
        .execute()
    )  # fmt: skip

    assert rows(spark, name) == [(1, "X-'11"), (3, "gone"), (50, "z!")]


def test_merge_by_the_columns_of_data_frames(spark, name):
    """Without aliases: `target.toDF()["id"] == source["id"]`, and names of tables in texts."""
    table = DeltaTable.forName(spark, name)
    source = (
        spark.createDataFrame([(3, "new"), (9, "more")], "id long, text string").filter("id > 0").dropDuplicates(["id"])
    )

    table.merge(source, table.toDF()["id"] == source["id"]).whenMatchedUpdate(set={"text": source.text}).execute()
    source.createOrReplaceTempView("by_name")
    short = name.rpartition(".")[2]
    table.merge(spark.table("by_name"), f"{short}.id = by_name.id").whenNotMatchedInsertAll().execute()

    assert rows(spark, name) == [(1, "a"), (2, "b"), (3, "new"), (9, "more")]


def test_merge_into_itself_and_from_a_join(spark, name):
    """The source reads the target; a source of two aliases that `select` makes one."""
    table = DeltaTable.forName(spark, name)
    own = table.toDF().filter("id = 1")
    both = own.alias("l").join(spark.range(5).alias("r"), F.col("l.id") == F.col("r.id"))
    joined = both.select("r.id", F.lit("joined").alias("text"))

    table.alias("t").merge(own.alias("s"), "t.id = s.id").whenMatchedUpdate(set={"text": F.lit("self")}).execute()
    table.alias("t").merge(joined.alias("s"), "t.id = s.id + 1").whenMatchedUpdateAll().execute()

    assert rows(spark, name) == [(1, "joined"), (1, "self"), (3, "c")]


JOINED = {
    "columns of the data frames": ('F.col("t.id") == a["id"]', {"text": 'F.concat(a["text"], b["n"])'}),
    "columns by their aliases": ('F.col("t.id") == F.col("b.id")', {"text": 'F.concat("a.text", "b.n")'}),
    "texts": ("'t.id = a.id AND b.n > 10'", {"t.text": "'concat(a.text, B.n)'"}),
}


@pytest.mark.parametrize("condition, values", JOINED.values(), ids=JOINED)
def test_merge_from_a_join_without_an_alias(spark, name, condition, values):
    """Its columns have two owners, and two of them one name; that of the target is a third."""
    a = spark.createDataFrame([(1, "x"), (4, "y")], "id LONG, text STRING").alias("a")
    b = spark.createDataFrame([(1, 10), (1, 11), (4, 12)], "id LONG, n INT").where("id + n <> 11").alias("b")
    known = {"F": F, "a": a, "b": b}
    source = a.join(b, F.col("a.id") == F.col("b.id")).where("b.n > 5")

    merge = DeltaTable.forName(spark, name).alias("t").merge(source, eval(condition, known))
    merge = merge.whenMatchedUpdate(set={column: eval(value, known) for column, value in values.items()})
    merge.whenNotMatchedInsert(values={"id": "b.id", "text": a["text"]}).execute()

    assert rows(spark, name) == [(1, "x11"), (2, "b"), (3, "c"), (4, "y")]
    assert spark.table(name).columns == ["id", "text"]


def test_merge_of_all_columns_from_a_join_without_an_alias(spark, name):
    """By `withSchemaEvolution` too: the target gets the columns of the source, and no others."""
    tables = f"{name}_left", f"{name}_right"
    spark.sql(f"CREATE OR REPLACE TABLE {tables[0]} AS SELECT 1L AS id, 'new' AS text")
    spark.sql(f"CREATE OR REPLACE TABLE {tables[1]} AS SELECT 1L AS id, 7 AS n")
    left, right = spark.table(tables[0]), spark.table(tables[1])

    merge = DeltaTable.forName(spark, name).alias("t").merge(left.join(right, "id"), F.col("t.id") == left["id"])
    merge.withSchemaEvolution().whenMatchedUpdateAll().execute()

    assert spark.table(name).columns == ["id", "text", "n"]
    assert rows(spark, name) == [(1, "new", 7), (2, "b", None), (3, "c", None)]


def test_slowly_changing_dimension(spark, state):
    """Delta's documented example of type 2: what changes is ended and inserted, by one merge from a union."""
    name = f"{state.catalog}.{SCHEMA}.customers"
    spark.sql(
        f"CREATE OR REPLACE TABLE {name} "
        "(customerId INT, address STRING, current BOOLEAN, effectiveDate STRING, endDate STRING)"
    )
    spark.sql(f"INSERT INTO {name} VALUES (1, 'old', true, 'd1', NULL), (2, 'same', true, 'd1', NULL)")
    made = spark.createDataFrame(
        [(1, "new", "d2"), (2, "same", "d2"), (3, "first", "d2")],
        "customerId INT, address STRING, effectiveDate STRING",
    )
    updates = made.alias("updates")
    customers = DeltaTable.forName(spark, name)

    changed = (
        updates.join(customers.toDF().alias("customers"), "customerid")
        .where("customers.current = true AND updates.address <> customers.address")
        .selectExpr("NULL as mergeKey", "updates.*")
    )
    staged = changed.union(updates.selectExpr("updates.customerId as mergeKey", "*"))
    customers.alias("customers").merge(
        staged.alias("staged_updates"), "customers.customerId = mergeKey"
    ).whenMatchedUpdate(
        condition="customers.current = true AND customers.address <> staged_updates.address",
        set={"current": "false", "endDate": "staged_updates.effectiveDate"},
    ).whenNotMatchedInsert(
        values={
            "customerid": "staged_updates.customerId",
            "address": "staged_updates.address",
            "current": "true",
            "effectiveDate": "staged_updates.effectiveDate",
            "endDate": "null",
        }
    ).execute()

    assert {tuple(row) for row in spark.table(name).collect()} == {
        (1, "old", False, "d1", "d2"),
        (1, "new", True, "d2", None),
        (2, "same", True, "d1", None),
        (3, "first", True, "d2", None),
    }


def test_merge_evolves_the_schema(spark, name):
    source = spark.createDataFrame([(1, "a", True)], "id long, text string, fresh boolean").alias("s")
    merge = DeltaTable.forName(spark, name).alias("t").merge(source, "t.id = s.id")

    merge.withSchemaEvolution().whenMatchedUpdateAll().execute()

    assert rows(spark, name)[0] == (1, "a", True)
    assert spark.table(name).columns == ["id", "text", "fresh"]


def test_a_merge_without_a_clause_is_refused(spark, name):
    merge = DeltaTable.forName(spark, name).merge(spark.table(name), "1 = 1")

    with pytest.raises(DialectError, match="found no clause"):
        merge.execute()


def test_what_sql_has_no_words_for_is_refused(spark, name):
    """By the name of what it is, with the way on, before anything is changed."""
    with pytest.raises(DialectError, match=r"found `update fields` in a column.*as a SQL string"):
        DeltaTable.forName(spark, name).update(set={"text": F.struct("id").withField("x", F.lit(1))})


def test_update_and_delete(spark, name):
    """With and without condition and alias; the counts come back."""
    table = DeltaTable.forName(spark, name)

    updated = table.update("id = 1", {"text": "concat(text, '?')"}).first()
    table.alias("x").update(F.col("x.id") == 2, {"text": F.lit("two")})
    deleted = table.delete(F.col("id") == 3).first()

    assert (updated.num_affected_rows, deleted.num_affected_rows) == (1, 1)
    assert rows(spark, name) == [(1, "a?"), (2, "two")]
    table.update(set={"text": F.to_json(F.struct(F.col("id").alias("key"), F.lit("o'clock").alias("a b")))})
    assert rows(spark, name)[0] == (1, '{"key":1,"a b":"o\'clock"}')
    table.update(set={"text": "NULL"})
    assert rows(spark, name)[0] == (1, None)
    table.delete()
    assert rows(spark, name) == []


def test_history_detail_and_restore(spark, name):
    """Frames like others: limited, selected, joined; versions and timestamps."""
    table = DeltaTable.forName(spark, name)
    table.delete("id = 1")
    history = table.history()

    assert [row.version for row in table.history(1).collect()] == [2]
    assert history.filter("operation = 'DELETE'").count() == 1
    first = {row.version: row.timestamp for row in history.collect()}[1]
    detail = table.detail().first()
    assert (detail.name, detail.format, detail.numFiles) == (name, "delta", 1)

    table.restoreToVersion(1)
    assert len(rows(spark, name)) == 3
    table.delete()
    restored = table.restoreToTimestamp(str(first))
    assert "num_restored_files" in restored.columns
    assert len(rows(spark, name)) == 3


def test_upkeep(spark, name):
    """OPTIMIZE, VACUUM, manifests, protocol and features."""
    table = DeltaTable.forName(spark, name)

    assert "metrics" in table.optimize().executeCompaction().columns
    table.optimize().executeZOrderBy("id")
    assert table.vacuum(200.5) is None
    table.generate("symlink_format_manifest")
    table.upgradeTableProtocol(1, 3)
    table.addFeatureSupport("deletionVectors")

    detail = table.detail().first()
    assert (Path(detail.location.removeprefix("file:")) / "_symlink_format_manifest").is_dir()
    assert "deletionVectors" in detail.tableFeatures
    table.dropFeatureSupport("deletionVectors", True)
    assert "deletionVectors" not in table.detail().first().tableFeatures
    assert "OPTIMIZE" in commits(spark, name)


def test_optimize_of_partitions(spark, name):
    parted = f"{name}_parted"
    spark.sql(f"CREATE OR REPLACE TABLE {parted} (id LONG, day STRING) PARTITIONED BY (day)")
    for day in ("1", "1", "2", "2"):
        spark.sql(f"INSERT INTO {parted} VALUES (1, '{day}')")

    metrics = DeltaTable.forName(spark, parted).optimize().where("day = '1'").executeCompaction().first().metrics

    assert (metrics.numFilesRemoved, metrics.numFilesAdded) == (2, 1)


def test_shallow_clones(spark, name):
    """Of now and of a version, with properties."""
    table = DeltaTable.forName(spark, name)
    table.delete("id = 1")

    clone = table.clone(f"{name}_now", isShallow=True, properties={"owner": "me"})
    then = table.cloneAtVersion(1, f"{name}_then", isShallow=True)

    assert rows(spark, f"{name}_now") == [(2, "b"), (3, "c")]
    assert clone.detail().first().properties["owner"] == "me"
    assert then.toDF().count() == 3


@pytest.mark.parametrize("shallow", [True, False])
def test_a_clone_replaces_what_was_there(spark, name, shallow):
    """Again and again, as jobs that copy a table do; also a table of other columns."""
    copy = f"{name}_{'shallow' if shallow else 'deep'}"
    spark.sql(f"CREATE OR REPLACE TABLE {copy} AS SELECT 'other' AS columns, 1 AS here")
    table = DeltaTable.forName(spark, name)

    for _ in range(2):
        clone = table.clone(copy, isShallow=shallow, replace=True)
        table.delete("id = 1")

    assert clone.toDF().columns == ["id", "text"]
    assert rows(spark, copy) == [(2, "b"), (3, "c")]


def test_builders(spark, state):
    """Names and places, types as text and as objects, partitions, clusters, properties, comments, NOT NULL."""
    name = f"{state.catalog}.{SCHEMA}.built"
    built = (
        DeltaTable.createOrReplace(spark)
        .tableName(name)
        .comment("it's built")
        .addColumn("id", "BIGINT", nullable=False, comment="the key")
        .addColumn("parts", StructType([StructField("a", IntegerType()), StructField("c", StringType())]))
        .addColumns(StructType([StructField("day", StringType()), StructField("n", LongType(), False)]))
        .partitionedBy("day")
        .property("delta.appendOnly", "false")
        .execute()
    )

    assert isinstance(built, type(DeltaTable.forName(spark, name)))
    schema = {field.name: field for field in spark.table(name).schema}
    assert list(schema) == ["id", "parts", "day", "n"]
    assert schema["parts"].dataType == StructType([StructField("a", IntegerType()), StructField("c", StringType())])
    assert schema["id"].metadata["comment"] == "the key"
    detail = built.detail().first()
    assert (detail.partitionColumns, detail.description) == (["day"], "it's built")
    assert detail.properties["delta.appendOnly"] == "false"
    with pytest.raises(PySparkException, match="NOT NULL"):
        spark.sql(f"INSERT INTO {name} VALUES (NULL, NULL, 'x', 1)")

    with pytest.raises(PySparkException, match="already exists"):
        DeltaTable.create(spark).tableName(name).addColumn("x", "INT").execute()
    DeltaTable.createIfNotExists(spark).tableName(name).addColumn("x", "INT").execute()
    assert spark.table(name).columns == ["id", "parts", "day", "n"]
    DeltaTable.replace(spark).tableName(name).addColumn("x", "INT").clusterBy("x").execute()
    assert spark.table(name).columns == ["x"]
    assert DeltaTable.forName(spark, name).detail().first().clusteringColumns == ["x"]


def test_tables_of_folders(spark, folder, state):
    """Built, found, merged and asked for by a path in a volume."""
    DeltaTable.createIfNotExists(spark).location(folder).addColumn("id", "LONG").execute()
    spark.range(2).write.format("delta").mode("append").save(folder)
    table = DeltaTable.forPath(spark, folder)
    table.alias("t").merge(spark.range(4).alias("s"), "t.id = s.id").whenNotMatchedInsertAll().execute()

    assert sorted(row.id for row in table.toDF().collect()) == [0, 1, 2, 3]
    assert DeltaTable.forName(spark, f"delta.`{folder}`").toDF().count() == 4
    assert DeltaTable.isDeltaTable(spark, folder)
    assert not DeltaTable.isDeltaTable(spark, str(Path(folder).parent / "nothing here"))
    clone = table.clone(f"delta.`{folder}_clone`", isShallow=True)
    assert clone.toDF().count() == 4
    log = next((state.volumes / SCHEMA / "files").glob(f"{Path(folder).name}/_delta_log/00000000000000000002.json"))
    assert json.loads(log.read_text().splitlines()[0])["commitInfo"]["operation"] == "MERGE"


def test_parquet_becomes_delta(spark, folder):
    """With its partitions, as a text or as a schema."""
    for partitions in ("half long", StructType([StructField("half", LongType())])):
        spark.range(4).selectExpr("id", "id % 2 AS half").write.mode("overwrite").partitionBy("half").parquet(folder)
        table = DeltaTable.convertToDelta(spark, f"parquet.`{folder}`", partitions)

        assert table.toDF().count() == 4
        assert table.detail().first().partitionColumns == ["half"]
        folder += "_again"


def test_a_merge_in_a_function_of_batches(spark, name, tmp_path):
    """The commonest pattern of streaming notebooks: each batch is merged by its key."""
    spark.createDataFrame([(3, "cc"), (4, "d")], "id long, text string").write.parquet(str(tmp_path / "rows"))

    def upsert(batch, number):
        target = DeltaTable.forName(spark, name)
        source = batch.dropDuplicates(["id"]).withColumn("text", F.udf(str.upper, "string")("text"))
        (
            target.alias("t").merge(source.alias("s"), "t.id = s.id").whenMatchedUpdateAll().whenNotMatchedInsertAll()
        ).execute()
        DeltaTable.forName(batch.sparkSession, name).delete(f"id = {number + 1}")

    stream = spark.readStream.schema("id long, text string").parquet(str(tmp_path / "rows"))
    query = stream.writeStream.foreachBatch(upsert).option("checkpointLocation", str(tmp_path / "point"))
    assert query.trigger(availableNow=True).start().awaitTermination(60)

    assert rows(spark, name) == [(2, "b"), (3, "CC"), (4, "D")]


def test_auto_loader_and_a_module_that_merges(spark, name, state, tmp_path, monkeypatch):
    """Files of a volume, a class beside the notebook that imports the runtime's `spark`, its method by `partial`."""
    (tmp_path / "merging_module.py").write_text(
        "from databricks.sdk.runtime import spark\nfrom delta.tables import DeltaTable\n\n"
        "class Merger:\n    def __init__(self, table, keys):\n        self.table, self.keys = table, keys\n\n"
        "    def merge(self, evolve, batch, number):\n"
        "        on = ' AND '.join(f't.{key} = s.{key}' for key in self.keys)\n"
        "        merge = DeltaTable.forName(spark, self.table).alias('t').merge(batch.alias('s'), on)\n"
        "        merge = merge.withSchemaEvolution() if evolve else merge\n"
        "        merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()\n"
    )
    runtime = ModuleType("databricks.sdk.runtime")
    runtime.spark = spark  # as a kernel provides it
    for module in ("databricks", "databricks.sdk"):
        monkeypatch.setitem(sys.modules, module, sys.modules.get(module) or ModuleType(module))
    monkeypatch.setitem(sys.modules, "databricks.sdk.runtime", runtime)
    monkeypatch.syspath_prepend(tmp_path)
    import merging_module

    files = state.volumes / SCHEMA / "files" / "landing"
    files.mkdir()
    (files / "one.json").write_text('{"id": 1, "text": "one", "size": 5}\n{"id": 7, "text": "seven"}\n')
    place = f"/Volumes/{state.catalog}/{SCHEMA}/files"
    stream = (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .option("cloudFiles.schemaLocation", f"{place}/landing_schema")
        .option("cloudFiles.inferColumnTypes", "true")
        .load(f"{place}/landing")
        .drop("_rescued_data")
    )
    merge = partial(merging_module.Merger(name, ["id"]).merge, True)
    query = stream.writeStream.foreachBatch(merge).option("checkpointLocation", f"{place}/landing_point")
    assert query.trigger(availableNow=True).start().awaitTermination(60)

    assert rows(spark, name) == [(1, "one", 5), (2, "b", None), (3, "c", None), (7, "seven", None)]


def test_tables_of_another_catalog(spark, name):
    """By names of three levels, from one into the other."""
    spark.sql("CREATE CATALOG IF NOT EXISTS other_shop")
    spark.sql("CREATE SCHEMA IF NOT EXISTS other_shop.silver")
    other = "other_shop.silver.merged"
    DeltaTable.createOrReplace(spark).tableName(other).addColumn("id", "LONG").addColumn("text", "STRING").execute()
    table = DeltaTable.forName(spark, other)

    table.alias("o").merge(spark.table(name).alias("s"), "o.id = s.id").whenNotMatchedInsertAll().execute()

    assert rows(spark, other) == [(1, "a"), (2, "b"), (3, "c")]
    assert table.detail().first().name == other
    assert table.history(1).first().operation == "MERGE"


def test_two_merges_at_the_same_time(spark, name):
    """Threads of a notebook, each with its own table and source; neither takes the other's source."""
    names = [f"{name}_{number}" for number in range(2)]
    for each in names:
        spark.sql(f"CREATE OR REPLACE TABLE {each} (id LONG)")

    def merge(number: int) -> None:
        source = spark.range(number * 10, number * 10 + 2).alias("s")
        target = DeltaTable.forName(spark, names[number]).alias("t")
        target.merge(source, "t.id = s.id").whenNotMatchedInsertAll().execute()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(merge, range(2)))

    assert [rows(spark, each) for each in names] == [[(0,), (1,)], [(10,), (11,)]]


def test_a_table_that_is_not_there_is_told_by_its_name(spark, state):
    with pytest.raises(PySparkException, match="no_such_table"):
        DeltaTable.forName(spark, f"{state.catalog}.{SCHEMA}.no_such_table").toDF().collect()


def test_generated_and_identity_columns(spark, state):
    """By expression and by number, as the builder's columns say."""
    name = f"{state.catalog}.{SCHEMA}.generated"
    builder = (
        DeltaTable.createOrReplace(spark)
        .tableName(name)
        .addColumn("id", "BIGINT", generatedAlwaysAs=IdentityGenerator(5, 2))
    )
    builder.addColumn("given", "BIGINT", generatedByDefaultAs=IdentityGenerator()).addColumn("born", "DATE")
    builder.addColumn("year", "INT", generatedAlwaysAs="year(born)").execute()
    spark.sql(f"INSERT INTO {name} (given, born) VALUES (7, DATE '2001-02-03')")
    spark.sql(f"INSERT INTO {name} (born) VALUES (DATE '2002-02-03')")

    assert [(row.id, row.given, row.year) for row in spark.table(name).orderBy("id").collect()] == [
        (5, 7, 2001),
        (7, 1, 2002),
    ]


def test_a_table_that_is_not_there_is_told_at_once(spark, name, folder, monkeypatch):
    """As Delta documents `forName` and `forPath`: code that makes the table in an `except` around them gets there."""
    for way in ("forName", "forPath"):
        monkeypatch.setattr(RemoteTable, way, RemoteTable.__dict__[way])  # they are as they were after the test
    find_out_at_once()
    spark.sql(f"CREATE OR REPLACE VIEW {name}_view AS SELECT 1 AS id")
    spark.range(1).write.mode("overwrite").format("parquet").save(folder)
    without = [f"{name}_nosuch", f"{name}_view", "nosuch_schema.t"]

    for missing in without:
        with pytest.raises(AnalysisException, match=f"`{missing}` is not a Delta table") as raised:
            DeltaTable.forName(spark, missing)
        assert raised.value.getCondition() == "DELTA_MISSING_DELTA_TABLE"
    for missing in (folder, f"{folder}/nosuch"):
        with pytest.raises(AnalysisException, match="is not a Delta table"):
            DeltaTable.forPath(spark, missing)
    assert DeltaTable.forName(sparkSession=spark, tableOrViewName=name).toDF().count() == 3
