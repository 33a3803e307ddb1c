"""A world: everything that stays the same from the first landing on, generated again from its settings when needed."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from lakehouse.errors import ParameterError
from lakehouse.generator.catalogue import Catalogue, make_catalogue
from lakehouse.generator.geography import Places, make_places
from lakehouse.generator.lives import Lives
from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import fractions, generator, spread
from lakehouse.generator.texts import Texts

_EPOCH = date(1970, 1, 1)
_Days = TypeVar("_Days", int, np.ndarray)  # day numbers


@dataclass(frozen=True)
class Settings:
    """The parameters of the first landing, which later days keep.

    Attributes:
        first_run_date: business day of the first landing, as an ISO date.
        seed: the seed of all randomness.
        scale: number of orders in the initial load.
        history_days: number of days before the first run date on which the initial load begins.
        source: folder of the real files, or empty.
    """

    first_run_date: str
    seed: int
    scale: int
    history_days: int
    source: str

    def __post_init__(self) -> None:
        """Refuse numbers that do not make a world."""
        for name, least in (("scale", 1), ("history_days", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ParameterError(
                    f"Parameter `{name}`: found `{getattr(self, name)}`, expected a whole number from {least} on. "
                    "Correct it in the job or in the parameters cell.",
                    parameter=name,
                    value=getattr(self, name),
                )

    @property
    def first_day(self) -> int:
        """The first run date as a day number."""
        return day_number(self.first_run_date)

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)


class UnfinishedOrders(NamedTuple):
    """Real orders that may still go on: their *lives* and, in the same order, *ids*: `order_id` and `customer_id`."""

    lives: Lives
    ids: pa.Table


class Orders(NamedTuple):
    """Orders, each identified by its *day* and its *position* in it; a person is identified by the first order."""

    day: np.ndarray
    position: np.ndarray


@dataclass(frozen=True)
class World:
    """Profile, places, products and sellers, and the number of orders of each day.

    `initial` has the number of orders of each day of the initial load, the last of which is the first run date; it is
    empty on top of real files, which have `unfinished` orders.
    """

    settings: Settings
    profile: Profile
    places: Places
    catalogue: Catalogue
    texts: Texts
    initial: np.ndarray
    orders_a_day: float
    unfinished: UnfinishedOrders | None = None

    @property
    def initial_days(self) -> range:
        """Day numbers of the initial load."""
        return range(self.settings.first_day - len(self.initial) + 1, self.settings.first_day + 1)

    def order_count(self, day: int) -> int:
        """The number of orders that are bought on *day*."""
        days = self.initial_days
        if day in days:
            return int(self.initial[day - days.start])
        weekday = self.profile.weights("weekday")[_weekday(day)] * 7
        return max(1, int(generator(self.settings.seed, day, "counts").poisson(self.orders_a_day * weekday)))

    def orders(self, days: Iterable[int]) -> Orders:
        """All orders of *days*."""
        counts = {day: self.order_count(day) for day in days}
        day = np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))
        return Orders(day, np.concatenate([np.arange(count) for count in counts.values()]))

    def persons(self, orders: Orders) -> Orders:
        """The first order of the person of each of *orders*, usually the order itself: few people buy again."""
        edges = np.append(0, np.cumsum(self.initial))
        days_before = np.clip(orders.day - self.initial_days.start, 0, len(self.initial))
        before = edges[days_before]
        chance = fractions(self.settings.seed, "customer_unique_id", orders.day, orders.position)
        again = (chance < self.profile.rate("repeat_customer")) & (before > 0)
        nth = (chance / self.profile.rate("repeat_customer") * before).astype(np.int64)
        at = np.minimum(np.searchsorted(edges[1:], nth, side="right"), days_before - 1)
        day = np.where(again, self.initial_days.start + at, orders.day)
        return Orders(day, np.where(again, nth - edges[at], orders.position))


def make_world(profile: Profile, settings: Settings) -> World:
    """The synthetic world of *settings*."""
    places = make_places(profile, seed=settings.seed, orders=settings.scale)
    initial = _initial_counts(profile, settings)
    return World(
        settings=settings,
        profile=profile,
        places=places,
        catalogue=make_catalogue(profile, places, seed=settings.seed, orders=settings.scale),
        texts=Texts(settings.seed),
        initial=initial,
        orders_a_day=float(initial[-28:].mean()),
    )


def on_top_of(
    world: World, *, places: Places, catalogue: Catalogue, orders_a_day: float, unfinished: UnfinishedOrders
) -> World:
    """The world with real places, products and sellers, and without an initial load of its own."""
    nothing = np.zeros(0, dtype=np.int64)
    return replace(
        world, places=places, catalogue=catalogue, orders_a_day=orders_a_day, unfinished=unfinished, initial=nothing
    )


def day_number(iso_date: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(iso_date) - _EPOCH).days


def iso_date(day: int) -> str:
    """The date of a day number."""
    return date.fromordinal(_EPOCH.toordinal() + day).isoformat()


def _weekday(day: _Days) -> _Days:
    return (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0


def _initial_counts(profile: Profile, settings: Settings) -> np.ndarray:
    """Orders of each day: the profile's growth over the history, times its weekdays, exactly `scale` in total."""
    days = np.arange(settings.first_day - settings.history_days, settings.first_day + 1)
    tenth = np.arange(len(days)) * 10 // len(days)
    return spread(
        settings.scale, profile.weights("tenth_of_history")[tenth] * profile.weights("weekday")[_weekday(days)]
    )
