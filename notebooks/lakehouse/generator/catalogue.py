"""Products and sellers: what can be ordered, and how their rows change from day to day."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.geography import Places
from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import generator, identifiers

_PRODUCT_NUMBERS = ("product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm")
_CHANGED_A_DAY = 0.0005  # share of the products, and of the sellers; at least one each


@dataclass(frozen=True)
class Catalogue:
    """Products with their sellers, ready to be drawn.

    `products` and `sellers` are tables with the columns of the Olist files, as text, null if empty. `category`
    (position in the profile's categories), `price_cents`, `seller` (row of `sellers`) and `popularity` (cumulative
    shares) have one value per product.
    """

    products: pa.Table
    sellers: pa.Table
    category: np.ndarray
    price_cents: np.ndarray
    seller: np.ndarray
    popularity: np.ndarray

    def draw(self, chance: np.ndarray) -> np.ndarray:
        """Rows of `products`, one for each number of *chance* in [0, 1); what sells more is drawn more often."""
        return np.minimum(np.searchsorted(self.popularity, chance, side="right"), len(self.popularity) - 1)


def make_catalogue(profile: Profile, places: Places, *, seed: int, orders: int) -> Catalogue:
    """The products and sellers of a world with *orders* orders in its initial load."""
    # The exponents reproduce Olist's numbers for its 99,441 orders: 3,095 sellers and 32,951 products.
    sellers = max(20, round(3 * orders**0.603))
    products = max(60, round(orders**0.904), sellers)
    weight = _seller_weights(profile, sellers)
    rng = generator(seed, 0, "products")
    seller = np.concatenate([np.arange(sellers), np.searchsorted(np.cumsum(weight), rng.random(products - sellers))])
    seller = np.minimum(seller, sellers - 1)
    share = rng.lognormal(0, 0.8, products)
    share *= weight[seller] / np.bincount(seller, share, minlength=sellers)[seller]
    category, chance = _stratify(profile, share, rng)
    price = np.maximum(1, np.rint(profile.draw_by_category("price", category, chance) * 100)).astype(np.int64)
    return Catalogue(
        products=_product_rows(profile, category, chance, seed=seed),
        sellers=_seller_rows(places, sellers, seed=seed),
        category=category,
        price_cents=price,
        seller=seller,
        popularity=np.cumsum(share) / share.sum(),
    )


def product_changes(products: pa.Table, *, seed: int, day: int) -> dict[int, dict[str, str]]:
    """The changes in the rows of *products* on *day*: row -> column -> new value."""
    rng = generator(seed, day, "product_changes")
    rows = rng.choice(products.num_rows, size=_daily(products.num_rows), replace=False)
    changes = {}
    for row, kind, factor in zip(rows.tolist(), rng.integers(0, 3, len(rows)), rng.random(len(rows)), strict=True):
        if kind == 0:  # weighed and measured again
            changes[row] = {
                name: str(max(1, round(float(products[name][row].as_py() or 10) * (0.8 + 0.4 * factor))))
                for name in _PRODUCT_NUMBERS
            }
        elif kind == 1:
            changes[row] = {"product_photos_qty": str(1 + int(6 * factor))}
        else:  # described anew
            lengths = {
                "product_name_lenght": 30 + int(30 * factor),
                "product_description_lenght": 150 + int(1500 * factor),
            }
            changes[row] = {name: str(length) for name, length in lengths.items()}
    return changes


def seller_changes(sellers: pa.Table, places: Places, *, seed: int, day: int) -> dict[int, dict[str, str]]:
    """The sellers that move on *day*: row of *sellers* -> column -> new value."""
    rng = generator(seed, day, "seller_changes")
    rows = rng.choice(sellers.num_rows, size=_daily(sellers.num_rows), replace=False)
    target = places.of_sellers(rng.random(len(rows)))
    return {
        row: {
            "seller_zip_code_prefix": str(places.prefix[at]),
            "seller_city": str(places.city[at]),
            "seller_state": str(places.state[at]),
        }
        for row, at in zip(rows.tolist(), target, strict=True)
    }


def apply_row_changes(table: pa.Table, days: list[dict[int, dict[str, str]]]) -> pa.Table:
    """The rows that the last of *days* changes, complete, after the changes of all *days* in order."""
    rows = sorted(days[-1])
    columns = {}
    for name in table.column_names:
        values = table[name].take(pa.array(rows, pa.int64())).to_pylist()
        for changes in days:
            values = [changes.get(row, {}).get(name, value) for row, value in zip(rows, values, strict=True)]
        columns[name] = pa.array(values, pa.string())
    return pa.table(columns)


def _daily(rows: int) -> int:
    return min(rows, max(1, round(rows * _CHANGED_A_DAY)))


def _seller_weights(profile: Profile, count: int) -> np.ndarray:
    edges = profile.draw("seller_concentration", np.linspace(0, 1, count + 1))
    weights = np.maximum(np.diff(edges), 0.01 / count)
    return weights / weights.sum()


def _stratify(profile: Profile, share: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Assign each product a category and a chance (its position on the curves of its category).

    The products are laid side by side, each as wide as its share of the sales: the categories and prices of what is
    *sold* then follow the profile even though a few products account for most sales.
    """
    order = rng.permutation(len(share))
    middle = np.cumsum(share[order]) - share[order] / 2
    category = np.empty(len(share), dtype=np.int64)
    category[order] = profile.pick("category", middle / share.sum())
    shuffled = rng.permutation(len(order))
    order = shuffled[np.argsort(category[shuffled], kind="stable")]
    total = np.bincount(category, share)
    before = np.cumsum(share[order]) - share[order] / 2 - (np.cumsum(total) - total)[category[order]]
    chance = np.empty(len(share))
    chance[order] = np.clip(before / total[category[order]], 0, 1)
    return category, chance


def _product_rows(profile: Profile, category: np.ndarray, chance: np.ndarray, *, seed: int) -> pa.Table:
    count = len(category)
    rng = generator(seed, 0, "texts")
    # Expensive products are often heavier: half position on the price curve, half chance.
    heavy = np.where(rng.random(count) < 0.5, chance, rng.random(count))
    numbers = {
        "product_name_lenght": profile.draw("product_name_lenght", rng.random(count)),
        "product_description_lenght": profile.draw("product_description_lenght", rng.random(count)),
        "product_photos_qty": profile.pick_number("product_photos_qty", rng.random(count)),
        "product_weight_g": profile.draw_by_category("weight_g", category, heavy),
    } | {
        f"product_{side}": profile.draw(f"product_{side}", rng.random(count))
        for side in ("length_cm", "height_cm", "width_cm")
    }
    texts = {name: pa.array(np.rint(values).astype(np.int64)).cast(pa.string()) for name, values in numbers.items()}
    names = pa.array(np.array(profile.categories))
    has_category = pa.array(np.array([name != "" for name in profile.categories])[category])
    # As in the real data, a product without a category has no description either.
    for name in ("product_name_lenght", "product_description_lenght", "product_photos_qty"):
        texts[name] = _where(has_category, texts[name])
    ids = identifiers(seed, "product_id", 0, np.arange(count))
    return pa.table(
        {"product_id": ids, "product_category_name": _where(has_category, names.take(pa.array(category)))} | texts
    )


def _where(mask: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(mask, values, pa.scalar(None, pa.string()))


def _seller_rows(places: Places, count: int, *, seed: int) -> pa.Table:
    at = places.of_sellers((np.arange(count) + generator(seed, 0, "sellers").random(count)) / count)
    at = generator(seed, 1, "sellers").permutation(at)
    return pa.table(
        {
            "seller_id": identifiers(seed, "seller_id", 0, np.arange(count)),
            "seller_zip_code_prefix": pa.array(places.prefix[at]),
            "seller_city": pa.array(places.city[at]),
            "seller_state": pa.array(places.state[at]),
        }
    )
