"""All attempts of a run and its child runs on one time axis; one row per task or iteration.

The axis is cut where nothing ran: between the end of a run and its repair. Positions are percentages of the axis, so
that the drawing can have any width. The template `parts.html` draws it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """A task or an iteration, *depth* levels down; *state*: its result and duration."""

    label: str
    depth: int
    bars: Sequence[Bar]
    state: str


@dataclass(frozen=True)
class Timeline:
    """*marks* and *cuts* are pairs of a position in percent and a text."""

    marks: Sequence[tuple[float, str]]
    cuts: Sequence[tuple[float, str]]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Axis:
    """Time (epoch ms) without the gaps between its *spans*, which are in order and do not overlap."""

    spans: Sequence[tuple[int, int]]

    @classmethod
    def over(cls, spans: Iterable[tuple[int, int]]) -> "Axis":
        """The axis over *spans*, which may overlap."""
        found: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if found and start <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], end)
            else:
                found.append((start, end))
        return cls(found)

    @property
    def seconds(self) -> float:
        return max(sum(end - start for start, end in self.spans), 1) / 1000

    def at(self, ms: int) -> float:
        """The position of the time *ms*, in percent."""
        return sum(min(max(ms - start, 0), end - start) for start, end in self.spans) / 10 / self.seconds

    @property
    def cuts(self) -> Iterator[tuple[float, str]]:
        """Where a gap was left out, and how long it was."""
        for (_, end), (start, _) in pairwise(self.spans):
            yield self.at(end), f"A gap of {duration((start - end) / 1000)} is left out"


def timeline(run: Run, links: Links) -> Timeline:
    """The attempts of *run*, from its start to its end, or until now."""
    works = list(_works(run, 0))
    drawn = [*run.phases, *(attempt.shape for _, work, _ in works for attempt in work.attempts)]
    axis = Axis.over((each["start_time"], run.end_ms(each)) for each in drawn)

    def bar(of: Run, work: Work, attempt: Attempt) -> Bar:
        shape = attempt.shape
        when = f"from {utc(shape['start_time'])}, {duration(of.seconds(shape))}"
        return Bar(
            left=axis.at(shape["start_time"]),
            width=axis.at(of.end_ms(shape)) - axis.at(shape["start_time"]),
            tone=meaning(attempt.result).tone,
            title=f"{', '.join(filter(None, (work.label, work.name_of(attempt))))}: {attempt.result}, {when}",
            href=links.attempt(attempt),
        )

    def row(of: Run, work: Work, depth: int) -> Row:
        last = work.last
        state = f"{work.result} {duration(of.seconds(last.shape))}" if meaning(work.result).ran else work.result
        bars = [bar(of, work, attempt) for attempt in work.attempts]
        return Row(work.title, depth, bars, state)

    return Timeline(list(_marks(axis.seconds)), list(axis.cuts), [row(*each) for each in works])


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
