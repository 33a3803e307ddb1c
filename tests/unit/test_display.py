"""How tables are shown: values unchanged, in the given order."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pandas as pd
import pytest

from lakelocal.kernel import sql_output
from lakelocal.kernel.dbutils.data import _of_pandas
from lakelocal.kernel.dbutils.fs import FileInfo
from lakelocal.kernel.display import ROWS, _rows, is_frame, table_of_pandas
from lakelocal.kernel.table import Table, to_text, without_script


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
    """A review comment may contain markup. Numbers are on the right also without a style sheet, as on GitHub."""
    html = TABLE.to_html()

    assert "<tr><td>a&lt;b<td align=right>10.00</tr>" in html
    assert "<td><i>NULL</i><td align=right>2.50</tr>" in html
    assert '<th class="n">total<br><small>decimal(12,2)</small>' in html


def test_an_output_holds_its_rows_once_and_loads_nothing():
    """A page that has the script leaves it out; a table of one row, which nobody sorts, has none."""
    html = TABLE.to_html()

    assert html.count("a&lt;b") == 1
    assert not re.search(r"(src|href)=|https?:|import\(", html)
    assert html.count("</script") == html.count("</style") == 1
    assert without_script(html).count("<tr>") == 4 and "script" not in without_script(html)
    assert without_script("<b>another output</b>") is None
    assert "<script>" not in Table([("n", "int")], [[1]]).to_html()


def test_ten_outputs_of_a_notebook_stay_small():
    """What an output adds to its rows, and how many rows it keeps however wide they are."""
    assert len(Table([("n", "int")], [[1], [2]]).to_html()) < 20_000
    wide = Table([("text", "string")], [["x" * 2_000] for _ in range(1000)])

    assert len(wide.to_html()) < 340_000
    assert "<p>the first 149 of 1,000 rows</p>" in wide.to_html()
    widest = Table([(f"c{at}", "string") for at in range(50)], [["x" * 10_000] * 50] * 3)
    assert "<p>the first 1 of 3 rows</p>" in widest.to_html(), "one row at least"


def test_a_task_keeps_as_many_rows_of_sql_as_are_read():
    """What a SQL task leaves for others is taken from the rows that are shown."""
    assert sql_output.ROWS <= ROWS


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (Table([("n", "int")], [[1]]), "1 row"),
        (Table([("n", "int")], [[1], [2]]), "2 rows"),
        (Table([("n", "int")], [[1], [2]], more=True), "the first 2 rows; there are more"),
        (Table([("n", "int")], [[1], [2]], more=True, total=12345), "the first 2 of 12,345 rows"),
    ],
)
def test_a_table_says_how_many_rows_there_are(table, said):
    """As far as it is known."""
    assert f"<p>{said}</p>" in table.to_html()
    assert table.to_text().endswith(f"({said})")


def test_the_text_shows_the_first_rows_only():
    """It is for terminals; the HTML has them all."""
    lines = Table([("n", "int")], [[each] for each in range(30)]).to_text().splitlines()

    assert lines[-2:] == [" 19", "(the first 20 of 30 rows)"]


def test_a_frame_of_pandas_is_a_table_with_types():
    """What is missing is NULL; an index shows unless it only numbers the rows."""
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "price": [1.5, None],
            "day": [date(2018, 1, 1), None],
            "at": pd.to_datetime(["2018-01-01", None]),
        },
        index=pd.Index(["a", "b"], name="key"),
    )
    table = table_of_pandas(frame)

    assert table.columns == [
        ("key", "string"), ("n", "bigint"), ("price", "double"), ("day", "date"), ("at", "timestamp_ntz")
    ]  # fmt: skip
    assert table.rows == [["a", 1, 1.5, date(2018, 1, 1), datetime(2018, 1, 1)], ["b", 2, None, None, None]]
    assert table_of_pandas(frame.reset_index(drop=True)).columns[0] == ("n", "bigint")


def test_frames_of_pandas_may_have_any_names_and_sizes():
    """Names twice, several levels, no rows, more rows than are shown."""
    twice = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    levels = pd.DataFrame({("s", "min"): [1], ("s", "max"): [2]}, index=pd.MultiIndex.from_tuples([("k", 1)]))
    long = table_of_pandas(pd.DataFrame({"n": range(1500)}))

    assert table_of_pandas(twice).columns == [("a", "bigint"), ("a", "string")]
    assert [name for name, _ in table_of_pandas(levels).columns] == ["", "", "s, min", "s, max"]
    assert table_of_pandas(pd.DataFrame({"n": []})).rows == []
    assert (len(long.rows), long.total, long.more) == (1000, 1500, True)


def test_a_list_of_files_shows_times():
    """`modificationTime` is in milliseconds; a person reads a time."""
    table = _rows([FileInfo("dbfs:/a.csv", "a.csv", 3, 1535766953000)])

    assert table.columns[-1] == ("modificationTime", "timestamp")
    assert to_text(table.rows[0][-1]) == "2018-09-01 01:55:53"


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("bigint", "n"), ("decimal(12,2)", "n"), ("interval day to second", "s"), ("timestamp_ntz", "t"), ("date", "t"),
     ("struct<a:int>", "s"), ("int", "n"), ("string", "s")],
)  # fmt: skip
def test_numbers_and_times_are_known_by_their_types(type_, kind):
    """They are aligned, sorted and drawn by it."""
    assert f'<th class="{kind}">a' in Table([("a", type_)], []).to_html()


def test_pandas_is_summarized_by_a_row_per_column():
    """Each with its type; statistics of numbers are numbers."""
    table = _of_pandas(pd.DataFrame({"n": [1, 3, None], "name": ["x", "y", "x"], "ok": [True, False, True]}))

    assert [name for name, _ in table.columns][:5] == ["column", "type", "count", "missing", "distinct"]
    assert table.rows[0] == ["n", "double", 2, 1, 2, 2.0, 2**0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert table.rows[1] == ["name", "string", 3, 0, 2, None, None, "x", None, None, None, "y"]
    assert table.rows[2][:5] == ["ok", "boolean", 3, 0, 2]


def test_long_values_are_cut_and_an_empty_table_has_its_columns():
    """It is for looking, not for exporting."""
    assert Table([("a", "string")], [["x" * 50]]).to_text().splitlines()[3] == "x" * 37 + "..."
    assert Table([("a", "string")], []).to_text().splitlines() == ["a", "string", "------", "(0 rows)"]


def test_only_frames_of_spark_are_frames():
    """pandas has a DataFrame too; IPython shows that one."""
    assert not is_frame(pd.DataFrame({"a": [1]}))
    assert not is_frame("DataFrame")
