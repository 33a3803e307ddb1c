"""The change feed: lives that are consistent, defects that are counted, and a landing that can be repeated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from generator_fakes import FakeDbutils, FakeFileSystem
from generator_feeds import (
    ALL_RATES,
    DAYS,
    ENTITIES,
    RATES,
    as_frame,
    feed_rows,
    land_entities,
    make_feed,
    only,
    rows_of,
    run_feed,
)

from lakehouse.errors import ParameterError
from lakehouse.generator import Volume
from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import Contents, table_of
from lakehouse.generator.feed import count_defects, count_operations, plan_feed
from lakehouse.generator.feed_rates import FeedRates, share
from lakehouse.generator.feed_values import usable_rows

LIVES_ONLY = only(cdc_change_rate=0.3, no_op_rate=0.1, flip_rate=0.2, null_flip_rate=0.2)
DEFECTS = [name.removesuffix("_rate") for name in RATES][1:]


@pytest.fixture(scope="module")
def lives(tmp_path_factory) -> FakeDbutils:
    """A feed with nothing wrong on the way."""
    return make_feed(tmp_path_factory.mktemp("lives"), LIVES_ONLY)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory) -> FakeDbutils:
    """A feed with every defect."""
    return make_feed(tmp_path_factory.mktemp("spoiled"), ALL_RATES)


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_landed_key_is_inserted_once_and_before_all_else(lives, entity):
    """A life begins with an insert, on the day whose file has the key first."""
    events, key = feed_rows(lives, entity), COLUMNS[entity][0]

    first = events.drop_duplicates(key)
    assert set(first["operation"]) == {"INSERT"}
    assert set(first[key]) == {
        one
        for name, content in lives.files().items()
        if name.startswith(f"{entity}/")
        for one in as_frame(content)[key]
    }


@pytest.mark.parametrize("entity", ENTITIES)
def test_only_deleted_keys_are_inserted_again_and_only_living_ones_change(lives, entity):
    """Otherwise the feed would report what no database can do."""
    is_alive: dict[str, bool] = {}
    returned = 0
    for row in feed_rows(lives, entity).to_dict("records"):
        key = row[COLUMNS[entity][0]]
        assert is_alive.get(key, False) == (row["operation"] != "INSERT")
        returned += row["operation"] == "INSERT" and key in is_alive
        is_alive[key] = row["operation"] != "DELETE"
    assert returned and not all(is_alive.values())


@pytest.mark.parametrize("entity", ENTITIES)
def test_sequence_numbers_are_unique_and_grow_with_the_time(lives, entity):
    """They order the events; a day's files contain only its times."""
    events = feed_rows(lives, entity)
    numbers = events["sequence_number"].astype("int64")

    assert numbers.is_monotonic_increasing and numbers.is_unique
    assert events["change_timestamp"].is_monotonic_increasing
    assert (events["change_timestamp"].str[:10] == events["day"]).all()


def test_updates_are_moves_weights_and_photos_and_leave_the_rest(lives):
    """A product keeps its dimensions, a customer remains the same person."""
    for entity, fixed in (("customers", 2), ("sellers", 1)):
        events = feed_rows(lives, entity)
        upserts = events[events["operation"] != "DELETE"]
        names = list(COLUMNS[entity])
        assert (upserts.groupby(names[0])[names[1:fixed]].nunique() <= 1).all(axis=None)
        assert (upserts.groupby(names[0])[names[fixed]].nunique() > 1).any()
    products = feed_rows(lives, "products").query("operation != 'DELETE'").groupby("product_id")
    assert (products["product_weight_g"].nunique() > 1).any() and (products["product_photos_qty"].nunique() > 1).any()
    assert (products["product_length_cm"].nunique() <= 1).all()


def test_flips_go_to_b_and_back_to_a_and_null_flips_over_null(tmp_path):
    """Three versions, of which the first and the last are equal; NULL is a value like others."""
    for rates in (only(flip_rate=0.3), only(null_flip_rate=0.3)):
        dbutils = make_feed(tmp_path / str(rates.flip_rate), rates, DAYS[:1])
        for entity in ENTITIES:
            names, met_null = list(COLUMNS[entity]), False
            lives_of = feed_rows(dbutils, entity).groupby(names[0])
            flipped = [life[names].to_numpy().tolist() for _, life in lives_of if len(life) > 1]
            assert flipped
            for a, b, again in flipped:
                assert a == again != b
                met_null |= None in b or None in a
            assert met_null == bool(rates.null_flip_rate) or entity == "products"


def test_no_op_updates_change_nothing(tmp_path):
    """They must not open a version."""
    dbutils = make_feed(tmp_path, only(no_op_rate=0.3), DAYS[:1])
    names = list(COLUMNS["sellers"])

    repeated = [life[names] for _, life in feed_rows(dbutils, "sellers").groupby(names[0]) if len(life) > 1]
    assert repeated
    assert all(len(life.drop_duplicates()) == 1 for life in repeated)


def test_without_rates_there_are_inserts_alone(tmp_path):
    """Zero means none."""
    dbutils = make_feed(tmp_path, only(), DAYS[:2])

    for entity in ENTITIES:
        events = feed_rows(dbutils, entity)
        assert set(events["operation"]) == {"INSERT"} and events[COLUMNS[entity][0]].is_unique


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_rate_makes_its_defect_alone_and_counts_it(tmp_path, defect):
    """A reader of the notebook must be able to trust the table of counts."""
    dbutils = FakeDbutils(tmp_path)
    land_entities(dbutils, DAYS[0])
    rates = only(**{f"{defect}_rate": 0.1})
    files = run_feed(dbutils, rates)

    counts = count_defects(files, rates).set_index("defect")
    assert (counts.loc[defect, list(ENTITIES)] > 0).all()
    assert (counts.drop(defect)[list(ENTITIES)] == 0).all(axis=None)
    for entity in ENTITIES:
        assert counts.loc[defect, entity] == _found(defect, feed_rows(dbutils, entity, DAYS[0]), entity, dbutils)


def _found(defect: str, rows, entity: str, dbutils: FakeDbutils) -> int:
    """The number of the first day's *rows* with *defect*, judging by what a reader of the file can see."""
    key = COLUMNS[entity][0]
    landed = as_frame(dbutils.files()[f"{entity}/{entity}_{DAYS[0]}_initial.csv"])
    numbers = rows["sequence_number"]
    if defect == "late":
        return len(landed) - len(rows)
    if defect == "out_of_order":
        ahead = numbers.astype("int64")
        return int((ahead < ahead.cummax()).sum())
    if defect in ("duplicate", "tie"):  # half of them land later
        same = None if defect == "duplicate" else [key, "sequence_number"]
        land_entities(dbutils, "2018-09-05")
        run_feed(dbutils, only())
        in_all = feed_rows(dbutils, entity).drop(columns="day").duplicated(same).sum()
        assert 0 < rows.duplicated(same).sum() < in_all
        return int(in_all)
    if defect in ("no_op", "flip", "null_flip"):
        return int((rows["operation"] == "UPDATE").sum()) // (1 if defect == "no_op" else 2)
    if defect == "unknown_delete":
        return int((~rows[key].isin(landed[key]) & (rows["operation"] == "DELETE")).sum())
    if defect in ("null_key", "null_sequence"):
        return int(rows[key if defect == "null_key" else "sequence_number"].isna().sum())
    if defect == "unknown_operation":
        return int((~rows["operation"].isin(["INSERT", "UPDATE", "DELETE"])).sum())
    wrong = rows[[*COLUMNS[entity], "sequence_number"]].isin(["12x", "first"]).any(axis=1)
    return int((wrong | (rows["change_timestamp"] == "yesterday")).sum())


def test_late_events_land_hours_to_days_later(tmp_path):
    """In a later file, and nothing is lost."""
    dbutils = make_feed(tmp_path, only(late_rate=0.2))

    events = feed_rows(dbutils, "customers")
    days = set(events.loc[events["change_timestamp"].str[:10] == DAYS[0], "day"])
    assert days == set(DAYS)  # the last of them three days after the previous one
    assert (events["change_timestamp"].str[:10] <= events["day"]).all()


def test_same_parameters_give_the_same_bytes(spoiled, tmp_path):
    """Files, truth and manifests: no clock, no order of a set."""
    assert make_feed(tmp_path, ALL_RATES).files() == spoiled.files()


def test_another_seed_gives_another_feed(tmp_path):
    """The seed has an effect."""
    feeds = [
        feed_rows(make_feed(tmp_path / str(seed), ALL_RATES, DAYS[:1], seed=seed), "sellers")["change_timestamp"]
        for seed in (1, 2)
    ]
    assert list(feeds[0]) != list(feeds[1])


def test_days_that_land_at_once_are_those_that_land_one_by_one(spoiled, tmp_path):
    """A feed that was switched on late catches up, and every day has its own file."""
    dbutils = FakeDbutils(tmp_path)
    for day in DAYS:
        land_entities(dbutils, day)
    run_feed(dbutils, ALL_RATES)

    assert dbutils.files() == spoiled.files()


def test_repeated_run_lands_nothing(tmp_path):
    """A repeated job run must not land a day twice, whatever its rates are."""
    dbutils = make_feed(tmp_path, ALL_RATES, DAYS[:2])
    before = dbutils.files()

    assert run_feed(dbutils, only()) == []
    assert dbutils.files() == before
    assert "lands nothing" in plan_feed(Volume(dbutils, "olist_dev"), only()).notes[-1]


def test_other_rates_on_a_later_day_leave_the_lives_before_as_they_were(tmp_path):
    """Days are simulated again with the rates with which they were announced, so earlier late events still arrive."""
    dbutils = make_feed(tmp_path, ALL_RATES, DAYS[:2])
    land_entities(dbutils, DAYS[3])
    run_feed(dbutils, only())

    events = feed_rows(dbutils, "customers")
    last = events[events["day"] == DAYS[3]]
    assert (last["change_timestamp"].str[:10] < DAYS[3]).any()  # what was under way
    fresh = last[last["change_timestamp"].str[:10] == DAYS[3]]
    assert set(fresh["operation"]) == {"INSERT"}  # the new keys of the day, nothing else


@pytest.mark.parametrize("moves", [0, 3, 6, 11])
def test_killed_landing_repeated_gives_the_files_of_an_undisturbed_one(spoiled, tmp_path, moves):
    """Killed before the announcement, between files, in the truth, before the last manifest; rates may change."""
    dbutils = make_feed(tmp_path, ALL_RATES, DAYS[:1])
    land_entities(dbutils, DAYS[1])
    dbutils.fs.moves_left = moves
    with pytest.raises(FakeFileSystem.Killed):
        run_feed(dbutils, ALL_RATES)
    dbutils.fs.moves_left = None
    run_feed(dbutils, only() if moves else ALL_RATES)
    land_entities(dbutils, DAYS[2])
    run_feed(dbutils, ALL_RATES)

    assert dbutils.files() == {name: content for name, content in spoiled.files().items() if DAYS[3] not in name}


def test_operations_and_defects_are_summed_over_the_files(spoiled, tmp_path):
    """The tables that the notebook shows."""
    dbutils = FakeDbutils(tmp_path)
    for day in DAYS[:2]:
        land_entities(dbutils, day)
    files = run_feed(dbutils, ALL_RATES)

    operations = count_operations(files).set_index("operation")
    for entity in ENTITIES:
        assert operations[entity].sum() == len(feed_rows(spoiled, entity, DAYS[1]))
    assert count_operations([]).empty and count_defects([], ALL_RATES).empty


def test_rates_outside_0_to_1_are_refused():
    """For example percent instead of a fraction."""
    with pytest.raises(ParameterError, match="`tie_rate`: found `2`, expected a fraction from 0 to 1"):
        FeedRates(tie_rate=2)


def test_rates_are_those_of_the_text_and_else_the_usual_ones():
    """A job names only what differs."""
    rates = FeedRates.from_text(0.5, "late_rate=0.1, tie_rate=0,")

    assert rates == replace(FeedRates(), cdc_change_rate=0.5, late_rate=0.1, tie_rate=0)
    assert FeedRates.from_text(FeedRates().cdc_change_rate, "") == FeedRates()


@pytest.mark.parametrize("text", ["late=0.1", "late_rate", "late_rate=much", "late_rate 0.1", "cdc_change_rate=0.1"])
def test_rates_that_are_not_understood_are_told_with_those_there_are(text):
    """A misspelt rate must not be ignored silently."""
    with pytest.raises(ParameterError, match=f"`defect_rates`: found `{text}`, expected .*, of .*late_rate, "):
        FeedRates.from_text(0.02, text)


def test_contents_keep_their_numbers_however_they_come():
    """Early and late rows, taken in any order and more than once."""
    contents = Contents(("id", "value"))
    numbers = [
        contents.add(pd.DataFrame({"id": [f"k{at}"], "value": [None if at % 2 else str(at)]})) for at in range(40)
    ]
    asked = np.concatenate([numbers[at] for at in (39, 0, 17, 0, 38)])

    assert rows_of(contents.frame(asked)) == [("k39", None), ("k0", "0"), ("k17", None), ("k0", "0"), ("k38", "38")]
    assert len(contents) == 40 and contents.take(asked[:0]).num_rows == 0


@pytest.mark.parametrize(("rate", "count", "expected"), [(0, 9, 0), (0.001, 9, 1), (0.5, 9, 4), (1, 9, 9), (1, 0, 0)])
def test_a_share_above_zero_is_at_least_one(rate, count, expected):
    """Even small days show every defect."""
    assert share(rate, count) == expected


def test_rows_that_silver_would_refuse_begin_no_life():
    """A feed of valid events cannot contain them; a lost leading zero is restored."""
    rows = as_frame(
        b"seller_id,seller_zip_code_prefix,seller_city,seller_state\n"
        b"c,1001,sao paulo,SP\nb,12x,sao paulo,SP\n,01001,sao paulo,SP\na,,,\nc,99999,x,RJ\n"
    )

    assert rows_of(usable_rows("sellers", table_of(rows)).to_pandas()) == [
        ("a", None, None, None),
        ("c", "01001", "sao paulo", "SP"),
    ]
