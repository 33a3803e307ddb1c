"""How tables are shown: values unchanged, in the given order."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from lakelocal.kernel.display import is_frame
from lakelocal.kernel.table import Table, to_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "true"),
        (1, "1"),
        (1e-07, "1e-07"),
        (Decimal("1.10"), "1.10"),
        (Decimal("0E-10"), "0.0000000000"),
        (date(2018, 1, 31), "2018-01-31"),
        (datetime(2018, 1, 31, 1, 2, 3, tzinfo=UTC), "2018-01-31 01:02:03"),
        (datetime(2018, 1, 31, 1, 2, 3, 120_000, tzinfo=timezone(timedelta(hours=-3))), "2018-01-31 04:02:03.12"),
        (datetime(2018, 1, 31, 1, 2, 3), "2018-01-31 01:02:03"),
        (b"\x01\xff", "01 FF"),
        ("NULL", "NULL"),
        ([1, None, Decimal("2.50")], '[1, null, "2.50"]'),
        ([("k", 1), ("é", None)], '{"k": 1, "é": null}'),
        ({"a": date(2018, 1, 1), "b": [True]}, '{"a": "2018-01-01", "b": [true]}'),
    ],
)
def test_values_show_as_sql_writes_them(value, expected):
    """Exact digits, UTC, NULL."""
    assert to_text(value) == expected


TABLE = Table(
    [("name", "string"), ("total", "decimal(12,2)")],
    [["a<b", Decimal("10.00")], [None, Decimal("2.50")], ["two\nlines", None]],
    more=True,
)


def test_a_table_as_text_has_types_and_says_that_there_is_more():
    """One line per row, whatever it contains; numbers are right-aligned."""
    assert TABLE.to_text().splitlines() == [
        "name                total",
        "string      decimal(12,2)",
        "----------  -------------",
        "a<b                 10.00",
        "NULL                 2.50",
        "two\\nlines           NULL",
        "(the first 3 rows; there are more)",
    ]


def test_a_table_as_html_is_escaped_and_tells_null_from_text():
    """A review comment may contain markup."""
    html = TABLE.to_html()

    assert "<td>a&lt;b</td><td>10.00</td>" in html
    assert "<td><i>NULL</i></td><td>2.50</td>" in html
    assert "<th>total<br><small>decimal(12,2)</small></th>" in html


def test_long_values_are_cut_and_an_empty_table_has_its_columns():
    """It is for looking, not for exporting."""
    assert Table([("a", "string")], [["x" * 50]]).to_text().splitlines()[3] == "x" * 37 + "..."
    assert Table([("a", "string")], []).to_text().splitlines() == ["a", "string", "------", "(0 rows)"]


def test_only_frames_of_spark_are_frames():
    """pandas has a DataFrame too; IPython shows that one."""
    import pandas as pd

    assert not is_frame(pd.DataFrame({"a": [1]}))
    assert not is_frame("DataFrame")
