"""The rows of generated batches: they fit together, move forward in time, and are reproducible."""

from itertools import pairwise

import pandas as pd
import pytest
from generator_worlds import FIRST, ORDER_MOMENTS, day_files, frames, initial_files, latest, world_of

from lakehouse.generator.batches import bought_on, end_of
from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.lives import STATUSES
from lakehouse.generator.world import day_number

DAYS = [day.date().isoformat() for day in pd.date_range("2018-09-02", "2018-09-15")]
END_OF_FIRST = "2018-09-01 23:59:59"
RANK = {name: rank for rank, name in enumerate(STATUSES)}


@pytest.fixture(scope="module")
def world():
    """A small world."""
    return world_of(3000)


@pytest.fixture(scope="module")
def initial(world):
    """Its initial load."""
    return frames(initial_files(world))


@pytest.fixture(scope="module")
def days(world):
    """Two consecutive weeks, day -> frames."""
    landed, found = [FIRST], {}
    for day in DAYS:
        found[day] = frames(day_files(world, day, landed))
        landed.append(day)
    return found


def all_rows(initial: dict, days: dict, entity: str) -> pd.DataFrame:
    """Every landed row of *entity*."""
    return pd.concat([initial[entity], *(day[entity] for day in days.values() if entity in day)], ignore_index=True)


def test_initial_load_has_exactly_the_orders_asked_for(initial):
    """`scale` is the number of orders."""
    assert len(initial["orders"]) == 3000
    assert initial["orders"]["order_id"].is_unique


def test_initial_load_covers_the_history_up_to_the_first_run_date(initial):
    """730 days before the run date, and the run date itself; nothing after it."""
    bought = initial["orders"]["order_purchase_timestamp"]

    assert bought.min() >= "2016-09-01"
    assert "2018-09-01 00:00:00" <= bought.max() <= END_OF_FIRST


def test_nothing_is_known_before_it_happens(initial, days):
    """A day's file says nothing about later days, except what is promised (estimate, shipping limit)."""
    for entity, columns in {"orders": ORDER_MOMENTS, "order_reviews": ["review_answer_timestamp"]}.items():
        assert initial[entity][list(columns)].stack().max() <= END_OF_FIRST
        for day, tables in days.items():
            if entity in tables:
                assert tables[entity][list(columns)].stack().max() <= f"{day} 23:59:59"


def test_columns_are_those_of_olist_in_their_order(initial):
    """The real files and the generated ones are read by the same code."""
    for entity, names in COLUMNS.items():
        assert tuple(initial[entity].columns) == names


@pytest.mark.parametrize(
    ("entity", "column", "parent", "key"),
    [
        ("orders", "customer_id", "customers", "customer_id"),
        ("order_items", "order_id", "orders", "order_id"),
        ("order_items", "product_id", "products", "product_id"),
        ("order_items", "seller_id", "sellers", "seller_id"),
        ("order_payments", "order_id", "orders", "order_id"),
        ("order_reviews", "order_id", "orders", "order_id"),
    ],
)
def test_every_row_refers_to_rows_that_landed(initial, days, entity, column, parent, key):
    """Referential integrity, in the initial load and for each day with what had landed until then."""
    known = set(initial[parent][key])
    assert set(initial[entity][column]) <= known
    for tables in days.values():
        known |= set(tables.get(parent, initial[parent])[key])
        if entity in tables:
            assert set(tables[entity][column]) <= known


@pytest.mark.parametrize(
    ("entity", "key"),
    [
        ("customers", ["customer_id"]),
        ("order_items", ["order_id", "order_item_id"]),
        ("order_payments", ["order_id", "payment_sequential"]),
        ("order_reviews", ["review_id", "order_id"]),
    ],
)
def test_keys_are_unique_over_all_days(initial, days, entity, key):
    """These entities have no later versions."""
    assert not all_rows(initial, days, entity).duplicated(key).any()


def test_versions_are_unique_within_a_file(days):
    """A day contains each order, product and seller once."""
    for tables in days.values():
        for entity, key in (("orders", "order_id"), ("products", "product_id"), ("sellers", "seller_id")):
            assert tables[entity][key].is_unique


def test_payments_sum_to_items_and_freight(initial):
    """To the cent, for every order whose items are listed."""
    items = initial["order_items"]
    cents = items["price"].str.replace(".", "").astype(int) + items["freight_value"].str.replace(".", "").astype(int)
    owed = cents.groupby(items["order_id"]).sum()
    payments = initial["order_payments"]
    paid = payments["payment_value"].str.replace(".", "").astype(int).groupby(payments["order_id"]).sum()

    assert paid[owed.index].eq(owed).all()
    assert (payments["payment_value"].astype(float) >= 0).all()


def test_life_of_an_order_goes_forward_in_time(initial, days):
    """Purchase, approval, carrier, customer: in this order, in every version."""
    orders = all_rows(initial, days, "orders")[list(ORDER_MOMENTS)].apply(pd.to_datetime)

    for earlier, later in pairwise(ORDER_MOMENTS):
        both = orders[[earlier, later]].dropna()
        assert (both[earlier] <= both[later]).all()


def test_moments_fit_the_status(initial, days):
    """Delivered orders have all times, shipped ones all but the last."""
    orders = all_rows(initial, days, "orders")
    known = orders.set_index("order_status")[list(ORDER_MOMENTS)].notna().sum(axis=1)

    assert (known["delivered"] == 4).all()
    assert (known["shipped"] == 3).all()
    assert (known[["approved", "processing", "invoiced"]] == 2).all()
    assert (known["created"] == 1).all()


def test_later_versions_only_go_on(initial, days):
    """No status goes back, nothing known is withdrawn, and each later version adds something new."""
    versions = all_rows(initial, days, "orders")
    changed = versions[versions.duplicated("order_id", keep=False)].copy()
    changed["rank"] = changed["order_status"].map(RANK)
    known = changed[list(ORDER_MOMENTS)].notna().sum(axis=1)

    assert len(changed) > 100
    assert (changed.groupby("order_id")["rank"].diff().dropna() > 0).all()
    assert (known.groupby(changed["order_id"]).diff().dropna() >= 0).all()


def test_versions_of_the_days_add_up_to_the_initial_load_of_a_later_date(initial, days, world):
    """Fifteen daily steps report about the initial orders what one look two weeks later would report."""
    until = end_of(day_number(DAYS[-1]))
    expected = [
        bought_on(world, day, until)["orders"].to_pandas() for day in world.initial_days if world.order_count(day)
    ]
    expected = pd.concat(expected).set_index("order_id").sort_index()
    found = latest([initial["orders"], *(day["orders"] for day in days.values())], "order_id").set_index("order_id")

    pd.testing.assert_frame_equal(found.loc[expected.index].fillna(""), expected.fillna(""), check_dtype=False)


def test_a_gap_brings_all_later_versions_of_the_days_between(world, initial, days):
    """Days that were never run add no orders, but what happened to earlier orders on them is included."""
    of_initial = set(initial["orders"]["order_id"])
    stepwise = latest([day["orders"] for day in days.values()], "order_id")
    at_once = frames(day_files(world, DAYS[-1], [FIRST]))["orders"]
    expected, found = (
        orders[orders["order_id"].isin(of_initial)].sort_values("order_id", ignore_index=True)
        for orders in (stepwise, at_once)
    )

    pd.testing.assert_frame_equal(found, expected)


def test_a_day_has_new_orders_of_that_day_only(initial, days):
    """A business day adds only itself."""
    known = set(initial["orders"]["order_id"])
    for day, tables in days.items():
        new = tables["orders"][~tables["orders"]["order_id"].isin(known)]
        assert len(new) > 0
        assert new["order_purchase_timestamp"].str.startswith(day).all()
        known |= set(new["order_id"])


def test_a_day_changes_products_and_sellers(initial, days):
    """Each later version differs from the one before it, with the same columns and the same key."""
    for entity, key in (("products", "product_id"), ("sellers", "seller_id")):
        current = initial[entity].set_index(key)
        for tables in days.values():
            rows = tables[entity].set_index(key)
            assert rows.index.isin(current.index).all()
            assert len(rows) >= 1
            current.loc[rows.index] = rows


def test_a_day_made_again_is_the_same(world):
    """It is regenerated from only the settings and the list of landed days."""
    landed = [FIRST, *DAYS[:3]]

    assert day_files(world_of(3000), DAYS[3], landed) == day_files(world, DAYS[3], landed)


@pytest.mark.parametrize("orders_a_part", [1, 170])
def test_parts_do_not_change_the_rows(world, orders_a_part):
    """The number of files of the initial load is only a matter of speed."""
    assert initial_files(world, orders_a_part) == initial_files(world)


def test_new_prefixes_land_with_their_points(initial, days):
    """Every prefix of a customer has points, except for the few that have none in the real data either."""
    customers = set(all_rows(initial, days, "customers")["customer_zip_code_prefix"])
    points = all_rows(initial, days, "geolocation")

    assert len(customers - set(points["geolocation_zip_code_prefix"])) <= 0.01 * len(customers)
    assert points["geolocation_lat"].astype(float).between(-34, 6).all()
    assert points["geolocation_lng"].astype(float).between(-74, -32).all()


@pytest.mark.parametrize(("scale", "history_days"), [(1, 0), (1, 730), (5, 1), (40, 3)])
def test_smallest_worlds_work(scale, history_days):
    """A single order, a single day."""
    world = world_of(scale, history_days=history_days)

    assert len(frames(initial_files(world))["orders"]) == scale
    assert len(frames(day_files(world, "2018-09-02", [FIRST]))["orders"]) >= 1
