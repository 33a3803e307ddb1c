"""Sample files below /databricks-datasets: made when they are first named, and never over what is there."""

import csv
import json
from pathlib import Path

import pytest

from lakelocal.dialect.volumes import Volumes
from lakelocal.kernel.dbutils.places import Places
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "dev", tmp_path / "state").make()


@pytest.fixture
def volumes(state: State) -> Volumes:
    return Volumes(DatabricksPaths(state))


@pytest.mark.parametrize(
    "path",
    [
        "dbfs:/databricks-datasets/retail-org/sales_orders/",
        "/dbfs/databricks-datasets/retail-org/sales_orders/*.json",
        "dbfs:/databricks-datasets/retail-org",
        "dbfs:/databricks-datasets",
    ],
)
@pytest.mark.parametrize("by_spark", [True, False])
def test_they_are_made_when_they_are_named(state: State, volumes: Volumes, path: str, by_spark: bool) -> None:
    """The folder, what is above it, or a pattern of its files; by Spark or by `dbutils.fs`."""
    volumes.translate(path) if by_spark else Places(lambda: state).at(path)

    folder = state.dbfs / "databricks-datasets/retail-org/sales_orders"
    orders = [json.loads(line) for file in folder.glob("*.json") for line in file.read_text().splitlines()]
    assert len({order["order_number"] for order in orders}) == len(orders) > 0


def test_orders_are_of_customers(volumes: Volumes) -> None:
    """Databricks' examples join them by id and name, and read the time as seconds, which some lack."""
    root = Path(volumes.translate("dbfs:/databricks-datasets/retail-org"))
    with (root / "customers/customers.csv").open() as file:
        customers = {(row["customer_id"], row["customer_name"]) for row in csv.DictReader(file)}
    orders = [json.loads(line) for line in next((root / "sales_orders").iterdir()).read_text().splitlines()]

    assert {(order["customer_id"], order["customer_name"]) for order in orders} <= customers
    assert {order["order_datetime"].isdigit() for order in orders} == {True, False}


def test_what_is_there_stays(state: State, volumes: Volumes) -> None:
    """A person may have copied files of their own there; other samples are not made up."""
    own = state.dbfs / "databricks-datasets/retail-org/customers/mine.csv"
    own.parent.mkdir(parents=True)
    own.write_text("id\n1\n")

    found = [volumes.translate(f"/databricks-datasets/{name}") for name in ("retail-org/customers", "airlines")]

    assert [file.name for file in Path(found[0]).iterdir()] == ["mine.csv"]
    assert not Path(found[1]).exists()
