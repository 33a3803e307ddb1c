"""The benchmark's Spark Declarative Pipelines project makes the same reports as the notebooks, from the same files."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lakelocal.java import find_java
from tests.bench.lakehouse import SAMPLE, Lakehouse
from tests.bench.pipelines import has_vectors, run_pipeline, write_project

VIEWS = (
    "gold_daily_orders", "gold_monthly_orders", "gold_orders_by_state", "gold_seller_performance",
    "gold_category_performance",
)  # fmt: skip
DAY = "2018-10-18"
pytestmark = [
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout"),
    pytest.mark.skipif(not has_vectors(find_java()), reason="`spark-pipelines` needs a development kit of Java"),
    pytest.mark.slow("the main pipeline and the declarative one, each with a Java process of its own"),
    pytest.mark.timeout(1500),
]


def test_the_declarative_views_hold_the_rows_of_the_notebooks(tmp_path: Path):
    """Every value of the five views; means up to the order in which floating point numbers are added."""
    with Lakehouse(tmp_path / "states", source=SAMPLE.resolve().as_uri()) as lakehouse:
        lakehouse.run("olist_daily_job", DAY, only="generate_data")
        lakehouse.run("olist_main_pipeline", DAY)
        expected = {view: lakehouse.rows(f"SELECT * FROM gold.{view}") for view in VIEWS}
        lakehouse.down()
        spec = write_project(tmp_path / "project", lakehouse.files)
        run_pipeline(spec)

    made = {view: pd.read_parquet(spec.parent / "warehouse" / view) for view in VIEWS}
    for view in VIEWS:
        assert list(made[view].columns) == list(expected[view][0]), view
        assert rows_of(made[view].to_dict("records")) == rows_of(expected[view]), view
    totals = made["gold_daily_orders"][["order_count", "payment_value"]].sum()
    assert (totals.order_count, totals.payment_value) == (3000, Decimal("458374.31"))


def rows_of(rows: list[dict]) -> list[tuple]:
    """*rows* in order, with values of the same kind written alike."""
    return sorted((tuple(_alike(value) for value in row.values()) for row in rows), key=repr)


def _alike(value: object) -> str | None:
    if value is None or value != value:
        return None
    return f"{value:.12g}" if isinstance(value, (int, float, Decimal)) else str(value)
