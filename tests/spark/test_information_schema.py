"""`information_schema` of a catalog and of `system`: what there is when a statement names it."""

import shutil

import pytest

from lakelocal.errors import DialectError


@pytest.fixture(scope="module")
def shop(spark):
    """The catalog `wares` with a table, a view of it, a broken view and a volume."""
    for statement in (
        "CREATE CATALOG IF NOT EXISTS wares",
        "CREATE SCHEMA IF NOT EXISTS wares.shop",
        "CREATE OR REPLACE TABLE wares.shop.orders (id BIGINT NOT NULL COMMENT 'key', day DATE, price DECIMAL(9,2),"
        " CONSTRAINT orders_pk PRIMARY KEY (id)) PARTITIONED BY (day) COMMENT 'all orders'",
        "CREATE OR REPLACE TABLE wares.shop.gone AS SELECT 1 AS x",
        "CREATE OR REPLACE VIEW wares.shop.days AS SELECT day FROM wares.shop.orders",
        "CREATE OR REPLACE VIEW wares.shop.broken AS SELECT x FROM wares.shop.gone",
        "DROP TABLE wares.shop.gone",
        "CREATE VOLUME IF NOT EXISTS wares.shop.files",
    ):
        spark.sql(statement)
    yield spark
    spark.sql("USE CATALOG olist_dev")
    spark.sql("DROP CATALOG wares CASCADE")


def rows(spark, sql: str) -> list[tuple]:
    return [tuple(row) for row in spark.sql(sql).collect()]


def test_tables_and_views(shop):
    """Both are tables; a view has its text with the names that the user gave."""
    assert rows(
        shop,
        "SELECT table_name, table_type, data_source_format, comment FROM wares.information_schema.tables"
        " WHERE table_schema = 'shop' ORDER BY 1",
    ) == [
        ("broken", "VIEW", "UNKNOWN_DATA_SOURCE_FORMAT", None),
        ("days", "VIEW", "UNKNOWN_DATA_SOURCE_FORMAT", None),
        ("orders", "MANAGED", "DELTA", "all orders"),
    ]
    (text,) = rows(shop, "SELECT view_definition FROM wares.information_schema.views v WHERE v.table_name = 'days'")
    assert text == ("SELECT day FROM wares.shop.orders",)


def test_columns(shop):
    """In the order of the table; a view whose table is gone stops nobody."""
    assert rows(
        shop,
        "SELECT column_name, ordinal_position, full_data_type, is_nullable, partition_ordinal_position, comment"
        " FROM system.information_schema.columns"
        " WHERE table_catalog = 'wares' AND table_name = 'orders' ORDER BY ordinal_position",
    ) == [
        ("id", 1, "bigint", "NO", None, "key"),
        ("day", 2, "date", "YES", 1, None),
        ("price", 3, "decimal(9,2)", "YES", None, None),
    ]


def test_a_table_that_cannot_be_read_is_left_out_with_a_note(shop, state, caplog):
    """Its files are gone, say; the columns of all others are there."""
    shop.sql("CREATE OR REPLACE TABLE wares.shop.lost AS SELECT 1 AS x")
    shutil.rmtree(state.warehouse / "catalog__wares__shop.db" / "lost")

    found = rows(shop, "SELECT DISTINCT table_name FROM wares.information_schema.columns ORDER BY 1")

    assert found == [("broken",), ("days",), ("orders",)]
    assert any("wares.shop.lost is left out" in record.getMessage() for record in caplog.records)
    shop.sql("DROP TABLE wares.shop.lost")


def test_it_says_what_there_is_now(shop):
    """Also by a DataFrame, and in a session that is in the catalog."""
    shop.sql("USE CATALOG wares")
    shop.sql("CREATE OR REPLACE TABLE shop.later AS SELECT 1 AS x")
    assert shop.table("information_schema.tables").where("table_name = 'later'").count() == 1
    shop.sql("DROP TABLE shop.later")
    assert rows(shop, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'later'") == [(0,)]
    shop.sql("USE CATALOG olist_dev")


def test_the_rest(shop):
    """Catalogs, schemata, volumes and constraints; that of `system` is of all catalogs but Hive's."""
    names = {name for (name,) in rows(shop, "SELECT catalog_name FROM system.information_schema.catalogs")}
    assert {"olist_dev", "wares", "main"} <= names and "hive_metastore" not in names
    assert rows(shop, "SELECT schema_name FROM wares.information_schema.schemata ORDER BY 1") == [
        ("default",), ("information_schema",), ("shop",),
    ]  # fmt: skip
    assert rows(shop, "SELECT volume_schema, volume_name, storage_location FROM wares.information_schema.volumes") == [
        ("shop", "files", "/Volumes/wares/shop/files")
    ]
    assert rows(
        shop, "SELECT table_name, constraint_name, constraint_type FROM wares.information_schema.table_constraints"
    ) == [("orders", "orders_pk", "PRIMARY KEY")]


def test_it_is_not_in_the_way(shop):
    """Nothing of it shows among the schemas and the files of a run's own catalog."""
    rows(shop, "SELECT 1 FROM olist_dev.information_schema.schemata LIMIT 1")

    assert not any("information" in name for (name,) in rows(shop, "SHOW SCHEMAS"))
    with pytest.raises(
        DialectError, match=r"`wares\.information_schema\.parameters`: this relation does not exist here"
    ):
        shop.sql("SELECT * FROM wares.information_schema.parameters")


def test_which_column_refers_to_which(shop):
    """The join that reads foreign keys in public notebooks; the parent is in another schema of the catalog."""
    shop.sql("CREATE SCHEMA wares.desk")
    shop.sql(
        "CREATE TABLE wares.desk.lines (no INT DEFAULT 7, o BIGINT REFERENCES wares.shop.orders)"
        " TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')"
    )

    found = rows(
        shop,
        "SELECT k.table_name, k.column_name, u.table_schema, u.table_name, u.column_name"
        " FROM wares.information_schema.referential_constraints r"
        " JOIN wares.information_schema.key_column_usage k USING (constraint_schema, constraint_name)"
        " JOIN wares.information_schema.key_column_usage u ON u.constraint_schema = r.unique_constraint_schema"
        " AND u.constraint_name = r.unique_constraint_name AND u.ordinal_position = k.position_in_unique_constraint",
    )

    assert found == [("lines", "o", "shop", "orders", "id")]
    assert rows(
        shop,
        "SELECT table_name, column_name, column_default FROM wares.information_schema.columns"
        " WHERE column_default IS NOT NULL",
    ) == [("lines", "no", "7")]
    shop.sql("DROP SCHEMA wares.desk CASCADE")


def test_routines(shop):
    """Functions of SQL, of Python, and procedures, each with what it gives."""
    shop.sql("CREATE FUNCTION wares.shop.twice(x INT) RETURNS DECIMAL(5,1) COMMENT 'doubles' RETURN 2 * x")
    shop.sql("CREATE FUNCTION wares.shop.pair(x INT) RETURNS TABLE (a INT, b INT) RETURN SELECT x, x")
    shop.sql("CREATE FUNCTION wares.shop.text(x INT) RETURNS STRING LANGUAGE PYTHON AS $$ return str(x) $$")
    shop.sql("CREATE PROCEDURE wares.shop.nothing() LANGUAGE SQL SQL SECURITY INVOKER AS BEGIN SELECT 1; END")

    found = rows(
        shop,
        "SELECT routine_name, routine_type, full_data_type, routine_body, external_language, comment"
        " FROM wares.information_schema.routines WHERE specific_schema = 'shop' ORDER BY 1",
    )

    assert found == [
        ("nothing", "PROCEDURE", None, "SQL", None, None),
        ("pair", "FUNCTION", "TABLE(a INT,b INT)", "SQL", None, None),
        ("text", "FUNCTION", "string", "EXTERNAL", "PYTHON", None),
        ("twice", "FUNCTION", "decimal(5,1)", "SQL", None, "doubles"),
    ]


def test_what_nobody_keeps_has_no_rows_and_says_so(shop, caplog):
    """Privileges and tags, for which GRANT and SET TAGS only leave a note."""
    assert rows(shop, "SELECT grantee, privilege_type FROM wares.information_schema.table_privileges") == []
    assert rows(shop, "SELECT tag_name, tag_value FROM system.information_schema.column_tags") == []
    assert {record.getMessage().partition(" on this machine")[0] for record in caplog.records} == {
        "information_schema.table_privileges has no rows", "information_schema.column_tags has no rows",
    }  # fmt: skip
