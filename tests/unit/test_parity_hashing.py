"""The SQL for the hash of a row."""

from pyspark.sql.types import ArrayType, DoubleType, LongType, MapType, StringType, StructType

from lakelocal.parity.hashing import quoted, row_hash, row_text


def test_columns_are_hashed_by_name():
    """Two tables with another column order have the same rows."""
    assert row_hash({"b": LongType(), "a": StringType()}) == row_hash({"a": StringType(), "b": LongType()})
    assert row_hash({"a": LongType()}) == (
        "xxhash64(CAST(array(CASE WHEN `a` IS NOT NULL THEN xxhash64(`a`) END) AS STRING))"
    )


def test_a_table_without_columns_to_compare_has_a_hash():
    """Then only the number of rows is compared."""
    assert row_hash({}) == "xxhash64(CAST(array() AS STRING))"


def test_names_are_identifiers():
    """For any column that Spark can have."""
    assert quoted("a`b c") == "`a``b c`"
    assert "`a.b`" in row_hash({"a.b": LongType()})


def test_lambdas_inside_lambdas_have_variables_of_their_own():
    """A map of arrays would otherwise hash its inner values twice."""
    text = row_hash({"m": MapType(StringType(), ArrayType(DoubleType()))})

    assert "map_entries(`m`), x0 ->" in text
    assert "transform(x0.value, x1 ->" in text


def test_fields_of_a_struct_are_hashed_by_name():
    """Like columns."""
    one = StructType().add("x", LongType()).add("y", LongType())
    other = StructType().add("y", LongType()).add("x", LongType())

    assert row_hash({"s": one}) == row_hash({"s": other})


def test_rows_are_shown_in_the_order_of_the_table():
    """Keys come first in most tables."""
    text = row_text({"b": LongType(), "a": StringType()})

    assert text == "array(make_valid_utf8(CAST(`b` AS STRING)), make_valid_utf8(CAST(`a` AS STRING)))"
