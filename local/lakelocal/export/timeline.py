"""All attempts of a run and of the runs below it on one time axis, as SVG; one row per task or iteration."""

from collections.abc import Iterator
from typing import NamedTuple

from lakelocal.export.graph import clipped
from lakelocal.export.markup import Markup, element
from lakelocal.export.recorded import Attempt, Run, Work, utc
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import meaning

_WIDTH, _LEFT, _RIGHT = 1160, 290, 230
_ROW, _TOP = 24, 30
_TICKS = 8
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


class _Row(NamedTuple):
    run: Run
    work: Work
    depth: int


def timeline(run: Run) -> Markup:
    """The attempts of *run*, from its start to its end, or until now."""
    rows = list(_rows(run, 0))
    spans = [run.shape, *(attempt.shape for row in rows for attempt in row.work.attempts)]
    start = min(each["start_time"] for each in spans)
    length = max(max(run.end_ms(each) for each in spans) - start, 1) / 1000
    scale = (_WIDTH - _LEFT - _RIGHT) / length
    height = _TOP + _ROW * len(rows) + 8
    return element(
        "svg",
        _axis(length, scale, height),
        [_row(row, _TOP + _ROW * at, start, scale) for at, row in enumerate(rows)],
        class_="timeline", viewBox=f"0 0 {_WIDTH} {height}", width=_WIDTH, height=height, role="img",
        aria_label=f"Attempts of run {run.run_id} over time",
    )  # fmt: skip


def tick_step(seconds: float) -> float:
    """The distance between the marks on an axis of *seconds*: a round number that yields at most eight marks."""
    return next((step for step in _STEPS if seconds / step <= _TICKS), 86400 * (int(seconds / 86400 / _TICKS) + 1))


def _rows(run: Run, depth: int) -> Iterator[_Row]:
    for work in run.works:
        yield _Row(run, work, depth + work.is_iteration)
        for attempt in work.attempts:
            if attempt.child:
                yield from _rows(attempt.child, depth + 1)


def _axis(length: float, scale: float, height: int) -> Iterator[Markup]:
    step = tick_step(length)
    for number in range(int(length / step) + 1):
        x = _LEFT + number * step * scale
        yield element("line", x1=x, x2=x, y1=_TOP - 6, y2=height, class_="tick")
        yield element("text", _mark(number * step, step), x=x, y=_TOP - 12, class_="mark")


def _mark(seconds: float, step: float) -> str:
    """`0.5 s`, `20 s`, `3:20 min` or `1:30 h`, depending on the step of the axis."""
    if step < 1:
        return f"{seconds:.1f} s"
    if step < 60 and seconds < 60:
        return f"{seconds:.0f} s"
    if step < 3600 and seconds < 3600:
        return f"{seconds // 60:.0f}:{seconds % 60:02.0f} min"
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f} h"


def _row(row: _Row, y: int, start: int, scale: float) -> Markup:
    label = clipped(row.work.label, 36 - 2 * row.depth)
    bars = [_bar(row.run, row.work, attempt, y, start, scale) for attempt in row.work.attempts]
    last = row.work.last
    said = f"{last.result} {duration(row.run.seconds(last.shape))}" if last.ran else last.result
    end = _LEFT + (row.run.end_ms(last.shape) - start) / 1000 * scale
    return element(
        "g",
        element("text", element("title", row.work.label), label, x=8 + 14 * row.depth, y=y + 15, class_="row-name"),
        bars,
        element("text", said, x=end + 6, y=y + 15, class_="state"),
    )


def _bar(run: Run, work: Work, attempt: Attempt, y: int, start: int, scale: float) -> Markup:
    shape = attempt.shape
    x = _LEFT + (shape["start_time"] - start) / 1000 * scale
    seconds = run.seconds(shape)
    when = f"from {utc(shape['start_time'])} UTC, {duration(seconds)}"
    words = f"{work.label}, attempt {attempt.number}: {attempt.result}, {when}"
    rect = element(
        "rect", element("title", words), x=x, y=y + 3, width=max(seconds * scale, 2), height=_ROW - 8, rx=2,
        class_=f"bar {meaning(attempt.result).tone}",
    )  # fmt: skip
    return element("a", rect, href=f"#attempt-{attempt.run_id}")
