"""What belongs to the orders of a day: customers, items, payments and reviews."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.generator.catalogue import Catalogue
from lakehouse.generator.columns import counts, money, timestamps
from lakehouse.generator.geography import Places
from lakehouse.generator.lives import DAY, NEVER, STATUSES, Lives, stage_at
from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import fractions, generator, identifiers
from lakehouse.generator.texts import Texts
from lakehouse.generator.world import Orders


@dataclass(frozen=True)
class Items:
    """The ordered items of a day, one row per item, sorted by order: amounts in cents.

    `listed` is False for the items of canceled and unavailable orders that never came into the items file; their
    payments exist all the same, as in the real data.
    """

    order: np.ndarray
    number: np.ndarray
    product: np.ndarray
    price: np.ndarray
    freight: np.ndarray
    limit: np.ndarray
    listed: np.ndarray


class Asked(NamedTuple):
    """When each review was requested (*created*, a midnight), and its *score*."""

    created: np.ndarray
    score: np.ndarray


def order_ids(seed: int, day: int, index: np.ndarray) -> pa.Array:
    """The ids of the orders at the positions *index* of *day*."""
    return identifiers(seed, "order_id", day, index)


def homes(places: Places, persons: Orders, *, seed: int, new_share: float) -> np.ndarray:
    """The homes of the *persons*, as positions in *places*: a function of the person only."""
    return places.of_customers(fractions(seed, "customer_place", *persons), new_share)


def customer_rows(places: Places, orders: Orders, persons: Orders, at: np.ndarray, *, seed: int) -> pa.Table:
    """One row per order, as in Olist: `customer_id` belongs to the order, `customer_unique_id` to the person.

    Args:
        persons: the buyer of each of the *orders*.
        at: the person's home, a position in *places*.
    """
    return pa.table(
        {
            "customer_id": identifiers(seed, "customer_id", *orders),
            "customer_unique_id": identifiers(seed, "customer_unique_id", *persons),
            "customer_zip_code_prefix": pa.array(places.prefix[at]),
            "customer_city": pa.array(places.city[at]),
            "customer_state": pa.array(places.state[at]),
        }
    )


def draw_items(profile: Profile, catalogue: Catalogue, *, seed: int, day: int, lives: Lives) -> Items:
    """The items of all orders of a day."""
    rng = generator(seed, day, "items")
    per_order = profile.pick_number("items_per_order", rng.random(len(lives)))
    order = np.repeat(np.arange(len(lives)), per_order)
    first = np.cumsum(per_order) - per_order
    number = np.arange(len(order)) - first[order] + 1
    product = catalogue.draw(rng.random(len(order)))
    same = (rng.random(len(lives)) < profile.rate("several_items_one_product"))[order]
    product = np.where(same, product[first[order]], product)
    category = catalogue.category[product]
    freight = np.rint(profile.draw_by_category("freight", category, rng.random(len(order))) * 100).astype(np.int64)
    # Identical items of an order have identical freight.
    freight = np.where(same, freight[first[order]], freight)
    days = profile.pick_number("shipping_limit_days", rng.random(len(lives)))
    rate = np.ones(len(STATUSES))
    for name in ("canceled", "unavailable"):
        rate[STATUSES.index(name)] = profile.rate(f"{name}_with_items")
    listed = rng.random(len(lives)) < rate[lives.fate]
    limit = lives.approval + DAY * days
    price = catalogue.price_cents[product]
    return Items(order, number, product, price, freight, limit[order], listed[order])


def item_rows(items: Items, catalogue: Catalogue, ids: pa.Array) -> pa.Table:
    """The rows of the items file; *ids* are the order ids of the day."""
    order, product = items.order[items.listed], items.product[items.listed]
    return pa.table(
        {
            "order_id": ids.take(pa.array(order)),
            "order_item_id": counts(items.number[items.listed]),
            "product_id": catalogue.products["product_id"].combine_chunks().take(pa.array(product)),
            "seller_id": catalogue.sellers["seller_id"].combine_chunks().take(pa.array(catalogue.seller[product])),
            "shipping_limit_date": timestamps(items.limit[items.listed]),
            "price": money(items.price[items.listed]),
            "freight_value": money(items.freight[items.listed]),
        }
    )


def payment_rows(profile: Profile, items: Items, ids: pa.Array, *, seed: int, day: int, lives: Lives) -> pa.Table:
    """The payments of a day: one or more per order, which sum exactly to its items and freight.

    The first of several is usually by credit card, the others are vouchers.
    """
    rng = generator(seed, day, "payments")
    total = np.bincount(items.order, items.price + items.freight, minlength=len(lives)).astype(np.int64)
    parts = profile.pick_number("payments_per_order", rng.random(len(lives)))
    order = np.repeat(np.arange(len(lives)), parts)
    sequential = np.arange(len(order)) - (np.cumsum(parts) - parts)[order] + 1
    kinds = profile.values("single_payment_type")
    card, voucher = kinds.index("credit_card"), kinds.index("voucher")
    kind = np.where(parts[order] == 1, lives.payment_type[order], np.where(sequential == 1, card, voucher))
    # Each voucher pays part of an equal share; the first payment covers the rest.
    value = (total[order] * rng.uniform(0.2, 1.0, len(order)) / parts[order]).astype(np.int64)
    vouchers = np.where(sequential > 1, value, 0)
    value = np.where(sequential == 1, total[order] - np.bincount(order, vouchers).astype(np.int64)[order], value)
    instalments = profile.pick_number("credit_card_instalments", rng.random(len(order)))
    return pa.table(
        {
            "order_id": ids.take(pa.array(order)),
            "payment_sequential": counts(sequential),
            "payment_type": pa.array(np.array(kinds)[kind]),
            "payment_installments": counts(np.where(kind == card, instalments, 1)),
            "payment_value": money(value),
        }
    )


def review_rows(
    profile: Profile, texts: Texts, *, seed: int, day: int, lives: Lives, after: int, until: int
) -> pa.Table:
    """The reviews of orders bought on *day* that were answered after the time *after* and no later than *until*.

    A review is requested when the order arrives, or two days after it should have; it exists from its answer on.
    """
    rng = generator(seed, day, "reviews")
    final = stage_at(lives, NEVER - 1)
    rate = np.full(len(STATUSES), profile.rate("reviewed_shipped"))
    for name in ("delivered", "canceled", "unavailable"):
        rate[STATUSES.index(name)] = profile.rate(f"reviewed_{name}")
    wanted = rng.random(len(lives)) < rate[final]
    twice = rng.random(len(lives)) < profile.rate("second_review")
    order = np.repeat(np.arange(len(lives)), wanted * (1 + twice))
    second = np.concatenate([[False], order[1:] == order[:-1]]) if len(order) else np.zeros(0, dtype=bool)
    created, score = _asked(profile, rng, lives.take(order))
    created = np.where(second, created + DAY * rng.integers(1, 6, len(order)), created)
    answer = profile.draw("review_answer_days", rng.random(len(order)))
    answered = created + (DAY * np.clip(answer, 0.1, 30)).astype(np.int64)
    # Occasionally one review covers two orders: it then has the id of the review before it.
    shared = (rng.random(len(order)) < profile.rate("review_of_two_orders")) & ~second
    own = np.arange(len(order))
    number = np.where(shared & (own > 0), own - 1, own)
    columns = {
        "review_id": identifiers(seed, "review_id", day, number),
        "order_id": order_ids(seed, day, order),
        "review_score": counts(score),
        "review_comment_title": texts.titles(profile, score, rng),
        "review_comment_message": texts.messages(profile, score, rng),
        "review_creation_date": timestamps(created),
        "review_answer_timestamp": timestamps(answered),
    }
    return pa.table(columns).filter(pa.array((answered > after) & (answered <= until)))


def _asked(profile: Profile, rng: np.random.Generator, lives: Lives) -> Asked:
    """When reviews were requested, and their scores: worse for late deliveries, worst for missing ones."""
    arrived = lives.delivered < NEVER
    late = arrived & (lives.delivered > lives.on_time_limit)
    chance = rng.random(len(lives))
    scores = [profile.pick_number(f"review_score_{name}", chance) for name in ("undelivered", "late", "on_time")]
    score = np.select([~arrived, late], scores[:2], scores[2])
    days = profile.pick_number("review_after_days", rng.random(len(lives)))
    overdue = lives.on_time_limit + 2 * DAY
    waited = (np.where(arrived, lives.delivered, 0) // DAY + days) * DAY
    return Asked(np.where(arrived, np.minimum(waited, overdue), overdue), score)
