"""What the check at the end of a landing reports if it fails; reading is tested with the notebooks."""

import pytest

from lakehouse.generator import BatchFile, check_counts, check_references, count_dangling, count_rows
from lakehouse.generator.check import LandedRowsError
from lakehouse.generator.feed import FeedFile

FOLDER = "/Volumes/c/raw/olist"
FILES = [
    BatchFile("orders", f"{FOLDER}/orders/orders_1.csv", 10, 99),
    FeedFile("2018-09-01", "sellers", f"{FOLDER}/cdc/sellers/sellers_cdc_1.csv", 5, {}, {}),
]


def test_a_file_that_is_read_as_written_passes():
    """For entities and the feed; other files may be counted too."""
    check_counts(FILES, {"orders_1.csv": 10, "sellers_cdc_1.csv": 5, "orders_0.csv": 7})


@pytest.mark.parametrize(("read", "found"), [({"orders_1.csv": 9, "sellers_cdc_1.csv": 5}, 9), ({}, 0)])
def test_a_row_that_is_not_read_back_is_told(read, found):
    """Both numbers, and the file; Spark does not count a file without rows at all."""
    with pytest.raises(LandedRowsError, match=f"found `orders_1.csv: {found} rows, 10 written`") as caught:
        check_counts(FILES, read)

    assert caught.value.files[0] == "orders_1.csv"


def test_files_are_held_against_their_own_rows():
    """A surplus row in one file does not make up for a missing row in another."""
    with pytest.raises(LandedRowsError) as caught:
        check_counts(FILES, {"orders_1.csv": 9, "sellers_cdc_1.csv": 6})

    assert caught.value.files == ["orders_1.csv", "sellers_cdc_1.csv"]


def test_real_files_are_not_counted():
    """Their rows are None: they were copied without being read."""
    check_counts([BatchFile("orders", f"{FOLDER}/orders/orders_1.csv", None, 99)], {"orders_1.csv": 14})


def test_rows_that_refer_to_nothing_are_told():
    """Only the broken references, with their numbers."""
    with pytest.raises(LandedRowsError, match=r"found 1,200 rows by `orders\.customer_id` that refer to nothing"):
        check_references({"orders.customer_id": 1200, "order_items.order_id": 0})


def test_a_run_that_landed_nothing_needs_no_spark():
    """A repeated run starts no server: `spark` is not touched, here it is None."""
    assert count_rows(None, []) == {}
    assert count_dangling(None, None, [], []) == {}
    check_references({})
