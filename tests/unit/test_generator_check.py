"""What the check at the end of a landing says when it does not hold; reading is tested with the notebooks."""

import pandas as pd
import pytest

from lakehouse.generator import LandedFile, check_counts, check_references, count_landed, dangling_references
from lakehouse.generator.check import LandedRowsError

FILES = [
    LandedFile("orders", "/Volumes/c/raw/olist/orders/orders_1.csv", 10, 99),
    LandedFile("orders", "/Volumes/c/raw/olist/orders/orders_2.csv", 5, 50),
]


def counted(rows: int) -> pd.DataFrame:
    """What Spark counted for orders."""
    return pd.DataFrame({"entity": ["orders"], "files": [2], "rows": [rows]})


def test_equal_counts_pass():
    """The rows of all files of an entity together."""
    check_counts(FILES, counted(15))


def test_a_row_that_is_not_read_back_is_told():
    """Both numbers, and the entity."""
    with pytest.raises(LandedRowsError, match="of `orders`: found 14 rows when read back, expected 15") as caught:
        check_counts(FILES, counted(14))

    assert caught.value.entity == "orders"


def test_real_files_are_not_counted():
    """Their rows are None: they were copied without being read."""
    check_counts([LandedFile("orders", "/Volumes/c/raw/olist/orders/orders_1.csv", None, 99)], counted(14))


def test_rows_that_refer_to_nothing_are_told():
    """Only the broken references, with their numbers."""
    with pytest.raises(LandedRowsError, match=r"found 1,200 rows by `orders\.customer_id` that refer to nothing"):
        check_references({"orders.customer_id": 1200, "order_items.order_id": 0})


def test_a_run_that_landed_nothing_needs_no_spark():
    """A repeated run starts no server: `spark` is not touched, here it is None."""
    assert count_landed(None, []).empty
    assert dangling_references(None, [], {}) == {}
    check_references({})
