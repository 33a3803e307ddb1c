"""Arguments of `spark.sql` become literals at their markers, and nothing else changes."""

import datetime
from decimal import Decimal

import pyspark.sql.connect.proto as proto
import pytest
from pyspark.sql.connect.expressions import LiteralExpression

from lakelocal.dialect.arguments import fill_arguments


def argument(value: object) -> proto.Expression:
    """*value* as pyspark sends it."""
    return LiteralExpression._from_value(value).to_plan(None)


def filled(sql: str, named: dict | None = None, positional: list | None = None) -> str:
    holder = proto.SqlCommand(
        named_arguments={key: argument(value) for key, value in (named or {}).items()},
        pos_arguments=[argument(value) for value in positional or []],
    )
    text = fill_arguments(sql, holder)
    assert not holder.named_arguments and not holder.pos_arguments
    return text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (2**40, f"{2**40}L"),
        (True, "TRUE"),
        (None, "NULL"),
        ("it's\\", r"'it\'s\\'"),
        (Decimal("1.10"), "CAST('1.10' AS DECIMAL(3, 2))"),
        (datetime.date(2018, 9, 1), "DATE '2018-09-01'"),
        (datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC), "timestamp_micros(1000000)"),
        (b"\x01\xff", "X'01ff'"),
        (1.5, "CAST('1.5' AS DOUBLE)"),
        ([1, 2], "array(1, 2)"),
    ],
)
def test_a_value_becomes_its_literal(value, text):
    """The type of the Python value is kept."""
    assert filled("SELECT :a", {"a": value}) == f"SELECT {text}"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ':a', 1 -- :a\n FROM t WHERE x=:a AND y > :a", "SELECT ':a', 1 -- :a\n FROM t WHERE x=7 AND y > 7"),
        ("SELECT raw:a, x::INT, :b", "SELECT raw:a, x::INT, :b"),
        ("SELECT array(:a,:a)", "SELECT array(7,7)"),
    ],
)
def test_only_markers_are_replaced(sql, expected):
    """Strings, comments, JSON paths, casts and unknown markers are kept."""
    assert filled(sql, {"a": 7}) == expected


def test_positional_markers_are_filled_in_order():
    """A question mark in a string is text."""
    assert filled("SELECT ?, '?', ?", positional=[1, "x"]) == "SELECT 1, '?', 'x'"
