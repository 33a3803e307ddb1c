"""All attempts of a run and its child runs on one time axis; one row per task or iteration.

Positions are percentages of the axis, so that the drawing can have any width. The template `timeline.html` draws it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakelocal.history.recorded import Attempt, Run, Work, utc
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import meaning
from lakelocal.pages.links import Links

_TICKS = 8
_LAST_MARK = 95  # percent: the text of a later mark would not fit
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True)
class Bar:
    """One attempt; *left* and *width* in percent of the axis."""

    left: float
    width: float
    tone: str
    title: str
    href: str


@dataclass(frozen=True)
class Row:
    """A task or an iteration, *depth* levels down; *state*: its result and duration; *doing*: what it does now."""

    label: str
    depth: int
    bars: Sequence[Bar]
    state: str
    tone: str


@dataclass(frozen=True)
class Timeline:
    """*marks* are pairs of a position in percent and a text."""

    marks: Sequence[tuple[float, str]]
    rows: Sequence[Row]


def timeline(run: Run, links: Links) -> Timeline:
    """The attempts of *run*, from its start to its end, or until now."""
    works = list(_works(run, 0))
    spans = [run.shape, *(attempt.shape for _, work, _ in works for attempt in work.attempts)]
    start = min(each["start_time"] for each in spans)
    length = max(max(run.end_ms(each) for each in spans) - start, 1) / 1000

    def bar(of: Run, work: Work, attempt: Attempt) -> Bar:
        shape = attempt.shape
        seconds = of.seconds(shape)
        when = f"from {utc(shape['start_time'])}, {duration(seconds)}"
        return Bar(
            left=(shape["start_time"] - start) / 10 / length,
            width=seconds * 100 / length,
            tone=meaning(attempt.result).tone,
            title=f"{work.label}, attempt {attempt.number}: {attempt.result}, {when}",
            href=links.attempt(attempt),
        )

    def row(of: Run, work: Work, depth: int) -> Row:
        last = work.last
        state = f"{last.result} {duration(of.seconds(last.shape))}" if last.ran else last.result
        bars = [bar(of, work, attempt) for attempt in work.attempts]
        return Row(work.title, depth, bars, state, meaning(last.result).tone)

    return Timeline(list(_marks(length)), [row(*each) for each in works])


def tick_step(seconds: float) -> float:
    """The distance between the marks on an axis of *seconds*: a round number that yields at most eight marks."""
    return next((step for step in _STEPS if seconds / step <= _TICKS), 86400 * (int(seconds / 86400 / _TICKS) + 1))


def _works(run: Run, depth: int) -> Iterator[tuple[Run, Work, int]]:
    for work in run.works:
        yield run, work, depth + work.is_iteration
        for attempt in work.attempts:
            if attempt.child:
                yield from _works(attempt.child, depth + 1)


def _marks(length: float) -> Iterator[tuple[float, str]]:
    step = tick_step(length)
    for number in range(int(length / step) + 1):
        if (left := number * step * 100 / length) <= _LAST_MARK:
            yield left, _mark(number * step, step)


def _mark(seconds: float, step: float) -> str:
    """`0.5 s`, `20 s`, `3:20 min` or `1:30 h`, depending on the step of the axis."""
    if step < 1:
        return f"{seconds:.1f} s"
    if step < 60 and seconds < 60:
        return f"{seconds:.0f} s"
    if step < 3600 and seconds < 3600:
        return f"{seconds // 60:.0f}:{seconds % 60:02.0f} min"
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f} h"
