"""How the values of a key change: a customer or seller moves, a product is weighed again, moved or photographed."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import table_of

# The columns that change; any of them may become NULL and have a value again.
FREE = {
    "customers": ("customer_zip_code_prefix", "customer_city", "customer_state"),
    "products": ("product_category_name", "product_photos_qty", "product_weight_g"),
    "sellers": ("seller_zip_code_prefix", "seller_city", "seller_state"),
}
FEED_ENTITIES = tuple(FREE)
# Used if the first rows have fewer than two values: for files of a few lines.
_SPARE = {
    "customers": {
        "customer_zip_code_prefix": ["01001", "20010"],
        "customer_city": ["sao paulo", "rio de janeiro"],
        "customer_state": ["SP", "RJ"],
    },
    "products": {"product_category_name": ["perfumaria", "brinquedos"]},
    "sellers": {
        "seller_zip_code_prefix": ["01001", "20010"],
        "seller_city": ["sao paulo", "rio de janeiro"],
        "seller_state": ["SP", "RJ"],
    },
}
_NULL = np.array(None)
_HEAVIEST = 40_000  # in g; the most that Olist's carriers accept


class Variety:
    """The values that rows of *entity* may change to: those in its first *rows*, and what follows from them.

    A changed row always differs from what it was before.
    """

    def __init__(self, entity: str, rows: pa.Table) -> None:
        self.entity = entity
        self._pooled = list(FREE[entity][:1] if entity == "products" else FREE[entity])
        pool = rows.select(self._pooled).drop_null().group_by(self._pooled).aggregate([]).to_pandas()
        pool = pool.sort_values(self._pooled, ignore_index=True)
        spare = pd.DataFrame(_SPARE[entity], dtype=object)
        self._pool = pool if len(pool) > 1 else spare

    def changed(self, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """*rows* with other values, changed as in real life."""
        if self.entity != "products":
            return self._from_pool(rows, rng)
        what = rng.integers(0, 3, size=len(rows))
        sold, photos, weighed = self._from_pool(rows, rng), _more_photos(rows), _weighed(rows, rng)
        return either(what == 0, sold, either(what == 1, photos, weighed))

    def emptied(self, rows: pd.DataFrame, rng: np.random.Generator, columns: tuple[str, ...]) -> pd.DataFrame:
        """*rows* with one of *columns* set to NULL, or to a value if it is already NULL."""
        what = rng.integers(0, len(columns), size=len(rows))
        filled = self._from_pool(rows, rng)
        if self.entity == "products":
            filled = _weighed(_more_photos(filled), rng)
        rows = rows.copy()
        for at, name in enumerate(columns):
            here = what == at
            rows[name] = np.where(here, np.where(rows[name].isna(), filled[name], _NULL), rows[name])
        return rows

    def _from_pool(self, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        at = rng.integers(0, len(self._pool), size=len(rows))
        old = rows[self._pooled].fillna("").to_numpy()
        pool = self._pool.to_numpy()
        same = (pool[at] == old).all(axis=1)
        rows = rows.copy()
        rows[self._pooled] = pool[(at + same) % len(pool)]
        return rows


def _more_photos(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(product_photos_qty=_text(_numbers(rows, "product_photos_qty", 0) + 1, rows))


def _weighed(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    old = _numbers(rows, "product_weight_g", 500)
    new = np.clip(np.rint(old * rng.uniform(0.5, 2.0, size=len(rows))).astype(np.int64), 1, _HEAVIEST)
    return rows.assign(product_weight_g=_text(np.where(new == old, old + 1, new), rows))


def _numbers(rows: pd.DataFrame, name: str, missing: int) -> np.ndarray:
    return rows[name].fillna(str(missing)).to_numpy().astype(np.int64)


def _text(numbers: np.ndarray, rows: pd.DataFrame) -> pd.Series:
    return pd.Series(numbers.astype(str), index=rows.index, dtype=object)


def either(choice: np.ndarray, rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Each row from *rows* if *choice* is true, otherwise from *others*."""
    mixed = np.where(choice[:, None], rows.to_numpy(dtype=object), others.to_numpy(dtype=object))
    return pd.DataFrame(mixed, columns=rows.columns, index=rows.index, dtype=object)


def usable_rows(entity: str, rows: pa.Table) -> pa.Table:
    """The landed *rows* with which a life can begin, one per key, sorted by key, each value as silver would write it.

    Rows without a key, or with an invalid number or zip prefix, are left out: a feed of valid events does not contain
    them.
    """
    names = list(COLUMNS[entity])
    rows = rows.select(names).combine_chunks()
    for at, name in enumerate(names):
        text = rows[name]
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
        rows = rows.set_column(at, name, text)
        if name.endswith("zip_code_prefix"):
            rows = rows.filter(_null_or_like(rows[name], "^[0-9]{4,5}$"))
            rows = rows.set_column(at, name, pc.utf8_lpad(rows[name], 5, "0"))
        elif name.endswith(("_lenght", "_qty", "_g", "_cm")):
            rows = rows.filter(_null_or_like(rows[name], "^[0-9]{1,9}$"))
            rows = rows.set_column(at, name, rows[name].cast(pa.int64()).cast(pa.string()))
    rows = rows.filter(pc.is_valid(rows[names[0]]))
    if pc.count_distinct(rows[names[0]]).as_py() < rows.num_rows:
        first = rows.to_pandas().astype(object).sort_values(names, na_position="first").drop_duplicates(names[0])
        rows = table_of(first)
    return rows.take(pc.sort_indices(rows, [(names[0], "ascending")]))


def _null_or_like(text: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.or_kleene(pc.is_null(text), pc.match_substring_regex(text, pattern))
