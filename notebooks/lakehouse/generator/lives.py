"""The whole life of each order of a day, fixed when it is bought, and what is known of it at a given time.

Times are whole seconds since 1970-01-01 UTC; `NEVER` stands for what does not happen. Because a life depends only on
the seed and the day of purchase, later days need no memory: they draw it again and look at a later time.
"""

from dataclasses import dataclass, fields

import numpy as np

from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import generator

NEVER = np.iinfo(np.int64).max
DAY = 86_400
LONGEST_LIFE_DAYS = 180  # nothing happens to an order later than so many days after its purchase
_FOLLOWS_DISTANCE = 0.5  # share of the orders whose transport time is determined by their distance

# The states of an order in sequence; the last two can follow any other.
STAGES = ("created", "approved", "invoiced", "processing", "shipped", "delivered")
STATUSES = (*STAGES, "canceled", "unavailable")


@dataclass(frozen=True)
class Lives:
    """One row per order, in the order of purchase. All columns except `status` and `payment_type` are times.

    `fate` is the position in `STATUSES` of the order's final status, `payment_type` the position in the profile's
    `single_payment_type`. `on_time_limit` is the estimated delivery, a midnight. `approval` and `delivery` are when
    these are due, even if they never happen.
    """

    fate: np.ndarray
    payment_type: np.ndarray
    purchased: np.ndarray
    approved: np.ndarray
    invoiced: np.ndarray
    processing: np.ndarray
    shipped: np.ndarray
    delivered: np.ndarray
    closed: np.ndarray
    on_time_limit: np.ndarray
    approval: np.ndarray
    delivery: np.ndarray

    def __len__(self) -> int:
        return len(self.fate)

    def take(self, rows: np.ndarray) -> "Lives":
        """The lives at the positions *rows* (or where *rows* is True)."""
        return Lives(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def draw_lives(profile: Profile, *, seed: int, day: int, count: int) -> Lives:
    """The lives of the *count* orders bought on *day* (days since 1970-01-01)."""
    rng = generator(seed, day, "lives")
    second = profile.pick_number("hour", rng.random(count)) * 3600 + rng.integers(0, 3600, count)
    purchased = day * DAY + np.sort(second)
    fate = np.array([STATUSES.index(name) for name in profile.values("order_status")])
    fate = fate[profile.pick("order_status", rng.random(count))]
    payment_type = profile.pick("single_payment_type", rng.random(count))
    distance = rng.random(count)  # customers who live far away get a later estimate, and wait longer
    limit = day * DAY + DAY * profile.pick_number("estimated_days", distance)
    delivery = _delivery(profile, rng, purchased, limit, distance)
    approval = purchased + _approval(profile, rng, payment_type, delivery - purchased)
    carrier = DAY * profile.draw("carrier_days", rng.random(count))
    shipping = approval + np.minimum(carrier, 0.8 * (delivery - approval)).astype(np.int64)
    step = (shipping - approval) // 4
    return _end(
        Lives(
            fate=fate,
            payment_type=payment_type,
            purchased=purchased,
            approved=approval,
            invoiced=approval + step,
            processing=approval + 2 * step,
            shipped=shipping,
            delivered=delivery,
            closed=np.full(count, NEVER),
            on_time_limit=limit,
            approval=approval,
            delivery=delivery,
        ),
        profile,
        rng,
    )


def stage_at(lives: Lives, moment: int) -> np.ndarray:
    """Positions in `STATUSES` at the time *moment*; -1 for an order that has not been bought yet."""
    reached = [getattr(lives, name) <= moment for name in ("purchased", *STAGES[1:])]
    stage = np.sum(reached, axis=0) - 1
    return np.where((lives.closed <= moment) & (stage >= 0), lives.fate, stage)


def _delivery(
    profile: Profile, rng: np.random.Generator, purchased: np.ndarray, limit: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """When each order arrives: late orders so many days after the limit, the others so many days after the purchase."""
    count = len(purchased)
    late = rng.random(count) < profile.rate("late")
    after_limit = limit + (DAY * profile.draw("late_days", rng.random(count))).astype(np.int64)
    chance = np.where(rng.random(count) < _FOLLOWS_DISTANCE, distance, rng.random(count))
    after_purchase = purchased + (DAY * profile.draw("on_time_days", chance)).astype(np.int64)
    # A duration that is too long for the order's limit is replaced by a fraction of what the limit allows.
    within = purchased + (rng.uniform(0.4, 0.95, count) * (limit - purchased)).astype(np.int64)
    on_time = np.where(after_purchase < limit, after_purchase, within)
    return np.minimum(np.where(late, after_limit, on_time), purchased + LONGEST_LIFE_DAYS * DAY)


def _approval(profile: Profile, rng: np.random.Generator, payment_type: np.ndarray, life: np.ndarray) -> np.ndarray:
    chance = rng.random(len(payment_type))
    slow = payment_type == profile.values("single_payment_type").index("boleto")
    hours = np.where(
        slow, profile.draw("approval_hours_boleto", chance), profile.draw("approval_hours_credit_card", chance)
    )
    return np.minimum(hours * 3600, 0.5 * life).astype(np.int64)


def _end(lives: Lives, profile: Profile, rng: np.random.Generator) -> Lives:
    """Cut short the lives of the orders that are not delivered."""
    fate, count = lives.fate, len(lives)
    last = np.where(fate < len(STAGES), fate, len(STAGES) - 1)
    reach, part = rng.random(count), rng.uniform(0.1, 0.9, count)
    canceled = fate == STATUSES.index("canceled")
    shipped = reach < profile.rate("canceled_shipped")
    approved = reach < profile.rate("canceled_approved")
    last = np.where(canceled, np.where(shipped, 4, np.where(approved, 1, 0)), last)
    unavailable = fate == STATUSES.index("unavailable")
    last = np.where(unavailable, 1, last)
    stages = [lives.purchased, lives.approved, lives.invoiced, lives.processing, lives.shipped, lives.delivered]
    following = {0: 1, 1: 4, 4: 5}  # the status that would have come next, if any
    start, until = (
        np.select([last == at for at in following], values)
        for values in ([stages[at] for at in following], [stages[at] for at in following.values()])
    )
    closed = np.where(canceled | unavailable, start + (part * (until - start)).astype(np.int64) + 1, NEVER)
    cut = [np.where(last >= at, stage, NEVER) for at, stage in enumerate(stages)]
    return Lives(
        fate=fate, payment_type=lives.payment_type, purchased=cut[0], approved=cut[1], invoiced=cut[2],
        processing=cut[3], shipped=cut[4], delivered=cut[5], closed=closed, on_time_limit=lives.on_time_limit,
        approval=lives.approval, delivery=lives.delivery,
    )  # fmt: skip
