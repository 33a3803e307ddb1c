"""The ground truth of the change feed, against the definition applied key by key."""

import random
from pathlib import Path

import pandas as pd
import pytest
from generator_fakes import FakeDbutils
from generator_feeds import (
    ALL_RATES,
    DAYS,
    ENTITIES,
    broken_rule,
    feed_rows,
    land_entities,
    make_feed,
    oracle,
    rows_of,
    run_feed,
    truth,
)

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import table_of
from lakehouse.generator.truth import Expected, expected_tables, quarantine_rules

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "olist_sample"
SELLER = ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state", "operation", "sequence_number")


@pytest.fixture(scope="module", params=[3, 4])
def volume(request, tmp_path_factory):
    """Feeds with every defect, of two seeds."""
    return make_feed(tmp_path_factory.mktemp(f"truth{request.param}"), ALL_RATES, seed=request.param)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("entity", ENTITIES)
def test_truth_of_a_day_is_what_the_landed_rows_say_by_the_definition(volume, day, entity):
    """It contains no late events before they land, and never duplicates, broken rows or unknown deletes."""
    rows = feed_rows(volume, entity, day).to_dict("records")
    valid = [row for row in rows if broken_rule(entity, row) is None]
    random.Random(1).shuffle(valid)

    current, history = oracle(entity, valid)
    assert truth(volume, day, f"{entity}_current") == current
    assert truth(volume, day, f"{entity}_history") == history


def test_truth_of_the_real_sample_is_what_the_landed_rows_say(tmp_path):
    """Real values have what generated ones lack: categories that are NULL, cities with apostrophes."""
    if not SAMPLE.is_dir():
        pytest.skip("the real sample is not beside this repository")
    dbutils = FakeDbutils(tmp_path)
    land_entities(dbutils, DAYS[0], source=f"file:{SAMPLE}")
    run_feed(dbutils, ALL_RATES)

    for entity in ENTITIES:
        rows = feed_rows(dbutils, entity).to_dict("records")
        current, history = oracle(entity, [row for row in rows if broken_rule(entity, row) is None])
        assert len(current) > 500
        assert truth(dbutils, DAYS[0], f"{entity}_current") == current
        assert truth(dbutils, DAYS[0], f"{entity}_history") == history


@pytest.mark.parametrize("day", DAYS)
def test_quarantine_counts_are_those_of_the_rules_one_by_one(volume, day):
    """Cumulative, by the first rule that a row breaks; rules without rows are included."""
    expected = []
    for entity in ENTITIES:
        found = [broken_rule(entity, row) for row in feed_rows(volume, entity, day).to_dict("records")]
        expected += [(entity, rule, str(found.count(rule))) for rule in quarantine_rules(entity)]

    assert truth(volume, day, "quarantine") == expected
    assert all(int(rows) for _, rule, rows in expected if not rule.endswith("_parses"))


def _expected(*events: tuple) -> Expected:
    """The tables that result from events of sellers."""
    return expected_tables("sellers", table_of(pd.DataFrame(list(events), columns=list(SELLER), dtype=object)))


def test_versions_follow_the_definition_on_a_life_written_by_hand():
    """Insert, no-op, change, late event in between, delete, the same values again; another key is not affected."""
    expected = _expected(
        ("a", "1", "x", "SP", "INSERT", "10"),
        ("a", "1", "x", "SP", "UPDATE", "20"),
        ("a", "2", "x", "SP", "UPDATE", "30"),
        ("a", None, None, None, "DELETE", "40"),
        ("a", "2", "x", "SP", "INSERT", "50"),
        ("b", None, None, None, "DELETE", "5"),
        ("b", "7", None, "RJ", "INSERT", "9"),
        ("a", "1", None, "SP", "UPDATE", "15"),
    )

    assert rows_of(expected.history.to_pandas()) == [
        ("a", "1", "x", "SP", "10", "15"),
        ("a", "1", None, "SP", "15", "20"),
        ("a", "1", "x", "SP", "20", "30"),
        ("a", "2", "x", "SP", "30", "40"),
        ("a", "2", "x", "SP", "50", None),
        ("b", "7", None, "RJ", "9", None),
    ]
    assert rows_of(expected.current.to_pandas()) == [("a", "2", "x", "SP"), ("b", "7", None, "RJ")]


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_tie_the_delete_wins_and_then_the_greatest_with_null_lowest(order):
    """By the columns in order, whatever the order of arrival."""
    events = [
        ("a", "1", "x", "SP", "INSERT", "10"),
        ("a", None, None, None, "DELETE", "10"),
        ("b", "1", "x", "SP", "INSERT", "10"),
        ("b", None, "z", "SP", "UPDATE", "10"),
        ("c", "1", None, "SP", "INSERT", "10"),
        ("c", "1", "a", None, "UPDATE", "10"),
    ]
    expected = _expected(*events[::order])

    assert rows_of(expected.current.to_pandas()) == [("b", "1", "x", "SP"), ("c", "1", "a", None)]


def test_ties_of_numbers_are_compared_as_numbers():
    """As text, 900 would be above 1000."""
    one = dict.fromkeys(COLUMNS["products"], None) | {"product_id": "p", "operation": "UPDATE", "sequence_number": "1"}
    events = pd.DataFrame([one | {"product_weight_g": text} for text in ("1000", "900")], dtype=object)

    assert expected_tables("products", table_of(events)).current["product_weight_g"].to_pylist() == ["1000"]


def test_nothing_gives_nothing():
    """The first day of an entity may have no event."""
    assert _expected().history.num_rows == 0
    assert _expected().current.num_rows == 0
