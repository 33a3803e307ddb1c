"""Real Olist files: checked before anything lands, and read back from the volume for the days on top of them."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lakehouse.errors import LakehouseError
from lakehouse.generator.catalogue import Catalogue
from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.geography import places_of_source
from lakehouse.generator.lives import DAY, LONGEST_LIFE_DAYS, NEVER, STAGES, STATUSES, Lives
from lakehouse.generator.profile import Profile
from lakehouse.generator.randomness import generator
from lakehouse.generator.reading import RowReader
from lakehouse.generator.volume import BatchFile, Volume
from lakehouse.generator.world import UnfinishedOrders, World, on_top_of

# The columns that a world on top of the files needs.
_COLUMNS = {entity: COLUMNS[entity] for entity in ("products", "sellers", "orders")} | {
    "order_items": ("product_id", "seller_id", "price"),
    "customers": COLUMNS["customers"][2:],
    "geolocation": COLUMNS["geolocation"][:1],
}


class SourceError(LakehouseError):
    """Raised when the source folder does not have the eight Olist files; nothing has landed then."""


class SourceFile(NamedTuple):
    """Where a real file is, and its size in bytes."""

    path: str
    size: int


class _Folder(NamedTuple):
    """A folder that was found, and the sizes of its entries by name."""

    path: str
    sizes: dict[str, int]


def source_file(entity: str) -> str:
    """Kaggle's name for the file of *entity*."""
    return f"olist_{entity}_dataset.csv"


def check_source(volume: Volume, source: str) -> dict[str, SourceFile]:
    """The file of each entity in the folder *source*.

    Additional columns, or another column order, are left to bronze.

    Raises:
        SourceError: the folder or a file is missing, or a file lacks a column.
    """
    folder, sizes = _find_folder(volume, source)
    missing = [source_file(entity) for entity in COLUMNS if source_file(entity) not in sizes]
    if missing:
        raise SourceError(
            f"Source folder `{source}`: found no `{'`, `'.join(missing)}`, expected Olist's eight files. "
            "Add them, or leave `source` empty for generated data.",
            folder=source,
            files=missing,
        )
    for entity in COLUMNS:
        _check_header(volume, f"{folder}/{source_file(entity)}", entity)
    return {entity: SourceFile(f"{folder}/{source_file(entity)}", sizes[source_file(entity)]) for entity in COLUMNS}


def read_source_rows(read: RowReader, files: list[BatchFile]) -> dict[str, pd.DataFrame]:
    """What a world needs from the landed real *files*: by entity, as text with None if empty."""
    found = read(files, _COLUMNS)
    return {entity: found[entity].select(names).to_pandas().astype(object) for entity, names in _COLUMNS.items()}


def world_of_source(world: World, rows: dict[str, pd.DataFrame]) -> World:
    """The *world* with the products, sellers, places and unfinished orders of the real *rows*.

    Args:
        rows: from `read_source_rows`; their order does not matter.
    """

    def sorted_rows(entity: str) -> pd.DataFrame:
        names = list(_COLUMNS[entity])
        return rows[entity][names].sort_values(names, na_position="first", ignore_index=True)

    products = sorted_rows("products").dropna(subset="product_id").drop_duplicates("product_id", ignore_index=True)
    sellers = sorted_rows("sellers").dropna(subset="seller_id").drop_duplicates("seller_id", ignore_index=True)
    items = sorted_rows("order_items")
    customers = _table(sorted_rows("customers").dropna())
    for entity, usable in (("products", products), ("sellers", sellers), ("customers", customers)):
        if len(usable) == 0:
            raise SourceError(
                f"`{source_file(entity)}`: found no usable row, expected some: a further day refers to them. "
                "Correct the file, reset the catalog and land again.",
                entity=entity,
            )
    known = set(rows["geolocation"]["geolocation_zip_code_prefix"])
    orders = sorted_rows("orders")
    bought = pd.to_datetime(orders["order_purchase_timestamp"], errors="coerce")
    days = (bought.max() - bought.min()).days + 1 if bought.notna().any() else 1
    return on_top_of(
        world,
        places=places_of_source(customers, _table(sellers.dropna()), known, world.places),
        catalogue=catalogue_of_source(world.profile, products, sellers, items),
        orders_a_day=len(orders) / days,
        unfinished=unfinished_orders(orders, first_day=world.settings.first_day, seed=world.settings.seed),
    )


def catalogue_of_source(
    profile: Profile, products: pd.DataFrame, sellers: pd.DataFrame, items: pd.DataFrame
) -> Catalogue:
    """Real products, each with its sales frequency, median price and most frequent seller in *items*.

    All frames contain text. A product that was never sold is not sold later either, unless none was sold.
    """
    items = items.assign(price=pd.to_numeric(items["price"], errors="coerce")).dropna()
    items = items[items["product_id"].isin(products["product_id"]) & items["seller_id"].isin(sellers["seller_id"])]
    sold = items.groupby("product_id")
    price = products["product_id"].map(sold["price"].median()).fillna(0)
    most = items.groupby(["product_id", "seller_id"]).size().reset_index(name="items")
    most = most.sort_values(["items", "seller_id"], ascending=[False, True]).drop_duplicates("product_id")
    row_of_seller = pd.Series(sellers.index, index=sellers["seller_id"])
    seller = products["product_id"].map(most.set_index("product_id")["seller_id"]).map(row_of_seller).fillna(0)
    sales: np.ndarray = products["product_id"].map(sold.size()).fillna(0).to_numpy(dtype=np.float64)
    sales = sales if sales.any() else np.ones(len(sales))
    position = {name: at for at, name in enumerate(profile.categories)}
    unknown = position.get("", 0)
    category = [position.get(name or "", unknown) for name in products["product_category_name"]]
    return Catalogue(
        products=_table(products),
        sellers=_table(sellers),
        category=np.array(category, dtype=np.int64),
        price_cents=np.rint(price.to_numpy(dtype=np.float64) * 100).astype(np.int64),
        seller=seller.to_numpy(dtype=np.int64),
        popularity=np.cumsum(sales) / sales.sum(),
    )


def unfinished_orders(orders: pd.DataFrame, *, first_day: int, seed: int) -> UnfinishedOrders:
    """How the real orders continue that were under way when the files landed.

    Only orders of the last half year before *first_day*: older ones are lost, later ones are not known yet. Four in
    five arrive, one in ten is canceled, the others stay as they are. What the files say about an order's past is kept.
    """
    rows = orders[orders["order_status"].isin(STAGES[:-1])].sort_values("order_id", ignore_index=True)
    moments = {name: _moments(rows[name]) for name in COLUMNS["orders"][3:]}
    bought, limit = moments["order_purchase_timestamp"], moments["order_estimated_delivery_date"]
    start = (first_day + 1) * DAY
    stage = rows["order_status"].map(STAGES.index).to_numpy(dtype=np.int64)
    rng = generator(seed, first_day, "source_orders")
    past = [bought, moments["order_approved_at"], None, None, moments["order_delivered_carrier_date"]]
    latest = np.max([np.where(m == NEVER, 0, m) for m in past if m is not None], axis=0)
    recent = (bought != NEVER) & (limit != NEVER) & (bought >= start - LONGEST_LIFE_DAYS * DAY) & (latest < start)
    # Future steps, one after the other, from the end of the first day on.
    steps = rng.integers(DAY // 2, (DAY, 3 * DAY, DAY, DAY, 2 * DAY, 8 * DAY), size=(len(rows), 6))
    due = start + np.cumsum(np.where(np.arange(6) > stage[:, None], steps, 0), axis=1)
    fate = rng.choice([5, 6, -1], p=[0.8, 0.1, 0.1], size=len(rows))
    reached = [_reached(at, stage, past[at] if at < 5 else None, bought) for at in range(6)]
    life = [np.where(stage >= at, reached[at], np.where(fate == 5, due[:, at], NEVER)) for at in range(6)]
    lives = Lives(
        fate=np.where(fate == -1, stage, fate),
        payment_type=np.zeros(len(rows), dtype=np.int64),
        purchased=life[0], approved=life[1], invoiced=life[2], processing=life[3], shipped=life[4], delivered=life[5],
        closed=np.where(fate == STATUSES.index("canceled"), due[:, 5], NEVER),
        on_time_limit=limit, approval=life[1], delivery=life[5],
    )  # fmt: skip
    ids = _table(rows[["order_id", "customer_id"]]).filter(pa.array(recent))
    return UnfinishedOrders(lives.take(recent), ids)


def _reached(at: int, stage: np.ndarray, told: np.ndarray | None, bought: np.ndarray) -> np.ndarray:
    """The time of a past stage: the one in the file, otherwise that of the purchase."""
    return bought if told is None else np.where(told == NEVER, bought, told)


def _find_folder(volume: Volume, source: str) -> _Folder:
    """The folder as given or, for a plain absolute path, on this machine."""
    given = source.rstrip("/")
    tried = [given, f"file:{given}"] if given.startswith("/") and not given.startswith("/Volumes/") else [given]
    problem = "no such folder"
    for folder in tried:
        try:
            sizes = volume.sizes(folder)
        except Exception as error:  # the next form of the path may work; if none does, this is reported
            problem = str(error)
            continue
        if sizes is not None:
            return _Folder(folder, sizes)
    raise SourceError(
        f"Source folder `{source}`: found {problem}, expected a folder with Olist's eight files. "
        "Give its absolute path with `file:` before it, or a volume path.",
        folder=source,
    )


def _check_header(volume: Volume, path: str, entity: str) -> None:
    names = volume.header(path)
    missing = [name for name in COLUMNS[entity] if name not in names]
    if missing:
        raise SourceError(
            f"`{path}`: found no column `{'`, `'.join(missing)}` in the header, expected "
            f"`{','.join(COLUMNS[entity])}`. Correct the file; nothing has landed.",
            file=path,
            columns=missing,
        )


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.table({name: pa.array(frame[name].tolist(), pa.string()) for name in frame.columns})


def _moments(texts: pd.Series) -> np.ndarray:
    """Seconds since 1970 UTC; `NEVER` for what is empty or not a timestamp."""
    found = pd.to_datetime(texts, errors="coerce")
    seconds = found.to_numpy(dtype="datetime64[s]").astype(np.int64)
    return np.where(found.isna(), NEVER, seconds)
