"""Silver: typed, valid, current rows; nothing vanishes, nothing is written needlessly, a killed run is made good."""

from decimal import Decimal
from pathlib import Path

import pytest
from lakehouse_fixtures import ENTITIES, HEADERS, Lakehouse

from lakehouse.layers.bronze import empty_table
from lakehouse.tables.contracts import load_contract

TABLES = [*(f"silver_{entity}" for entity in ENTITIES), "silver_orders_enriched"]
FIRST = {
    "customers": """
        c1,u1,01001,sao paulo,SP
        c2,u2,1002,sao paulo,SP
        c3,u3,abc,rio,RJ
        ,u4,01001,rio,RJ
        c5,u5,01001,,""",
    "products": """
        p1,beleza_saude,40.0,10,1,100,10,10,10
        p2,,,,,200,20,20,20
        p3,bebes,5,1e3,1,300,30,30,30
        p4,bebes,5,10,12abc,300,30,30,30
        p5,bebes,5,10, 5 ,300,30,30,30
        p6,bebes,5,10,3000000000,300,30,30,30""",
    "sellers": "s1,13023,campinas,SP",
    "orders": """
        o1,c1,shipped,2018-01-01 10:00:00,,,,2018-01-20 00:00:00
        o2,c2,delivered,2018-02-30 10:00:00,,,,2018-01-20 00:00:00
        o3,c1,lost,2018-01-01 10:00:00,,,,2018-01-20 00:00:00
        o4,c1,delivered,2018-01-05 10:00:00,,,2018-01-04 10:00:00,2018-01-20
        o5,c2,created,2018-01-06 10:00:00,,,,2018-01-20 00:00:00""",
    "order_items": """
        o1,1,p1,s1,2018-01-05 00:00:00,10.10,1.01
        o1,2,p1,s1,2018-01-05 00:00:00,1.239,1.01
        o1,3,p1,s1,2018-01-05 00:00:00,-1.00,1.01
        o1,4,p1,s1,2018-01-05 00:00:00,NaN,1.01
        o1,x,p1,s1,2018-01-05 00:00:00,1.00,1.01
        o4,1,p9,s9,2018-01-05 00:00:00,7,0.5000
        o4,2,p1,s1,2018-01-05 00:00:00,12345678901.00,0.5
        o9,1,p1,s1,2018-01-05 00:00:00,2.00,
        """,
    "order_payments": """
        o1,1,credit_card,3,20.00
        o1,1,credit_card,3,20.00
        o4,1,voucher,1,-0.01""",
    "order_reviews": """
        r1,o1,5,,"bom",2018-02-06 00:00:00,2018-02-07 10:00:00
        r1,o4,6,,,2018-02-06 00:00:00,2018-02-07 10:00:00
        r2,o1,2,"a","b",2018-02-06 00:00:00,2018-02-07 10:00:00
        r2,o1,4,,"z",2018-02-06 00:00:00,2018-02-07 10:00:00
        r3,o7,3,"t",,2018-02-06 00:00:00,2018-02-07 10:00:00
        r3,o7,3,,"t",2018-02-06 00:00:00,2018-02-07 10:00:00""",
    "geolocation": """
        01001,-23.1,-46.1,sao paulo,SP
        01001,-23.2,-46.2,são paulo,SP
        01001,-23.3,-46.4,são paulo,SP
        01002,-23.0,-46.0,b,SP
        01002,-23.0,-46.0,a,RJ
        01002,45.0,-46.0,lisboa,PT
        01003,45.0,-46.0,lisboa,PT""",
}
LATER = {  # (entity, file, written at): the file of 2023 is older than the first ones, those of 2025 are newer
    ("orders", "b_old.csv", "2023-01-01T00:00:00"): "o1,c1,created,2018-01-01 10:00:00,,,,2018-01-20 00:00:00",
    ("orders", "c_new.csv", "2025-01-01T00:00:00"): """
        o1,c1,delivered,2018-01-01 10:00:00,,,2018-01-21 22:00:00,2018-01-20 00:00:00
        o6,c9,wrong,2018-01-01 10:00:00,,,,2018-01-20 00:00:00""",
    ("order_items", "c_new.csv", "2025-01-01T00:00:00"): "o5,1,p1,s1,2018-01-05 00:00:00,3.00,1.00",
    ("customers", "c_new.csv", "2025-01-01T00:00:00"): "c2,u2,20010,rio de janeiro,RJ",
    ("geolocation", "c_new.csv", "2025-01-01T00:00:00"): "01001,-23.0,-46.9,sao paulo,SP",
}


@pytest.fixture(scope="module")
def lakehouse(lakeflow) -> Lakehouse:
    """The first files, applied."""
    made = Lakehouse(lakeflow)
    for entity, text in FIRST.items():
        made.land(entity, "a_first.csv", text)
    made.run("20_bronze", run_id="first")
    made.run("30_silver", run_id="first")
    return made


def contents(lakehouse: Lakehouse) -> dict[str, list[tuple]]:
    """All rows of silver, and those of quarantine except for the run that found them."""
    quarantine = {
        f"quarantine_silver_{entity}": sorted(
            lakehouse.rows(f"SELECT * EXCEPT (run_id) FROM ops.quarantine_silver_{entity}"), key=repr
        )
        for entity in ENTITIES
    }
    return {table: lakehouse.table(f"silver.{table}") for table in TABLES} | quarantine


def broken(lakehouse: Lakehouse, entity: str, key: str) -> list[tuple]:
    return sorted(lakehouse.rows(f"SELECT {key}, rule FROM ops.quarantine_silver_{entity}"), key=repr)


def counted(lakehouse: Lakehouse, run_id: str) -> dict[tuple[str, str], int]:
    rows = lakehouse.rows(
        "SELECT replace(table_name, 'silver.silver_'), rule, failed_rows FROM ops.expectation_results "
        f"WHERE run_id = '{run_id}' AND table_name LIKE 'silver.%' AND failed_rows > 0"
    )
    return {(table, rule): failed for table, rule, failed in rows}


def test_what_does_not_parse_or_is_not_valid_is_in_quarantine_with_its_rule(lakehouse):
    """Lenient casts would have taken ` 5 `, `1e3`, `1.239` or 30 February."""
    assert broken(lakehouse, "customers", "customer_unique_id") == [
        ("u3", "customer_zip_code_prefix_parses"),
        ("u4", "customer_id_present"),
    ]
    assert broken(lakehouse, "products", "product_id") == [
        ("p3", "product_description_lenght_parses"),
        ("p4", "product_photos_qty_parses"),
        ("p5", "product_photos_qty_parses"),
        ("p6", "product_photos_qty_parses"),
    ]
    assert broken(lakehouse, "orders", "order_id") == [
        ("o2", "order_purchase_timestamp_parses"),
        ("o3", "order_status_known"),
    ]
    assert broken(lakehouse, "order_items", "concat(order_id, '/', order_item_id)") == [
        ("o1/2", "price_parses"),
        ("o1/3", "price_not_negative"),
        ("o1/4", "price_parses"),
        ("o1/x", "order_item_id_parses"),
        ("o4/2", "price_parses"),
    ]
    assert broken(lakehouse, "order_payments", "payment_value") == [("-0.01", "payment_value_not_negative")]
    assert broken(lakehouse, "order_reviews", "review_score") == [("6", "review_score_from_1_to_5")]
    assert broken(lakehouse, "geolocation", "geolocation_zip_code_prefix") == [
        ("01002", "point_in_brazil"),
        ("01003", "point_in_brazil"),
    ]


def test_quarantine_keeps_the_text_the_reason_the_file_and_the_run(lakehouse):
    """A person can correct the file from it."""
    found = lakehouse.rows("SELECT * FROM ops.quarantine_silver_order_items WHERE price = '1.239'")

    assert found == [
        ("o1", "2", "p1", "s1", "2018-01-05 00:00:00", "1.239", "1.01", "price_parses",
         "`price`: found `1.239`, expected DECIMAL(12,2)",
         "/Volumes/olist_dev/raw/olist/order_items/a_first.csv", "first"),
    ]  # fmt: skip


def test_valid_text_becomes_typed_values(lakehouse):
    """Leading zeros, integers written with `.0`, dates without a time, an English category."""
    zips = lakehouse.rows("SELECT customer_id, customer_zip_code_prefix, customer_city FROM silver.silver_customers")
    assert sorted(zips) == [("c1", "01001", "sao paulo"), ("c2", "01002", "sao paulo"), ("c5", "01001", None)]
    products = lakehouse.rows(
        "SELECT product_id, product_category_name_english, product_name_lenght FROM silver.silver_products"
    )
    assert sorted(products) == [("p1", "health_beauty", 40), ("p2", None, None)]
    items = lakehouse.rows("SELECT order_id, order_item_id, price, freight_value FROM silver.silver_order_items")
    assert sorted(items) == [
        ("o1", 1, Decimal("10.10"), Decimal("1.01")),
        ("o4", 1, Decimal("7.00"), Decimal("0.50")),
        ("o9", 1, Decimal("2.00"), None),
    ]
    estimated = lakehouse.rows(
        "SELECT date_format(order_estimated_delivery_date, 'yyyy-MM-dd HH:mm') FROM silver.silver_orders "
        "WHERE order_id = 'o4'"
    )
    assert estimated == [("2018-01-20 00:00",)]


def test_the_greatest_of_several_rows_of_a_key_in_one_file_wins_and_is_counted(lakehouse):
    """A stream cannot number the rows of a file: content decides, and equal content is no conflict."""
    assert lakehouse.rows("SELECT review_score FROM silver.silver_order_reviews WHERE review_id = 'r2'") == [(4,)]
    counts = counted(lakehouse, "first")
    assert counts["order_reviews", "duplicate_key"] == 2  # also if only the position of a NULL differs
    assert ("order_payments", "duplicate_key") not in counts


def test_a_prefix_has_the_mean_of_its_valid_points_and_its_most_frequent_names(lakehouse):
    """Of equally frequent names, the alphabetically first; a prefix without a valid point has no row."""
    assert lakehouse.rows("SELECT * EXCEPT (_source_file, _file_modified_at) FROM silver.silver_geolocation") == [
        ("01001", pytest.approx(-23.2), pytest.approx(-46.233333), "são paulo", "SP"),
        ("01002", pytest.approx(-23.0), pytest.approx(-46.0), "a", "RJ"),
    ]


def test_every_rule_is_counted_and_dropped_rows_add_up_to_the_quarantine(lakehouse):
    """Nothing vanishes: bronze is silver's valid rows and the quarantine."""
    counts = counted(lakehouse, "first")

    assert counts["order_items", "price_parses"] == 3
    assert counts["orders", "delivered_after_purchase"] == 1
    assert counts["products", "product_category_known"] == 1
    assert counts["order_items", "order_known"] == 1
    assert (counts["order_items", "product_known"], counts["order_items", "seller_known"]) == (1, 1)
    assert counts["orders_enriched", "has_items"] == 1
    assert counts["orders_enriched", "has_payments"] == 2
    for entity in ENTITIES:
        quarantined = len(lakehouse.rows(f"SELECT 1 FROM ops.quarantine_silver_{entity}"))
        dropped = lakehouse.rows(
            "SELECT sum(failed_rows), max(checked_rows) FROM ops.expectation_results "
            f"WHERE table_name = 'silver.silver_{entity}' AND level = 'DROP' AND run_id = 'first'"
        )
        assert dropped == [(quarantined, len(lakehouse.rows(f"SELECT 1 FROM bronze.bronze_{entity}")))]


def test_a_run_without_new_rows_commits_nothing(lakehouse):
    """Neither in silver nor in quarantine."""
    before = lakehouse.versions("silver"), lakehouse.versions("ops")

    lakehouse.run("20_bronze", run_id="nothing")
    lakehouse.run("30_silver", run_id="nothing")

    assert (lakehouse.versions("silver"), lakehouse.versions("ops")) == before


def test_a_table_is_clustered_by_its_keys_and_has_its_comments(lakehouse):
    """A merge looks for its rows by their keys; a reader of the catalog sees what rows and columns mean."""
    detail = lakehouse.spark.sql("DESCRIBE DETAIL silver.silver_order_items").first()
    columns = {row[0]: row[2] for row in lakehouse.rows("DESCRIBE TABLE silver.silver_order_items")}

    assert detail["clusteringColumns"] == ["order_id", "order_item_id"]
    assert detail["description"] == load_contract("silver_order_items").grain
    assert columns["price"] == "Price of the item, without freight [BRL]"


def test_later_files_change_only_what_they_touch_and_an_older_file_changes_nothing(lakehouse):
    """The latest by the age of the file wins, in whatever order files arrive."""
    before = lakehouse.versions("silver")
    for (entity, name, modified), text in LATER.items():
        lakehouse.land(entity, name, text, modified=modified)
    lakehouse.run("20_bronze", run_id="later")
    lakehouse.run("30_silver", run_id="later")

    changed = {table for table, version in lakehouse.versions("silver").items() if version != before[table]}
    assert changed == {
        "silver_orders", "silver_order_items", "silver_customers", "silver_geolocation", "silver_orders_enriched"
    }  # fmt: skip
    status = lakehouse.rows("SELECT order_status, _source_file FROM silver.silver_orders WHERE order_id = 'o1'")
    assert status == [("delivered", "/Volumes/olist_dev/raw/olist/orders/c_new.csv")]
    assert broken(lakehouse, "orders", "order_id") == [
        ("o2", "order_purchase_timestamp_parses"),
        ("o3", "order_status_known"),
        ("o6", "order_status_known"),
    ]
    place = lakehouse.rows(
        "SELECT geolocation_lat, geolocation_city FROM silver.silver_geolocation "
        "WHERE geolocation_zip_code_prefix = '01001'"
    )
    assert place == [(pytest.approx(-23.15), "sao paulo")]
    enriched = lakehouse.rows(
        "SELECT order_id, customer_state, item_count, delivery_days, is_late FROM silver.silver_orders_enriched"
    )
    assert sorted(enriched) == [
        ("o1", "SP", 1, 20.5, True),
        ("o4", "SP", 1, -1.0, False),
        ("o5", "RJ", 1, None, None),
    ]
    metrics = lakehouse.spark.sql("DESCRIBE HISTORY silver.silver_orders LIMIT 1").first().operationMetrics
    assert (metrics["numTargetRowsUpdated"], metrics["numTargetRowsInserted"]) == ("1", "0")


def killed_before_progress(lakehouse: Lakehouse) -> None:
    """Delete the progress of the last run, as if it had been killed after its data was written."""
    version = lakehouse.versions("ops")["progress"]
    lakehouse.spark.sql(f"RESTORE TABLE ops.progress TO VERSION AS OF {version - 1}")


def test_a_killed_run_is_made_good_and_writes_nothing_twice(lakehouse):
    """Killed when some tables had their rows and others only their quarantine: those are kept, these are completed."""
    before, versions = contents(lakehouse), lakehouse.versions("silver")
    killed_before_progress(lakehouse)
    lost = {"silver_orders", "silver_orders_enriched"}
    for table in lost:
        lakehouse.spark.sql(f"RESTORE TABLE silver.{table} TO VERSION AS OF {versions[table] - 1}")
    assert contents(lakehouse) != before

    lakehouse.run("30_silver", run_id="again")

    assert contents(lakehouse) == before
    now = lakehouse.versions("silver")
    assert {table for table in now if now[table] != versions[table]} == lost


def test_bronze_made_anew_and_a_lost_table_are_derived_as_a_whole(lakehouse):
    """A full refresh was killed after bronze, and someone dropped a table: an incremental run repairs both."""
    before = contents(lakehouse)
    for entity in ("orders", "geolocation"):
        empty_table(lakehouse.spark, load_contract(f"bronze_{entity}"))
    lakehouse.spark.sql("DROP TABLE silver.silver_sellers")

    lakehouse.run("20_bronze", run_id="healed")
    lakehouse.run("30_silver", run_id="healed")

    assert contents(lakehouse) == before


@pytest.mark.slow("all tables are derived again, as they are when one is lost")
def test_a_full_refresh_gives_equal_tables(lakehouse):
    """Row for row, including quarantine."""
    before = contents(lakehouse)

    lakehouse.run("20_bronze", run_id="full", refresh_mode="full")
    lakehouse.run("30_silver", run_id="full", refresh_mode="full")

    assert contents(lakehouse) == before
    assert {row[0] for row in lakehouse.rows("SELECT run_id FROM ops.quarantine_silver_orders")} == {"full"}


def test_versions_that_are_gone_are_made_good_by_reading_all(lakehouse):
    """Delta forgets old versions after a month; a pipeline may stand still for longer."""
    lakehouse.spark.sql("ALTER TABLE bronze.bronze_sellers SET TBLPROPERTIES ('delta.checkpointInterval' = '1')")
    lakehouse.land("sellers", "d_late.csv", "s2,80010,curitiba,PR", modified="2025-01-01T00:00:00")
    lakehouse.run("20_bronze", run_id="gone")
    place = lakehouse.spark.sql("DESCRIBE DETAIL bronze.bronze_sellers").first().location
    log = sorted((Path(place.removeprefix("file:")) / "_delta_log").glob("*.json"))
    for commit in log[:-1]:
        commit.unlink()

    lakehouse.run("30_silver", run_id="gone")

    assert sorted(lakehouse.rows("SELECT seller_id FROM silver.silver_sellers")) == [("s1",), ("s2",)]


def test_a_key_may_hold_any_text(lakehouse):
    """What SQL or Spark would interpret stays text, so a later row finds the existing one."""
    keys = ("a'b", "a\\b", "a${x}", "${env:HOME}", "%_{a}")
    for name, city, modified in (("e.csv", "itu", "2026-01-01T00:00:00"), ("f.csv", "jau", "2026-01-02T00:00:00")):
        lakehouse.land("sellers", name, "\n".join(f"{key},80010,{city},PR" for key in keys), modified=modified)
        lakehouse.run("20_bronze", run_id=name)
        lakehouse.run("30_silver", run_id=name)

    found = lakehouse.rows("SELECT seller_id, seller_city FROM silver.silver_sellers WHERE _source_file LIKE '%/f.csv'")
    assert sorted(found) == sorted((key, "jau") for key in keys)
    assert lakehouse.rows("SELECT count(*) FROM silver.silver_sellers WHERE seller_city = 'itu'") == [(0,)]


def test_the_headers_of_the_tests_are_those_of_the_contracts():
    """Otherwise the tests would say nothing about the real files."""
    for entity, header in HEADERS.items():
        names = load_contract(f"bronze_{entity}").column_names
        assert [name for name in names if not name.startswith("_")] == header.split(",")
