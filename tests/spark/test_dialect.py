"""Each Databricks construct, run for real; the same cases make the table in local/README.md."""

import pytest
from dialect_cases import CASES, REFUSED, SETUP
from pyspark.sql.connect.session import SparkSession
from write_dialect_table import README, with_table

from lakelocal.compute.session import register
from lakelocal.errors import DialectError


@pytest.fixture(scope="module")
def shelf(spark):
    """A kernel's session: the schema `shelf` with a volume and a table of one row; what was before is restored."""
    before = SparkSession._default_session, SparkSession._active_session
    register(spark)
    for statement in SETUP:
        spark.sql(statement)
    yield spark
    spark.sql("USE CATALOG olist_dev")
    SparkSession._default_session, SparkSession._active_session = before


@pytest.mark.parametrize("case", CASES, ids=[case.construct for case in CASES])
def test_the_construct_does_what_the_table_says(shelf, case):
    """A table that nobody runs would soon be wrong."""
    if case.verdict == REFUSED:
        with pytest.raises(DialectError) as raised:
            case.run(shelf)
        assert case.expected in str(raised.value)
        assert "\n" not in str(raised.value)
    else:
        assert case.run(shelf) == case.expected


def test_the_table_in_the_readme_is_of_today():
    """It is made by `python tests/spark/write_dialect_table.py`."""
    text = README.read_text(encoding="utf-8")

    assert text == with_table(text)


def test_a_statement_without_a_result_gives_an_empty_frame(shelf):
    """As on Databricks, so that `display` and `%sql` show the same."""
    frame = shelf.sql("GRANT SELECT ON TABLE olist_dev.shelf.books TO `all`")

    assert (frame.columns, frame.collect()) == ([], [])


def test_a_volume_of_a_missing_schema_is_not_made(shelf, state):
    """A folder without its schema would be a volume that Databricks does not have."""
    with pytest.raises(DialectError, match=r"the schema `olist_dev\.nowhere` cannot be found"):
        shelf.sql("CREATE VOLUME olist_dev.nowhere.files")

    assert not (state.volumes / "nowhere").exists()


def test_a_view_is_kept_with_local_names(shelf):
    """A view's text is stored translated, so any session can read it, and is told with the catalog."""
    shelf.sql("CREATE OR REPLACE VIEW olist_dev.shelf.listed AS SELECT id FROM olist_dev.shelf.books")

    assert shelf.table("olist_dev.shelf.listed").count() == 1
    told = shelf.sql("SHOW CREATE TABLE shelf.listed").first()[0]
    assert told.startswith("CREATE VIEW olist_dev.shelf.listed (") and "FROM olist_dev.shelf.books" in told


def test_frames_in_sql(shelf):
    """`spark.sql("... {frame}", frame=frame)` sends plans beside the text."""
    frame = shelf.table("olist_dev.shelf.books")

    found = shelf.sql("SELECT f.id FROM {frame} f JOIN olist_dev.shelf.books USING (id)", frame=frame)
    assert [row.id for row in found.collect()] == [1]
