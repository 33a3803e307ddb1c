"""What lands: the initial load, or one business day."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from lakehouse.generator.catalogue import apply_row_changes, product_changes, seller_changes
from lakehouse.generator.columns import COLUMNS, timestamps
from lakehouse.generator.details import (
    customer_rows,
    draw_items,
    homes,
    item_rows,
    order_ids,
    payment_rows,
    review_rows,
)
from lakehouse.generator.geography import make_points
from lakehouse.generator.lives import DAY, LONGEST_LIFE_DAYS, NEVER, STATUSES, Lives, draw_lives, stage_at
from lakehouse.generator.randomness import generator, identifiers
from lakehouse.generator.world import Orders, World

ORDERS_A_PART = 100_000  # one task reads a whole multi-line CSV file; several files are read in parallel
_IN_NEW_PREFIXES = 0.02  # share of the customers of days after the first

Tables = dict[str, pa.Table]


def initial_parts(world: World, orders_a_part: int = ORDERS_A_PART) -> Iterator[Iterator[Tables]]:
    """The initial load, as parts (each becomes one file per entity) of pieces (tables by entity, one per day).

    Only one day is in memory at a time; consume a part before taking the next.
    """
    days = list(world.initial_days)
    counts = world.initial
    part = (np.cumsum(counts) - counts) // orders_a_part
    for number in np.unique(part):
        chosen = [day for day, of_part in zip(days, part, strict=True) if of_part == number]
        yield _initial_pieces(world, chosen, with_catalogue=number == part[0])


def day_tables(world: World, day: int, landed: list[int]) -> Tables:
    """The tables of the business day *day*: its new rows, and newer versions of earlier rows.

    Args:
        landed: the day numbers that landed before, ascending; the first is the first run date. What has happened to
                their orders since the last of them is part of this day.

    Returns:
        A mapping of entities to rows, without entities that have none.
    """
    after, until = end_of(landed[-1]), end_of(day)
    pieces: list[Tables] = []
    for earlier in _days_before(world, landed):
        lives = _lives(world, earlier)
        changed = np.flatnonzero(stage_at(lives, until) != stage_at(lives, after))
        orders = _order_rows(lives.take(changed), _ids(world, earlier, changed), until)
        pieces.append({"orders": orders, "order_reviews": _reviews(world, earlier, lives, after, until)})
    pieces.append(_real_orders(world, after, until))
    pieces.append(bought_on(world, day, until))
    pieces.append(_catalogue_changes(world, [*landed[1:], day]))
    pieces.append({"geolocation": _new_points(world, [*landed[1:], day])})
    tables = {entity: [piece[entity] for piece in pieces if entity in piece] for entity in COLUMNS}
    joined = {entity: pa.concat_tables(parts) for entity, parts in tables.items() if parts}
    return {entity: table for entity, table in joined.items() if table.num_rows}


def _initial_pieces(world: World, days: list[int], *, with_catalogue: bool) -> Iterator[Tables]:
    if with_catalogue:
        rng = generator(world.settings.seed, 0, "points")
        points = make_points(world.places, np.flatnonzero(~world.places.is_new), profile=world.profile, rng=rng)
        yield {"products": world.catalogue.products, "sellers": world.catalogue.sellers, "geolocation": points}
    until = end_of(world.settings.first_day)
    for day in days:
        if world.order_count(day):
            yield bought_on(world, day, until)


def bought_on(world: World, day: int, until: int) -> Tables:
    """The orders bought on *day* with everything that belongs to them, as known at the time *until*."""
    seed, profile = world.settings.seed, world.profile
    lives = _lives(world, day)
    ids = _ids(world, day, np.arange(len(lives)))
    items = draw_items(profile, world.catalogue, seed=seed, day=day, lives=lives)
    return {
        "customers": _customer_rows(world, [day]),
        "orders": _order_rows(lives, ids, until),
        "order_items": item_rows(items, world.catalogue, ids["order_id"].combine_chunks()),
        "order_payments": payment_rows(
            profile, items, ids["order_id"].combine_chunks(), seed=seed, day=day, lives=lives
        ),
        "order_reviews": _reviews(world, day, lives, end_of(day - 1), until),
    }


def _lives(world: World, day: int) -> Lives:
    return draw_lives(world.profile, seed=world.settings.seed, day=day, count=world.order_count(day))


def _ids(world: World, day: int, index: np.ndarray) -> pa.Table:
    seed = world.settings.seed
    customers = identifiers(seed, "customer_id", day, index)
    return pa.table({"order_id": order_ids(seed, day, index), "customer_id": customers})


def newcomers_of(world: World, day: int) -> Tables:
    """The rows of generated customers, products and sellers whose keys first land on *day*, a day that has landed."""
    if day > world.settings.first_day:
        return {"customers": _customer_rows(world, [day])}
    catalogue = {"products": world.catalogue.products, "sellers": world.catalogue.sellers}
    return {"customers": _customer_rows(world, world.initial_days)} | catalogue


def _customer_rows(world: World, days: Iterable[int]) -> pa.Table:
    orders = world.orders(days)
    persons = world.persons(orders)
    return customer_rows(world.places, orders, persons, _homes(world, persons), seed=world.settings.seed)


def _homes(world: World, persons: Orders) -> np.ndarray:
    """The homes of the *persons*, as positions in the world's places."""
    seed = world.settings.seed
    old, new = (homes(world.places, persons, seed=seed, new_share=share) for share in (0.0, _IN_NEW_PREFIXES))
    return np.where(persons.day > world.settings.first_day, new, old)


def _order_rows(lives: Lives, ids: pa.Table, until: int) -> pa.Table:
    """The rows of the orders file as known at the time *until*: what happens later is not there yet."""

    def known(moments: np.ndarray) -> pa.Array:
        return timestamps(np.where(moments <= until, moments, NEVER))

    return pa.table(
        {
            "order_id": ids["order_id"],
            "customer_id": ids["customer_id"],
            "order_status": pa.array(np.array(STATUSES)[stage_at(lives, until)]),
            "order_purchase_timestamp": timestamps(lives.purchased),
            "order_approved_at": known(lives.approved),
            "order_delivered_carrier_date": known(lives.shipped),
            "order_delivered_customer_date": known(lives.delivered),
            "order_estimated_delivery_date": timestamps(lives.on_time_limit),
        }
    )


def _reviews(world: World, day: int, lives: Lives, after: int, until: int) -> pa.Table:
    seed = world.settings.seed
    return review_rows(world.profile, world.texts, seed=seed, day=day, lives=lives, after=after, until=until)


def _days_before(world: World, landed: list[int]) -> list[int]:
    """The days whose orders may have changed since the last landing."""
    oldest = landed[-1] - LONGEST_LIFE_DAYS - 1
    days = [*world.initial_days, *landed[1:]]
    return [day for day in days if day >= oldest and world.order_count(day)]


def _real_orders(world: World, after: int, until: int) -> Tables:
    if world.unfinished is None:
        return {}
    lives, ids = world.unfinished.lives, world.unfinished.ids
    changed = np.flatnonzero(stage_at(lives, until) != stage_at(lives, after))
    return {"orders": _order_rows(lives.take(changed), ids.take(pa.array(changed)), until)}


def _catalogue_changes(world: World, days: list[int]) -> Tables:
    seed, catalogue = world.settings.seed, world.catalogue
    products = [product_changes(catalogue.products, seed=seed, day=day) for day in days]
    sellers = [seller_changes(catalogue.sellers, world.places, seed=seed, day=day) for day in days]
    return {
        "products": apply_row_changes(catalogue.products, products),
        "sellers": apply_row_changes(catalogue.sellers, sellers),
    }


def _new_points(world: World, days: list[int]) -> pa.Table:
    """Points for the prefixes that got their first customer on the last of *days*."""
    lived = [_homes(world, world.persons(world.orders([day]))) for day in days]
    found = [np.unique(at[world.places.is_new[at]]) for at in lived]
    known = np.concatenate([np.zeros(0, dtype=np.int64), *found[:-1]])
    rng = generator(world.settings.seed, days[-1], "new_places")
    return make_points(world.places, np.setdiff1d(found[-1], known), profile=world.profile, rng=rng)


def end_of(day: int) -> int:
    """The last second of *day*."""
    return (day + 1) * DAY - 1
