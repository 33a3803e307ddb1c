"""Charts of results: what is drawn as what, and where."""

import pytest

from lakelocal.pages.chart import BOTTOM, HEIGHT, LEFT, POINTS, RIGHT, TOP, WIDTH, chart

ZERO = HEIGHT - BOTTOM


def test_names_are_bars_that_begin_at_zero():
    """The highest reaches the mark of its value; NULL has none; the columns of a row stand beside each other."""
    found = chart(
        [("state", "string"), ("n", "bigint"), ("share", "decimal(5,2)")], [["SP", "4", "1.00"], ["RJ", None, "2.00"]]
    )

    n, share = found.series
    ((x, y, width, height),) = n.boxes
    marks = {text: place for place, text in found.ticks}
    assert (n.name, share.name, found.x_name) == ("n", "share", "state")
    assert (y, round(y + height, 6)) == (marks["4"], ZERO)
    assert share.boxes[0][0] == pytest.approx(x + width)
    assert [text for _, text in found.labels] == ["SP", "RJ"]


def test_days_are_a_line_from_left_to_right():
    """Within the drawing; below zero too."""
    found = chart(
        [("day", "date"), ("balance", "double")], [["2018-01-01", "-5"], ["2018-01-02", "5"], ["2018-01-03", "0"]]
    )

    (balance,) = found.series
    assert balance.boxes == []
    (x1, low), (x2, high), (x3, zero) = balance.points
    assert LEFT < x1 < x2 < x3 < WIDTH - RIGHT
    marks = {text: place for place, text in found.ticks}
    assert (marks["6"], marks["-6"]) == (TOP, ZERO), "round numbers around the values"
    assert low == pytest.approx((marks["-4"] + marks["-6"]) / 2)
    assert high == pytest.approx((marks["4"] + marks["6"]) / 2)
    assert zero == pytest.approx(marks["0"])


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ([("a", "string"), ("b", "string")], [["x", "y"], ["z", "w"]]),  # no numbers
        ([("n", "int")], [["1"], ["2"]]),  # nothing to draw them against
        ([("a", "string"), ("n", "int")], [["x", "1"]]),  # one row
        ([("a", "string"), ("n", "double")], [["x", "NaN"], ["y", None]]),  # no number that can be drawn
    ],
)
def test_what_cannot_be_drawn_has_no_chart(columns, rows):
    assert chart(columns, rows) is None


def test_equal_values_and_many_rows_are_drawn_too():
    """A constant of zero has an axis; rows beyond the limit are told of."""
    flat = chart([("a", "string"), ("n", "int")], [["x", "0"], ["y", "0"]])
    assert {point[1] for point in flat.series[0].points} == {ZERO}

    long = chart([("a", "int"), ("n", "int")], [[str(n), str(n)] for n in range(POINTS + 10)])
    assert len(long.series[0].points) == POINTS
    assert long.note == "the first 2,000 of 2,010 rows"
    assert len(long.labels) <= 8
