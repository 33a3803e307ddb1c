"""What completes SQL that is being typed; `|` is the cursor."""

import threading
import time

import pytest
from completion_names import Shop

from lakelocal.compute.catalog_names import CatalogNames
from lakelocal.sql.completion import complete, complete_table


def completed(text: str, **more) -> list[str]:
    before, _, after = text.partition("|")
    return [each.text for each in complete(before + after, len(before), Shop(), **more).candidates]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM silver.|", ["silver.orders"]),
        ("SELECT * FROM sil|", ["silver.orders", "silver"]),
        ("SELECT * FROM ord|", ["silver.orders"]),
        ("SELECT * FROM rec|", ["recent"]),
        ("select * from dev.|", ["dev.silver", "dev.gold"]),
        ("select * from dev.silver.o|", ["dev.silver.orders"]),
        ("select * from samples.nyctaxi.|", ["samples.nyctaxi.trips"]),
        ("SELECT * FROM gold.daily d JOIN s|", ["silver.orders", "silver", "samples"]),
        ("SELECT * FROM gold.daily, s|", ["silver.orders", "silver", "samples"]),
        ("INSERT INTO gold.|", ["gold.daily"]),
        ("MERGE INTO gold.|", ["gold.daily"]),
        ("DESCRIBE gold.|", ["gold.daily"]),
        ("UPDATE g|", ["gold.daily", "gold"]),
        ("DROP TABLE IF EXISTS gold.d|", ["gold.daily"]),
        ("WITH latest AS (SELECT 1) SELECT * FROM lat|", ["latest"]),
        ("USE SCHEMA s|", ["silver", "samples"]),
        ("SHOW TABLES IN g|", ["gold"]),
    ],
)
def test_tables_come_where_a_table_is_expected(text, expected):
    """With the schemas and catalogs that lead to them, whether the name is begun with its schema or without."""
    assert completed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT st| FROM silver.orders", ["status"]),
        ("SELECT ord| FROM silver.orders JOIN gold.daily", ["order_id", "order_count", "ORDER BY"]),
        ("SELECT o.| FROM silver.orders AS o", ["o.order_id", "o.status", "o.`total value`"]),
        ("SELECT d.order| FROM silver.orders o JOIN gold.daily d ON o.order_id = d.day", ["d.order_count"]),
        ("SELECT orders.st| FROM silver.orders", ["orders.status"]),
        ("SELECT silver.orders.st| FROM silver.orders", ["silver.orders.status"]),
        ("SELECT * FROM silver.orders WHERE st|", ["status"]),
        ("SELECT * FROM silver.orders ORDER BY order_id, st|", ["status"]),
        ("SELECT count(st| FROM silver.orders", ["status"]),
        ("SELECT st| FROM (SELECT * FROM silver.orders)", ["status"]),
        ("UPDATE silver.orders SET st|", ["status"]),
        ("SELECT `total| FROM silver.orders", ["`total value`"]),
        ("SELECT day FROM gold.daily; SELECT st| FROM silver.orders; SELECT 1", ["status"]),
        ("SELECT ag| FROM recent", ["age"]),
        ("SELECT dat|", ["date_trunc"]),
        ("QUAL|", ["QUALIFY"]),
        ("SELECT st| FROM nowhere.nothing", []),
        ("SELECT x.| FROM silver.orders o", []),
    ],
)
def test_columns_come_where_an_expression_is_expected(text, expected):
    """Of the tables of this statement, also those behind the cursor; then functions and keywords."""
    assert completed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'st|' FROM silver.orders",
        "SELECT 'st|",
        "SELECT 1 -- st|",
        "SELECT /* st| */ 1 FROM silver.orders",
        'SELECT "st|" FROM silver.orders',
        "SELECT * FROM {schema}.|",
    ],
)
def test_nothing_comes_in_strings_comments_and_behind_what_is_no_name(text):
    """There are no names."""
    assert completed(text) == []


def test_columns_of_a_frame_are_known_besides():
    """For expressions in strings, such as `df.where("...")`."""
    assert completed("ti| > 3", columns=["tip", "total"]) == ["tip"]


def test_a_name_of_a_table_alone_is_completed():
    """As in `spark.table("...")`."""
    assert [each.text for each in complete_table("silver.", Shop()).candidates] == ["silver.orders"]
    assert complete_table("silver.", Shop()).typed == "silver."


def test_names_of_a_slow_server_come_with_the_next_key():
    """A key press waits for its patience only, and asks nothing twice."""
    answer, asked = threading.Event(), []

    def ask(session) -> list[str]:
        asked.append(session)
        assert answer.wait(30)
        return ["silver"]

    names = CatalogNames(lambda: "session", patience=0.05)
    for _ in range(3):
        names.begin()
        began = time.monotonic()
        assert names.known("schemas", ask) == ()
        assert time.monotonic() - began < 5
    answer.set()
    names._patience = 30
    names.begin()

    assert names.known("schemas", ask) == ["silver"]
    assert asked == ["session"]


def test_without_a_session_nothing_is_known_and_an_error_is_not_asked_again():
    """A server that refuses, or that does not run, is left alone for a while."""
    names, asked = CatalogNames(lambda: None, patience=30), []
    names.begin()
    assert names.known("schemas", lambda spark: ["never"]) == ()

    def fail(spark) -> list[str]:
        asked.append(spark)
        raise ValueError

    broken = CatalogNames(lambda: "session", patience=30)
    for _ in range(2):
        broken.begin()
        assert broken.known("schemas", fail) == ()
    assert asked == ["session"]
    broken.forget()
    broken.begin()
    assert broken.known("schemas", lambda spark: ["now"]) == ["now"]


def test_what_was_known_serves_until_the_new_names_are_there():
    """After a cell or a statement, which may have made tables."""
    names = CatalogNames(lambda: "session", patience=30)
    names.begin()
    names.known("tables", lambda spark: ["a"])
    names.forget()
    names._patience, go = 0.01, threading.Event()
    names.begin()

    assert names.known("tables", lambda spark: ["a", "b"] if go.wait(30) else []) == ["a"]
    go.set()
