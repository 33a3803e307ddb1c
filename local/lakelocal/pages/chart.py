"""A simple chart of a result: its numeric columns over its first column, as lines or as bars.

Positions are pixels of a drawing of `WIDTH` by `HEIGHT`; the template `chart.html` draws it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 900, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 10, 10, 40
SERIES = 4  # nobody can tell more lines apart
POINTS = 2000
BARS = 60
_LABELS = 8
_TICKS = 5
_OVER_TIME = ("date", "timestamp")
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


@dataclass(frozen=True)
class Series:
    """A column: its points (x, y); and, for bars, the boxes (x, y, width, height)."""

    name: str
    points: Sequence[tuple[float, float]]
    boxes: Sequence[tuple[float, float, float, float]]


@dataclass(frozen=True)
class Chart:
    """A drawing: *ticks* are pairs of a y position and a text, *labels* pairs of an x position and a text."""

    x_name: str
    series: Sequence[Series]
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str]]
    note: str


def is_number(kind: str) -> bool:
    """Is *kind* a numeric type?"""
    return kind.startswith(_NUMBERS)


def chart(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | None]]) -> Chart | None:
    """The chart of *rows* with *columns* (name, type); None if there is nothing to draw.

    Lines are drawn over time, and when there are more values than fit as bars.
    """
    numbers = [at for at, (_, kind) in enumerate(columns) if at and is_number(kind)][:SERIES]
    if not numbers or len(rows) < 2:
        return None
    shown = rows[:POINTS]
    values = {at: [_value(row[at]) for row in shown] for at in numbers}
    known = [value for each in values.values() for value in each if value is not None]
    if not known:
        return None
    low, high = min(0.0, *known), max(0.0, *known)
    marks = list(_marks(low, high))
    low, high = min(low, marks[0]), max(high, marks[-1])
    as_bars = not columns[0][1].startswith(_OVER_TIME) and len(shown) <= BARS
    step = (WIDTH - LEFT - RIGHT) / len(shown)

    def y_of(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / ((high - low) or 1))

    def series(place: int, at: int) -> Series:
        known = [(number, value) for number, value in enumerate(values[at]) if value is not None]
        points = [(LEFT + step * (number + 0.5), y_of(value)) for number, value in known]
        width = step * 0.8 / len(numbers)
        boxes = [
            (LEFT + step * (number + 0.1) + place * width, min(y_of(value), y_of(0)), width, abs(y_of(value) - y_of(0)))
            for number, value in known
        ]
        return Series(columns[at][0], points, boxes if as_bars else [])

    every = math.ceil(len(shown) / _LABELS)
    labels = [(LEFT + step * (at + 0.5), str(shown[at][0] or "NULL")[:16]) for at in range(0, len(shown), every)]
    cut = f"the first {POINTS:,} of {len(rows):,} rows" if len(rows) > POINTS else ""
    drawn = [series(place, at) for place, at in enumerate(numbers)]
    return Chart(columns[0][0], drawn, [(y_of(mark), f"{mark:,.6g}") for mark in marks], labels, cut)


def _value(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _marks(low: float, high: float) -> Iterator[float]:
    """About five round numbers that cover the range from *low* to *high*."""
    rough = (high - low or 1) / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    for number in range(math.floor(low / step), math.ceil(high / step) + 1):
        yield number * step
