"""Days on top of real files: real products and sellers, new customers, and unfinished orders that continue."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from generator_worlds import FIRST, PROFILE, day_files, frames, latest, world_of

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.geography import places_of_source
from lakehouse.generator.source import SourceError, catalogue_of_source, unfinished_orders, world_of_source
from lakehouse.generator.world import World

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "olist_sample"


def real_order(order: str, status: str, *moments: str) -> dict[str, str | None]:
    """A row of the orders file; *moments* are purchase, approval, carrier and customer, as far as they exist."""
    values = [order, f"c-{order}", status, *moments, *[None] * (4 - len(moments)), "2018-09-20 00:00:00"]
    return dict(zip(COLUMNS["orders"], values, strict=True))


ORDERS = pd.DataFrame(
    [
        real_order("done", "delivered", *["2018-08-01 10:00:00"] * 4),
        real_order("way", "shipped", "2018-08-20 10:00:00", "2018-08-20 11:00:00", "2018-08-22 09:00:00"),
        real_order("bill", "invoiced", "2018-08-25 10:00:00", "2018-08-25 11:00:00"),
        real_order("old", "shipped", "2017-01-20 10:00:00", "2017-01-20 11:00:00", "2017-01-22 09:00:00"),
        real_order("next", "processing", "2018-09-03 10:00:00", "2018-09-03 10:10:00"),
    ]
)
PRODUCTS = pd.DataFrame(
    [[name, category, *["10"] * 7] for name, category in (("a", "perfumaria"), ("b", None), ("never", "perfumaria"))],
    columns=COLUMNS["products"],
)
SELLERS = pd.DataFrame([["s1", "01000", "sao paulo", "SP"], ["s2", "20000", "rio", "RJ"]], columns=COLUMNS["sellers"])
ITEMS = pd.DataFrame(
    [["a", "s2", "10.00"], ["a", "s2", "30.00"], ["a", "s1", "20.00"], ["b", "s1", "5.50"], ["a", "s2", "x"]],
    columns=["product_id", "seller_id", "price"],
)


def small_world(shuffled: int | None = None, **other: pd.DataFrame) -> World:
    """A world on top of the frames above, some of which *other* replaces; *shuffled* mixes their rows."""
    tables = {"orders": ORDERS, "products": PRODUCTS, "sellers": SELLERS, "order_items": ITEMS}
    tables["customers"] = pd.DataFrame(
        [["01000", "sao paulo", "SP"], ["30000", "belo horizonte", "MG"]], columns=COLUMNS["customers"][2:]
    )
    tables["geolocation"] = pd.DataFrame({"geolocation_zip_code_prefix": ["01000", "30000"]})
    tables |= other

    if shuffled is not None:
        tables = {entity: rows.sample(frac=1, random_state=shuffled) for entity, rows in tables.items()}
    return world_of_source(world_of(100, source="file:/x"), tables)


def test_a_product_keeps_its_usual_price_and_seller():
    """Median price, and the seller that sold it most."""
    catalogue = catalogue_of_source(PROFILE, PRODUCTS, SELLERS, ITEMS)

    assert catalogue.price_cents.tolist()[:2] == [2000, 550]
    assert catalogue.seller.tolist()[:2] == [1, 0]
    assert catalogue.popularity.tolist() == [0.75, 1.0, 1.0]


def test_new_orders_refer_to_real_products_and_sellers_that_were_sold_before():
    """No product or seller is invented."""
    world = small_world()
    items = pd.concat([frames(day_files(world, f"2018-09-{day:02d}", [FIRST]))["order_items"] for day in range(2, 20)])

    assert set(items["product_id"]) == {"a", "b"}
    assert set(zip(items["product_id"], items["seller_id"], strict=True)) == {("a", "s2"), ("b", "s1")}


def test_new_customers_live_where_real_ones_do_or_in_a_new_prefix_that_lands():
    """Every prefix has points, as far as the real data have them."""
    world, landed = replace(small_world(), orders_a_day=60.0), [FIRST]
    known, homeless, customers = {"01000", "30000"}, 0, 0
    for day in pd.date_range("2018-09-02", "2018-09-12").strftime("%Y-%m-%d"):
        tables = frames(day_files(world, day, landed))
        known |= set(tables.get("geolocation", pd.DataFrame({"prefix": []})).iloc[:, 0])
        prefixes = tables["customers"]["customer_zip_code_prefix"]
        customers += len(prefixes)
        homeless += int((~prefixes.isin(known)).sum())
        landed.append(day)

    assert len(known) > 2
    assert homeless <= 0.01 * customers + 1


def test_unfinished_orders_go_on_and_keep_their_past():
    """What the file says about purchase, approval and carrier stays in every later version."""
    world, landed, found = small_world(), [FIRST], []
    for day in pd.date_range("2018-09-02", "2018-10-15").strftime("%Y-%m-%d"):
        orders = frames(day_files(world, day, landed))["orders"]
        found.append(orders[orders["order_id"].isin(ORDERS["order_id"])])
        landed.append(day)
    real = pd.concat(found)

    assert set(real["order_id"]) <= {"way", "bill"}
    past = ORDERS.set_index("order_id").loc[real["order_id"]].reset_index()
    for name in COLUMNS["orders"][3:6]:
        told = past[name].notna().to_numpy()
        assert (real[name].to_numpy()[told] == past[name].to_numpy()[told]).all()
    assert set(latest(found, "order_id")["order_status"]) <= {"delivered", "canceled"}


def test_most_unfinished_orders_arrive():
    """Four in five, one in ten is canceled."""
    many = pd.DataFrame([real_order(f"o{at}", "shipped", *["2018-08-20 10:00:00"] * 3) for at in range(500)])
    lives, ids = unfinished_orders(many, first_day=17_775, seed=1)

    assert ids.num_rows == 500
    assert (lives.fate == 5).mean() == pytest.approx(0.8, abs=0.06)
    assert (lives.fate == 6).mean() == pytest.approx(0.1, abs=0.04)


def test_old_and_future_orders_stay_as_they_are():
    """An order from last year is lost; one from after the first run date is not known yet."""
    _, ids = unfinished_orders(ORDERS, first_day=17_775, seed=1)

    assert set(ids["order_id"].to_pylist()) == {"way", "bill"}


def test_new_prefixes_are_not_among_the_known_ones():
    """A point that exists in the real file must not occur again."""
    made = world_of(500).places
    known = {str(prefix) for prefix in made.prefix[made.is_new][:5]}
    world = small_world()
    customers = world.catalogue.sellers
    places = places_of_source(customers, customers, known, made)

    assert not set(places.prefix[places.is_new]) & known
    assert places.is_new.sum() == made.is_new.sum() - 5


def test_a_day_does_not_depend_on_the_order_of_the_real_rows():
    """Spark returns rows in any order."""
    expected = day_files(small_world(), "2018-09-02", [FIRST])

    assert day_files(small_world(shuffled=1), "2018-09-02", [FIRST]) == expected
    assert day_files(small_world(shuffled=2), "2018-09-02", [FIRST]) == expected


@pytest.mark.parametrize("entity", ["orders", "order_items"])
def test_real_files_without_a_row_still_take_a_day(entity):
    """A file may contain only its header."""
    empty = {"orders": ORDERS, "order_items": ITEMS}[entity].head(0)

    assert len(frames(day_files(small_world(**{entity: empty}), "2018-09-02", [FIRST]))["orders"]) >= 1


def test_real_files_without_products_take_no_day():
    """There would be nothing to order."""
    with pytest.raises(SourceError, match=r"olist_products_dataset\.csv`: found no usable row"):
        small_world(products=PRODUCTS.head(0))


def test_a_day_on_the_real_sample():
    """The owner's sample: every reference of a new order exists."""
    if not SAMPLE.is_dir():
        pytest.skip("the real sample is not beside this repository")
    real = {name: pd.read_csv(SAMPLE / f"olist_{name}_dataset.csv", dtype=str) for name in COLUMNS}
    rows = {name: frame.astype(object).where(frame.notna(), None) for name, frame in real.items()}
    world = world_of_source(world_of(100, source="file:/x"), rows)
    day = frames(day_files(world, "2018-09-02", [FIRST]))

    assert set(day["order_items"]["product_id"]) <= set(real["products"]["product_id"])
    assert set(day["order_items"]["seller_id"]) <= set(real["sellers"]["seller_id"])
    assert set(day["orders"]["customer_id"]) <= set(day["customers"]["customer_id"]) | set(
        real["orders"]["customer_id"]
    )
    assert set(day["products"]["product_id"]) <= set(real["products"]["product_id"])
