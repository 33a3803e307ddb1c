"""The change feeds become events, current rows and history: nothing vanishes, nothing counts twice."""

import pytest
from cdc_fixtures import FEEDS, Feeds, at
from lakehouse_fixtures import NotebookFailed

T = "2024-01-01 10:00:00"
CUSTOMERS = f"""
    c1,u1,01001,sao paulo,SP,INSERT,10,{T}
    c2,u2,1002,rio,RJ,INSERT,11,{T}
    c1,u1,01001,campinas,SP,UPDATE,30,{T}
    c2,,,,,DELETE,40,{T}
    c1,u1,01001,campinas,SP,UPDATE,30,{T}
    c3,u3,01003,,,INSERT,12,{T}
    ,u4,01001,rio,RJ,INSERT,13,{T}
    c5,u5,01001,rio,RJ,INSERT,,{T}
    c5,u5,01001,rio,RJ,INSERT,14.5,{T}
    c6,u6,01001,rio,RJ,UPSERT,15,{T}
    c6,u6,01001,rio,RJ,,16,{T}
    c7,u7,abc,rio,RJ,INSERT,17,{T}
    c7,u7,01001,rio,RJ,INSERT,18,yesterday
    c7,u7,01001,rio,RJ,insert,19,{T}
    c7,u7,01001,rio,RJ,INSERT,9223372036854775808,{T}
"""
PRODUCTS = f"""
    p1,bebes,40.0,10,1,100,10,10,10,INSERT,1,{T}
    p1,bebes,40,10,1,120,10,10,10,UPDATE,3,{T}
    p2,,,,,12abc,,,,INSERT,2,{T}
"""
LATER = f"""
    c1,u1,01001,santos,SP,UPDATE,20,{T}
    c2,u2,1002,rio,RJ,INSERT,11,{T}
    c2,u2,20010,rio,RJ,INSERT,50,{T}
    c3,u3,01003,,,DELETE,12,{T}
    c8,u8,01001,rio,RJ,REPLACE,60,{T}
"""


@pytest.fixture(scope="module")
def feeds(lakeflow) -> Feeds:
    """The first delivery, loaded; the sellers' feed has delivered nothing yet."""
    made = Feeds(lakeflow)
    made.deliver("customers", "a.csv", CUSTOMERS)
    made.deliver("products", "a.csv", PRODUCTS)
    made.take_in(run_id="first")
    return made


def failed(feeds: Feeds, run_id: str, table: str) -> dict[str, int]:
    query = (
        f"SELECT rule, failed_rows FROM ops.expectation_results WHERE run_id = '{run_id}' "
        f"AND table_name = '{table}' AND failed_rows > 0"
    )
    return dict(feeds.rows(query))


def checked(feeds: Feeds, run_id: str) -> dict[str, int]:
    """The number of rows of each table of current rows that were checked against its rules."""
    query = (
        "SELECT DISTINCT table_name, checked_rows FROM ops.expectation_results "
        f"WHERE run_id = '{run_id}' AND table_name LIKE 'silver.%_current'"
    )
    return dict(feeds.rows(query))


def test_each_valid_event_is_staged_once_and_typed(feeds):
    """The line that occurs twice, for c1 at 30, is one event; a zip code gets its leading zero back."""
    when = at(T)
    assert feeds.events("customers") == sorted(
        [
            ("c1", "u1", "01001", "sao paulo", "SP", "INSERT", 10, when),
            ("c2", "u2", "01002", "rio", "RJ", "INSERT", 11, when),
            ("c3", "u3", "01003", None, None, "INSERT", 12, when),
            ("c1", "u1", "01001", "campinas", "SP", "UPDATE", 30, when),
            ("c2", None, None, None, None, "DELETE", 40, when),
        ],
        key=repr,
    )
    assert feeds.events("sellers") == []


def test_each_kind_of_bad_event_is_in_quarantine_with_its_rule_and_its_file(feeds):
    """A person can correct the feed from it; the text is as in the file."""
    assert feeds.quarantine("customers", "customer_unique_id", "sequence_number", "operation", "rule") == sorted(
        [
            ("u4", "13", "INSERT", "customer_id_present"),
            ("u5", None, "INSERT", "sequence_number_present"),
            ("u5", "14.5", "INSERT", "sequence_number_parses"),
            ("u6", "15", "UPSERT", "operation_known"),
            ("u6", "16", None, "operation_known"),
            ("u7", "17", "INSERT", "customer_zip_code_prefix_parses"),
            ("u7", "18", "INSERT", "change_timestamp_parses"),
            ("u7", "19", "insert", "operation_known"),
            ("u7", "9223372036854775808", "INSERT", "sequence_number_parses"),
        ],
        key=repr,
    )
    assert feeds.quarantine("products", "product_weight_g", "rule", "reason", "_source_file", "run_id") == [
        ("12abc", "product_weight_g_parses", "`product_weight_g`: found `12abc`, expected INT",
         "/Volumes/olist_dev/raw/olist/cdc/products/a.csv", "first"),
    ]  # fmt: skip


def test_the_counts_of_the_rules_are_those_of_the_quarantine(feeds):
    """What a dashboard shows is what is there."""
    counted = failed(feeds, "first", "silver.stg_cdc_customers")
    quarantined = dict(feeds.rows("SELECT rule, count(*) FROM ops.quarantine_stg_cdc_customers GROUP BY rule"))

    assert counted == quarantined
    assert sum(counted.values()) == 9


def test_current_and_history_of_the_first_delivery(feeds):
    """c2 was deleted; the products' weight changed."""
    assert feeds.current("customers") == [("c1", "u1", "01001", "campinas", "SP"), ("c3", "u3", "01003", None, None)]
    assert feeds.history("customers") == [
        ("c1", "u1", "01001", "campinas", "SP", 30, None),
        ("c1", "u1", "01001", "sao paulo", "SP", 10, 30),
        ("c2", "u2", "01002", "rio", "RJ", 11, 40),
        ("c3", "u3", "01003", None, None, 12, None),
    ]
    assert feeds.current("products") == [("p1", "bebes", 40, 10, 1, 120, 10, 10, 10)]
    assert [row[5::4] for row in feeds.history("products")] == [(100, 1), (120, 3)]
    assert feeds.history("sellers") == []
    assert ("customer_city", "string", "City") in feeds.rows("DESCRIBE silver.silver_customers_history")


def test_a_run_without_new_files_commits_nothing(feeds):
    """Nor does one whose new file repeats known events."""
    before = feeds.commits()
    feeds.take_in(run_id="again")
    assert feeds.commits() == before

    feeds.deliver("products", "b_repeated.csv", PRODUCTS.strip().splitlines()[0])
    feeds.take_in(run_id="repeated")

    changed = {name for name, version in feeds.commits().items() if version != before.get(name)}
    assert changed == {"bronze.bronze_cdc_products", "ops.progress"}


def test_later_events_of_any_age_are_applied(feeds):
    """A late update splits a version, a repeated insert is no event, a delete wins over an insert with its number."""
    feeds.deliver("customers", "c_later.csv", LATER, modified="2024-01-02T00:00:00")
    feeds.take_in(run_id="later")

    assert feeds.history("customers") == [
        ("c1", "u1", "01001", "campinas", "SP", 30, None),
        ("c1", "u1", "01001", "santos", "SP", 20, 30),
        ("c1", "u1", "01001", "sao paulo", "SP", 10, 20),
        ("c2", "u2", "01002", "rio", "RJ", 11, 40),
        ("c2", "u2", "20010", "rio", "RJ", 50, None),
    ]
    assert feeds.current("customers") == [("c1", "u1", "01001", "campinas", "SP"), ("c2", "u2", "20010", "rio", "RJ")]
    assert len(feeds.events("customers")) == 8
    assert len(feeds.quarantine("customers", "rule")) == 10


def contents(feeds: Feeds) -> dict[str, list[tuple]]:
    """Everything that results from the events, without the columns that describe the delivery."""
    made = {}
    for entity in FEEDS:
        made[entity] = (feeds.events(entity), feeds.current(entity), feeds.history(entity))
        made[f"{entity}, quarantine"] = feeds.quarantine(entity, "* EXCEPT (run_id)")
    return made


@pytest.mark.slow("three kills, each repeated; test_silver.py has one")
def test_a_run_that_was_killed_is_made_good(feeds):
    """After the quarantine, between the targets, before the progress: each table as if it had never been written."""
    before = feeds.commits()
    feeds.deliver("customers", "e.csv", f"c1,u1,01001,itu,SP,UPDATE,25,{T}\n,u9,01001,itu,SP,INSERT,26,{T}")
    feeds.take_in(run_id="whole")
    good, quarantined = contents(feeds), len(feeds.quarantine("customers", "rule"))
    targets = ["silver.silver_customers_current", "silver.silver_customers_history"]

    for unwritten in (["silver.stg_cdc_customers", *targets], targets[1:], []):
        for table in ["ops.progress", "silver.apply_changes_progress", *unwritten]:
            feeds.spark.sql(f"RESTORE TABLE {table} TO VERSION AS OF {before[table]}")
        feeds.take_in("60_cdc_stage", "70_cdc_apply", run_id="again")

        assert contents(feeds) == good, unwritten
    assert len(feeds.quarantine("customers", "rule")) == quarantined


@pytest.mark.slow("two refreshes; a damaged target is refreshed below")
def test_a_full_refresh_gives_the_same_tables(feeds):
    """Even after a target was damaged by hand; it stays the same table, so that readers miss nothing."""
    before = contents(feeds)
    feeds.spark.sql("DELETE FROM silver.silver_customers_history WHERE customer_id = 'c1'")
    feeds.spark.sql("UPDATE silver.silver_customers_current SET customer_city = 'x'")
    feeds.spark.sql("INSERT INTO silver.silver_customers_current VALUES ('c9', 'u9', '01001', 'x', 'SP')")

    feeds.take_in("70_cdc_apply", refresh_mode="full", run_id="full apply")
    assert contents(feeds) == before

    feeds.take_in(refresh_mode="full", run_id="full")
    assert contents(feeds) == before
    history = feeds.commits()["silver.silver_customers_history"]
    feeds.take_in(run_id="after")
    assert feeds.commits()["silver.silver_customers_history"] == history


def test_a_damaged_target_fails_the_task_each_time(feeds):
    """The rules are checked on the whole tables, even in a run without new events."""
    feeds.spark.sql(
        "UPDATE silver.silver_customers_history SET __END_AT = 45 WHERE customer_id = 'c2' AND __END_AT = 40"
    )
    for run_id in ("bad", "bad again"):
        with pytest.raises(NotebookFailed, match=r"^ExpectationError: (.|\n)*bounds_are_events"):
            feeds.take_in("70_cdc_apply", run_id=run_id)
    feeds.take_in("70_cdc_apply", refresh_mode="full", run_id="good")
    assert failed(feeds, "good", "silver.silver_customers_history") == {}


@pytest.mark.slow("tests/notebooks/test_nbval.py runs the same notebook")
def test_the_example_leaves_nothing_behind(feeds):
    """It runs with the notebook's defaults, as a reader starts it, and its own assertions hold."""
    feeds.run("71_cdc_example")

    assert feeds.rows("SHOW SCHEMAS LIKE 'scratch*'") == []


def test_a_table_that_fails_does_not_stop_the_others(feeds):
    """A file without a column is refused by name; the other feeds go on."""
    feeds.land("cdc/sellers", "d_short.csv", b"seller_id,operation\ns1,INSERT\n")
    feeds.deliver("products", "d.csv", f"p9,bebes,40,10,1,1,1,1,1,INSERT,9,{T}")
    with pytest.raises(NotebookFailed, match=r"^TablesFailedError: (.|\n)*d_short\.csv.*seller_zip_code_prefix"):
        feeds.take_in("50_cdc_bronze", run_id="short")
    (feeds.volume / "cdc" / "sellers" / "d_short.csv").unlink()

    feeds.take_in(run_id="rest")

    assert ("p9", "bebes", 40, 10, 1, 1, 1, 1, 1) in feeds.current("products")
    assert len(feeds.current("products")) > 1 and checked(feeds, "rest") == {"silver.silver_products_current": 1}


def test_a_run_that_was_killed_before_its_checks_checks_the_same_rows(feeds):
    """The counts of the rules are those of an undisturbed run."""
    feeds.deliver("products", "k.csv", f"p9,bebes,40,10,1,1,1,1,2,UPDATE,10,{T}")
    feeds.take_in(run_id="undisturbed")
    progress = feeds.commits()["silver.apply_changes_progress"]
    feeds.spark.sql(f"RESTORE TABLE silver.apply_changes_progress TO VERSION AS OF {progress - 1}")

    feeds.take_in("70_cdc_apply", run_id="repeated")

    assert checked(feeds, "repeated") == checked(feeds, "undisturbed") == {"silver.silver_products_current": 1}


def test_a_change_by_hand_beside_new_events_is_found(feeds):
    """Only the key with the event would be checked if nobody else had written the table."""
    feeds.spark.sql("INSERT INTO silver.silver_products_current VALUES ('p8', 'x', 1, 1, 1, 1, 1, 1, 1)")
    feeds.deliver("products", "e.csv", f"p9,bebes,41,10,1,1,1,1,1,UPDATE,11,{T}")

    with pytest.raises(NotebookFailed, match=r"^ExpectationError: .*silver_products_current.*current_is_open_version"):
        feeds.take_in(run_id="by hand")

    feeds.take_in("70_cdc_apply", refresh_mode="full", run_id="mended")
    assert checked(feeds, "mended")["silver.silver_products_current"] == len(feeds.current("products"))


def test_a_full_refresh_empties_a_target_without_events(feeds):
    """The sellers' feed has delivered nothing: no row can be right."""
    feeds.spark.sql("INSERT INTO silver.silver_sellers_current VALUES ('s9', '01001', 'x', 'SP')")

    feeds.take_in("70_cdc_apply", refresh_mode="full", run_id="empty")

    assert feeds.current("sellers") == []
