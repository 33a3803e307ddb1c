"""Several catalogs in one server: a second one is used like the run's own, and nothing shows how it is stored."""

import pytest
from pyspark.errors import AnalysisException

HIDDEN = ("catalog__", "spark_catalog")


@pytest.fixture(scope="module")
def lake(spark):
    """The catalog `my-lake` with the table `sales.orders` of three rows, and the run's `shop.orders` of two."""
    spark.sql("CREATE CATALOG IF NOT EXISTS `my-lake`")
    spark.sql("CREATE SCHEMA IF NOT EXISTS `my-lake`.sales COMMENT 'all of it'")
    spark.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.shop")
    spark.range(3).write.mode("overwrite").saveAsTable("`my-lake`.sales.orders")
    spark.range(2).write.mode("overwrite").saveAsTable("olist_dev.shop.orders")
    yield spark
    spark.sql("USE CATALOG olist_dev")
    spark.sql("DROP CATALOG `my-lake` CASCADE")
    spark.sql("DROP SCHEMA shop CASCADE")


@pytest.fixture
def inside(lake):
    """The session in `my-lake`.sales."""
    lake.sql("USE CATALOG `my-lake`")
    lake.sql("USE SCHEMA sales")
    yield lake
    lake.catalog.setCurrentCatalog("olist_dev")


def text_of(frame) -> str:
    return " ".join(str(value) for row in frame.collect() for value in row)


def test_writers_and_readers(lake):
    """DataFrames write to another catalog as SQL does."""
    lake.range(1).writeTo("`my-lake`.sales.written").createOrReplace()
    lake.range(4).write.insertInto("`my-lake`.sales.written")
    stream = lake.readStream.table("`my-lake`.sales.written").writeStream.trigger(availableNow=True)
    lake.sql("CREATE VOLUME IF NOT EXISTS `my-lake`.sales.files")
    stream.option("checkpointLocation", "/Volumes/my-lake/sales/files/c").toTable(
        "olist_dev.shop.streamed"
    ).awaitTermination(60)

    assert lake.table("olist_dev.shop.streamed").count() == 5
    assert lake.sql("SELECT count(*) FROM `my-lake`.sales.orders JOIN shop.orders USING (id)").first()[0] == 2
    both = lake.table("`my-lake`.sales.orders").join(lake.table("olist_dev.shop.orders"), "id", "left_anti")
    assert [row.id for row in both.collect()] == [2]
    orders = lake.table("`my-lake`.sales.orders")
    assert orders.selectExpr("`my-lake`.sales.orders.id + 1", "`my-lake`.sales.orders.*").count() == 3
    assert orders.select("`my-lake`.sales.orders.id").count() == 3


def test_a_query_in_another_catalog_reads_the_runs_own(inside):
    """A schema and a table of the same names are in both; frames are made of the query."""
    inside.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.sales")
    inside.range(5).write.mode("overwrite").saveAsTable("olist_dev.sales.orders")
    query = inside.sql("SELECT o.id FROM olist_dev.sales.orders o JOIN orders USING (id)")

    assert inside.sql("SELECT * FROM olist_dev.sales.orders").count() == 5
    assert sorted(row.id for row in query.where("id > 0").collect()) == [1, 2]
    assert inside.table("sales.orders").count() == 3
    assert inside.table("olist_dev.sales.orders").select("olist_dev.sales.orders.id").count() == 5
    inside.sql("DROP SCHEMA olist_dev.sales CASCADE")


def test_the_column_of_a_function_is_named_as_it_is_called(inside):
    """Not by the schema's name in the metastore."""
    inside.sql("CREATE OR REPLACE FUNCTION sales.twice(x INT) RETURNS INT RETURN 2 * x")

    found = inside.sql("SELECT `my-lake`.sales.twice(2), sales.twice(x => 3), sales.twice(4) + 1 AS s")

    assert (found.columns, found.collect()) == (["my-lake.sales.twice(2)", "sales.twice(x => 3)", "s"], [(4, 6, 9)])


def test_files_in_its_volumes_have_its_paths(lake):
    """`_metadata.file_path` and readers."""
    lake.sql("CREATE VOLUME IF NOT EXISTS `my-lake`.sales.files")
    lake.range(1).coalesce(1).write.mode("overwrite").json("/Volumes/my-lake/sales/files/out")

    found = lake.read.json("dbfs:/Volumes/my-lake/sales/files/out").select("_metadata.file_path").first()[0]

    assert found.startswith("/Volumes/my-lake/sales/files/out/part-")


def test_a_session_in_it(inside):
    """One name is enough if the session is in the schema, two if it is in the catalog."""
    assert inside.sql("SELECT current_catalog(), current_schema()").first() == ("my-lake", "sales")
    assert (inside.catalog.currentCatalog(), inside.catalog.currentDatabase()) == ("my-lake", "sales")
    assert inside.table("orders").count() == inside.table("sales.orders").count() == 3
    assert inside.sql("SELECT sales.orders.id FROM sales.orders WHERE sales.orders.id > 0").count() == 2
    assert inside.sql("SHOW CURRENT NAMESPACE").first() == ("my-lake", "sales")
    inside.sql("CREATE SCHEMA IF NOT EXISTS other")
    inside.sql("CREATE OR REPLACE TABLE other.t AS SELECT 1 AS x")
    assert inside.sql("SHOW SCHEMAS").collect() == [("default",), ("other",), ("sales",)]
    assert inside.catalog.databaseExists("other") and inside.catalog.tableExists("other.t")
    assert not inside.catalog.tableExists("olist_dev.other.t")
    inside.catalog.setCurrentDatabase("other")
    assert inside.sql("SELECT x FROM t").first().x == 1
    inside.sql("DROP SCHEMA other CASCADE")


def test_names_that_come_back(inside):
    """Statements that describe tables, and `spark.catalog`."""
    assert inside.sql("SHOW TABLES IN `my-lake`.sales LIKE 'orders'").first() == ("sales", "orders", False)
    assert inside.sql("SHOW SCHEMAS IN `my-lake` LIKE 's*'").collect() == [("sales",)]
    found = inside.catalog.getTable("`my-lake`.sales.orders")
    assert (found.catalog, found.namespace, found.name) == ("my-lake", ["sales"], "orders")
    assert {(t.catalog, t.namespace[0]) for t in inside.catalog.listTables()} == {("my-lake", "sales")}
    assert [d.name for d in inside.catalog.listDatabases("s*")] == ["sales"]
    assert inside.catalog.getDatabase("sales").catalog == "my-lake"
    assert [c.name for c in inside.catalog.listColumns("sales.orders")] == ["id"]
    told = {row.col_name: row.data_type for row in inside.sql("DESCRIBE EXTENDED orders").collect()}
    assert told["Name"] == "my-lake.sales.orders"
    inside.sql("CREATE OR REPLACE VIEW ids AS SELECT id FROM sales.orders")
    told = {row.col_name: row.data_type for row in inside.sql("DESCRIBE EXTENDED ids").collect()}
    assert (told["Catalog"], told["Database"]) == ("my-lake", "sales")
    assert inside.sql("DESCRIBE DETAIL orders").first().name == "my-lake.sales.orders"
    for statement in ("SHOW CREATE TABLE ids", "DESCRIBE SCHEMA EXTENDED sales", "SHOW TABLE EXTENDED LIKE 'o*'"):
        text = text_of(inside.sql(statement)).replace(".db", "")
        assert "spark_catalog" not in text and " catalog__" not in text, text


def test_the_run_sees_its_own(lake):
    """The schemas of the run's catalog include none of another catalog."""
    names = [row[0] for row in lake.sql("SHOW SCHEMAS").collect()]

    assert "shop" in names and not any(name.startswith("catalog__") for name in names)
    assert [d.name for d in lake.catalog.listDatabases()] == names
    assert {d.catalog for d in lake.catalog.listDatabases()} == {"olist_dev"}
    assert {c.name for c in lake.catalog.listCatalogs()} >= {"my-lake", "olist_dev", "hive_metastore", "samples"}
    assert lake.sql("DESCRIBE DETAIL shop.orders").first().name == "olist_dev.shop.orders"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("SELECT * FROM `my-lake`.sales.nope", "`my-lake`.`sales`.`nope`"),
        ("CREATE TABLE `my-lake`.sales.orders (x INT)", "`my-lake`.`sales`.`orders`"),
        ("CREATE TABLE `my-lake`.nope.t (x INT)", "`my-lake`.`nope`"),
        ("USE olist_dev.nope", "`olist_dev`.`nope`"),
        ("USE `my-lake`.nope", "`my-lake`.`nope`"),
        ("CREATE SCHEMA hive_metastore.default", "`hive_metastore`.`default`"),
    ],
)
def test_errors_name_what_the_user_named(lake, statement, named):
    """And never how it is stored."""
    with pytest.raises(AnalysisException) as raised:
        lake.sql(statement)

    text = str(raised.value)
    assert named in text and not any(word in text for word in HIDDEN), text


def test_a_table_of_hive(lake):
    """Old notebooks write there; it has a schema `default`, like every catalog."""
    lake.sql("CREATE OR REPLACE TABLE hive_metastore.default.old AS SELECT 1 AS x")

    assert lake.catalog.tableExists("hive_metastore.default.old")
    assert "old" in text_of(lake.sql("SHOW TABLES IN hive_metastore.default"))
    lake.sql("DROP TABLE hive_metastore.default.old")
