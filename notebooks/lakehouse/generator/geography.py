"""Where customers and sellers live: zip prefixes with their city, state and position."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from faker import Faker

from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import generator, spread

_MOST_PREFIXES = 19_000  # about as many as the whole Olist data set has
_CITIES_PER_REGION = 12
_NEW_PREFIXES = 64  # reserved: customers of days after the initial load move in there
_BRAZIL = ((-33.7, 5.2), (-73.9, -34.8))
_NEAR = 0.01  # degrees: points of one prefix are about a kilometre apart


@dataclass(frozen=True)
class Places:
    """One row per zip prefix, in the order of the prefixes; all columns have the same length."""

    prefix: np.ndarray  # 5 digits as text
    city: np.ndarray  # lower case without accents, as customers write it
    accented: np.ndarray  # the same city with its accents, as in some points
    state: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    customers: np.ndarray  # cumulative shares, the last is 1
    sellers: np.ndarray
    is_new: np.ndarray  # True: has no customers in the initial load

    def of_customers(self, chance: np.ndarray, new_share: float = 0.0) -> np.ndarray:
        """Positions of prefixes in which customers live, one for each number in [0, 1).

        The lowest *new_share* of the numbers yields new prefixes, which no customer of the initial load has.
        """
        new = np.flatnonzero(self.is_new)
        old_chance = np.clip((chance - new_share) / (1 - new_share), 0, 1)
        at = np.minimum(np.searchsorted(self.customers, old_chance, side="right"), len(self.prefix) - 1)
        if new_share == 0.0 or len(new) == 0:
            return at
        return np.where(chance < new_share, new[(chance / new_share * len(new)).astype(np.int64) % len(new)], at)

    def of_sellers(self, chance: np.ndarray) -> np.ndarray:
        """Positions of prefixes in which sellers live, one for each number in [0, 1)."""
        return np.minimum(np.searchsorted(self.sellers, chance, side="right"), len(self.prefix) - 1)


def make_places(profile: Profile, *, seed: int, orders: int) -> Places:
    """The prefixes of a world with *orders* orders in its initial load."""
    rng = generator(seed, 0, "places")
    regions = profile.regions
    customers = np.array([region["customers"] for region in regions])
    sellers = np.array([region["sellers"] for region in regions])
    wanted = min(_MOST_PREFIXES, max(len(regions) * 3, orders))
    counts = np.minimum(np.maximum(spread(wanted, customers + 0.1 * sellers), 3), 900)
    names = _city_names(seed, len(regions) * _CITIES_PER_REGION)
    region = np.repeat(np.arange(len(regions)), counts)
    number = np.concatenate([rng.choice(1000, size=count, replace=False) for count in counts])
    code = np.array([int(entry["region"]) for entry in regions])[region] * 1000 + number
    code, first = np.unique(code, return_index=True)  # two states may share two digits: a prefix belongs to one
    region = region[first]
    # A few cities have most of the prefixes of a region, as capitals do.
    city = region * _CITIES_PER_REGION + (rng.random(len(code)) ** 2 * _CITIES_PER_REGION).astype(np.int64)
    is_new = np.zeros(len(code), dtype=bool)
    is_new[rng.choice(len(code), size=min(_NEW_PREFIXES, len(code) // 4), replace=False)] = True
    return Places(
        prefix=np.char.zfill(code.astype(str), 5),
        city=np.array([_plain(name) for name in names])[city],
        accented=np.array(names)[city],
        state=np.array([entry["state"] for entry in regions])[region],
        latitude=_positions(rng, regions, region, "latitude", _BRAZIL[0]),
        longitude=_positions(rng, regions, region, "longitude", _BRAZIL[1]),
        customers=_cumulated(customers, region, ~is_new),
        sellers=_cumulated(sellers, region, ~is_new),
        is_new=is_new,
    )


def places_of_source(customers: pa.Table, sellers: pa.Table, known: set[str], made: Places) -> Places:
    """The prefixes of real *customers* and *sellers*, and the new ones of the *made* places that are not *known*.

    If a prefix has several spellings of its city, the alphabetically first is used.
    """
    fresh = [at for at in np.flatnonzero(made.is_new) if made.prefix[at] not in known]
    rows: dict[str, list[Any]] = {}
    for kind, table in enumerate((customers, sellers)):
        for prefix, city, state in zip(*(column.to_pylist() for column in table.columns[-3:]), strict=True):
            row = rows.setdefault(prefix, [(city, state), 0, 0])
            row[0] = min(row[0], (city, state))
            row[1 + kind] += 1
    ordered = [(prefix, *rows[prefix]) for prefix in sorted(rows)]
    ordered += [(made.prefix[at], (made.city[at], made.state[at]), 0, 0) for at in fresh]
    prefix, place, of_customers, of_sellers = (np.array(column) for column in zip(*ordered, strict=True))
    zeros = np.zeros(len(rows))
    return Places(
        prefix=prefix,
        city=place[:, 0],
        accented=place[:, 0],
        state=place[:, 1],
        latitude=np.concatenate([zeros, made.latitude[fresh]]),
        longitude=np.concatenate([zeros, made.longitude[fresh]]),
        customers=np.cumsum(of_customers) / max(1, of_customers.sum()),
        sellers=np.cumsum(of_sellers) / max(1, of_sellers.sum()),
        is_new=np.arange(len(ordered)) >= len(rows),
    )


def make_points(places: Places, chosen: np.ndarray, *, profile: Profile, rng: np.random.Generator) -> pa.Table:
    """The geolocation rows of the prefixes at the positions *chosen*: several points for each, in order."""
    count = profile.pick_number("points_per_prefix", rng.random(len(chosen)))
    has_points = rng.random(len(chosen)) >= profile.rate("prefix_without_points")
    at = np.repeat(chosen, np.where(has_points, count, 0))
    accents = rng.random(len(at)) < 0.15
    return pa.table(
        {
            "geolocation_zip_code_prefix": pa.array(places.prefix[at]),
            "geolocation_lat": pa.array(places.latitude[at] + rng.normal(0, _NEAR, len(at))),
            "geolocation_lng": pa.array(places.longitude[at] + rng.normal(0, _NEAR, len(at))),
            "geolocation_city": pa.array(np.where(accents, places.accented[at], places.city[at])),
            "geolocation_state": pa.array(places.state[at]),
        }
    )


def _city_names(seed: int, count: int) -> list[str]:
    faker = Faker("pt_BR")
    faker.seed_instance(seed)
    return [faker.city().lower() for _ in range(count)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _positions(
    rng: np.random.Generator, regions: list[dict[str, Any]], region: np.ndarray, axis: str, limits: tuple[float, float]
) -> np.ndarray:
    mean, spread_ = np.array([entry[axis] for entry in regions]).T
    return np.clip(rng.normal(mean[region], spread_[region]), *limits)


def _cumulated(shares: np.ndarray, region: np.ndarray, in_use: np.ndarray) -> np.ndarray:
    """Distribute each region's share equally to its prefixes; a region without any gives its share to all."""
    of_region = np.bincount(region[in_use], minlength=len(shares))
    weight = np.where(in_use, shares[region] / np.maximum(of_region[region], 1), 0.0)
    return np.cumsum(weight) / weight.sum()
