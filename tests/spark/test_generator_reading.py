"""What the generator asks Spark about the files that landed: their rows, their values, and what refers to nothing."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse.generator import BatchFile, Volume, count_dangling, count_rows, row_reader
from lakehouse.generator.columns import COLUMNS
from lakelocal.kernel.dbutils.fs import FileSystem
from lakelocal.project import State

ROOT = "/Volumes/olist_dev/raw/olist"
REVIEWS = ('r1,o1,5,"one, ""two""","a\nb\r\nc",2018-01-01,2018-01-02', "r2,gone,1,,,2018-01-01,2018-01-02")


@pytest.fixture
def volume(state: State, monkeypatch: pytest.MonkeyPatch) -> Volume:
    """The volume of the tests' state."""
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")  # as a kernel does, for pyspark.sql.functions
    (state.volumes / "raw" / "olist").mkdir(parents=True, exist_ok=True)
    return Volume(SimpleNamespace(fs=FileSystem(lambda: state)), "olist_dev")


def land(state: State, entity: str, name: str, *rows: str, header: str = "", is_real: bool = False) -> BatchFile:
    """A file with these rows; of a real file, only its path and size are known."""
    place = Path(state.volumes, "raw", "olist", entity, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("\n".join([header or ",".join(COLUMNS[entity]), *rows]) + "\n", newline="")
    return BatchFile(entity, f"{ROOT}/{entity}/{name}", None if is_real else len(rows), place.stat().st_size)


def test_rows_are_counted_file_by_file_over_line_breaks_and_quotes(spark, state: State, volume: Volume):
    """Files of several entities at once; one with only its header is absent."""
    files = [
        land(state, "order_reviews", "reviews_a.csv", *REVIEWS),
        land(state, "sellers", "sellers_a.csv", "s1,01001,x,SP", "s2,,,", "s3,01001,x,SP"),
        land(state, "sellers", "sellers_b.csv"),
    ]

    assert count_rows(spark, [file.path for file in files]) == {"reviews_a.csv": 2, "sellers_a.csv": 3}


def test_values_of_several_entities_are_found_by_the_names_in_the_header(spark, state: State, volume: Volume):
    """A real file may have its own column order, other columns, and duplicate names."""
    header = "seller_state,more,seller_id,seller_zip_code_prefix,more,seller_city"
    files = [
        land(state, "sellers", "s_real.csv", "SP,x,s1,01001,y,z", header=header, is_real=True),
        land(state, "sellers", "s_made.csv", "s2,01002,,RJ"),
        land(state, "order_reviews", "r.csv", *REVIEWS),
    ]

    found = row_reader(spark, volume)(
        files, {"sellers": ("seller_id", "seller_state"), "order_reviews": ("review_comment_message",)}
    )

    assert sorted(found["sellers"].to_pylist(), key=lambda row: row["seller_id"]) == [
        {"seller_id": "s1", "seller_state": "SP", "file_name": "s_real.csv"},
        {"seller_id": "s2", "seller_state": "RJ", "file_name": "s_made.csv"},
    ]
    assert set(found["order_reviews"]["review_comment_message"].to_pylist()) == {"a\nb\r\nc", None}


def test_only_new_rows_that_refer_to_nothing_are_counted(spark, state: State, volume: Volume):
    """Keys of any day count; a missing value refers to nothing; earlier files are not judged."""
    earlier = [
        land(state, "customers", "c1.csv", "c1,u1,01001,x,SP"),
        land(state, "orders", "o1.csv", "o1,c1,created,,,,,", "o0,nobody,created,,,,,"),
        land(state, "products", "p1.csv", "p1,,,,,,,,"),
        land(state, "sellers", "x1.csv", "s1,01001,x,SP"),
    ]
    new = [
        land(state, "orders", "o2.csv", "o2,c1,created,,,,,", "o3,unknown,created,,,,,"),
        land(state, "order_items", "i2.csv", "o2,1,p1,s1,,1.00,1.00", "o1,1,p1,s9,,1.00,1.00", "gone,1,p1,,,1.00,1.00"),
        land(state, "order_reviews", "r2.csv", *REVIEWS),
    ]

    assert count_dangling(spark, volume, new, earlier + new) == {
        "orders.customer_id": 1,
        "order_items.order_id": 1,
        "order_items.product_id": 0,
        "order_items.seller_id": 2,
        "order_reviews.order_id": 1,
    }
