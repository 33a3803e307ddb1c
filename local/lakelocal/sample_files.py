"""Sample files of Databricks, below `/databricks-datasets`: generated in the state when they are first named.

The fields are Databricks' own, the values are made up, the same on every machine. Source: the README of
`/databricks-datasets/retail-org`, and the queries of Databricks' examples that read the files.
"""

import csv
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

_CUSTOMERS, _ORDERS = 200, 600
_FIRST_DAY = datetime(2019, 8, 1, tzinfo=UTC)
_NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Juniper", "Larch", "Maple", "Oak")
_FIRMS = ("audio", "radio shop", "electronics", "stereo", "hi-fi", "sound")
_CITIES = (
    ("CA", "Los Angeles", -118.24, 34.05), ("IL", "Chicago", -87.63, 41.88), ("NY", "New York", -74.01, 40.71),
    ("TX", "Austin", -97.74, 30.27), ("WA", "Seattle", -122.33, 47.61),
)  # fmt: skip
_PRODUCTS = (("AVpfuJ4pilAPnD_xhDyM", "Speaker", 99), ("AVpe7xlKilAPnD_xRZI9", "Headphones", 59),
             ("AVpgQP5vLJeJML43LPbc", "Turntable", 249), ("AVpf5CfX1cnluZ0-nZFM", "Receiver", 399))  # fmt: skip
_log = logging.getLogger(__name__)


def _customer(number: int) -> dict[str, object]:
    chance = Random(f"customer {number}")
    state, city, lon, lat = chance.choice(_CITIES)
    street, house = chance.choice(_NAMES), str(chance.randrange(1, 9999))
    postcode = f"{chance.randrange(10000, 99999)}"
    return {
        "customer_id": str(10_000_000 + number * 37),
        "tax_id": "",
        "tax_code": "",
        "customer_name": f"{chance.choice(_NAMES)} {chance.choice(_FIRMS)} {number}",
        "state": state,
        "city": city,
        "postcode": postcode,
        "street": f"{street} St",
        "number": house,
        "unit": "",
        "region": state,
        "district": "",
        "lon": round(lon + chance.uniform(-0.2, 0.2), 7),
        "lat": round(lat + chance.uniform(-0.2, 0.2), 7),
        "ship_to_address": f"{state}, {postcode}, {street} St, {house}",
        "valid_from": str(int(_FIRST_DAY.timestamp()) - chance.randrange(10**8)),
        "valid_to": "",
        "units_purchased": chance.randrange(100),
        "loyalty_segment": chance.randrange(4),
    }


def _order(number: int) -> dict[str, object]:
    chance = Random(f"order {number}")
    customer = _customer(chance.randrange(_CUSTOMERS))
    at = _FIRST_DAY + timedelta(seconds=chance.randrange(92 * 24 * 3600))
    products = [
        {
            "curr": "USD", "id": id, "name": name, "price": price, "qty": chance.randrange(1, 5), "unit": "pcs",
            "promotion_info": None,
        }
        for id, name, price in chance.sample(_PRODUCTS, chance.randrange(1, len(_PRODUCTS)))
    ]  # fmt: skip
    return {
        "clicked_items": [[product["id"], str(chance.randrange(1, 90))] for product in products],
        "customer_id": customer["customer_id"],
        "customer_name": customer["customer_name"],
        "number_of_line_items": str(len(products)),
        "order_datetime": str(int(at.timestamp())) if chance.random() > 0.02 else "",  # some have none there, too
        "order_number": 300_000_000 + number,
        "ordered_products": products,
        "promo_info": [],
    }


def _orders() -> str:
    return "".join(json.dumps(_order(number)) + "\n" for number in range(_ORDERS))


def _customers() -> str:
    rows = [_customer(number) for number in range(_CUSTOMERS)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# The folders below /databricks-datasets that can be made, each with its files.
FOLDERS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "retail-org/sales_orders": {"part-00000.json": _orders},
    "retail-org/customers": {"customers.csv": _customers},
}


def make_sample_files(place: Path, root: Path) -> None:
    """Make the sample files that *place* names, which may be above them or among them, if they are not there.

    *root* is where `/databricks-datasets` is. A folder that somebody has filled stays as it is.
    """
    if place.is_relative_to(root):
        for name in _named(place.relative_to(root).as_posix()):
            _make(root / name, FOLDERS[name])


def _named(path: str) -> Iterator[str]:
    """The folders that *path* names, or that it is inside of; patterns of file names are inside of a folder."""
    for name in FOLDERS:
        if f"{path}/".startswith(f"{name}/") or f"{name}/".startswith(f"{path}/") or path == ".":
            yield name


def _make(folder: Path, files: Mapping[str, Callable[[], str]]) -> None:
    if folder.exists():
        return
    made = folder.with_name(f".{folder.name}-{uuid4().hex}")
    made.mkdir(parents=True)
    try:
        for name, text in files.items():
            (made / name).write_text(text(), encoding="utf-8")
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not folder.is_dir():  # otherwise another process was faster
            raise
        return
    shown = f"/databricks-datasets/{folder.parent.name}/{folder.name}"
    _log.warning("%s: the rows are generated on this machine; only the fields are Databricks'.", shown)
