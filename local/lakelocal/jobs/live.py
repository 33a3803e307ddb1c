"""The live table of a run in a terminal: each task, its state, its duration, and what it is doing."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from lakelocal.jobs.views import Path, duration
from lakelocal.lakeflow.results import attempt_name, colour_of, meaning
from lakelocal.lakeflow.update_progress import RUNNING, STARTING, Event, FlowProgress, Progress
from lakelocal.lakeflow.update_progress import colour_of as colour_of_flow

ITERATIONS_SHOWN = 8  # of more than these, only the iterations that run or did not succeed have a row


@dataclass
class _Row:
    """One task as a row of the table; *started*, *took* and *again_at* are seconds of the clock.

    *iterations* are the inputs of a for-each task, by the paths of its iterations. *update* is that of a pipeline task,
    *began* the time at which each of its flows began.
    """

    state: str = "PENDING"
    started: float = 0.0
    took: float = 0.0
    attempt: int = 0
    heading: str = ""
    said: str = ""
    again_at: float = 0.0
    children: list[Path] = field(default_factory=list)
    iterations: dict[Path, str] = field(default_factory=dict)
    update: Progress | None = None
    began: dict[str, float] = field(default_factory=dict)


ECHO = 4  # columns for the `^C` that a terminal prints, twice: a line that it made longer would not be erased


class Live:
    """Draws the table four times a second until it is closed; the summary of the run then takes its place.

    *clock* gives seconds; tests give one of their own.
    """

    def __init__(self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console or Console()
        self.clock = clock
        self._lock = threading.RLock()
        self._rows: dict[Path, _Row] = {(): _Row()}
        self._title = ""
        self._usual = 0.0
        self._preparing = ("", 0.0)  # what is done before the first task, and since when
        self._screen = Screen(
            console=self.console, refresh_per_second=4, get_renderable=self.table, transient=True,
        )  # fmt: skip
        self._screen.start()

    def run_started(self, path: Path, run_id: int, name: str, tasks: list[str], usual_seconds: float = 0.0) -> None:
        with self._lock:
            if not path:
                self._title = f"{name}, run {run_id}"
                self._rows[()].started = self.clock()
                self._usual = usual_seconds
            self._add_rows(path, tasks)

    def preparing(self, what: str) -> None:
        with self._lock:
            self._preparing = (what, self.clock())

    def backfill_started(self, name: str, labels: list[str]) -> None:
        with self._lock:
            self._title = f"{name}, backfill"
            self._rows[()].started = self.clock()
            self._add_rows((), labels)

    def iterations_started(self, path: Path, names: list[str], inputs: Sequence[str], concurrency: int) -> None:
        with self._lock:
            self._add_rows(path, names)
            self._rows[path].iterations = dict(zip(self._rows[path].children, inputs, strict=True))

    def task_started(self, path: Path, attempt: int) -> None:
        with self._lock:
            row = self._rows[path]
            row.state, row.started, row.attempt, row.said = "RUNNING", self.clock(), attempt, ""
            row.update, row.began = None, {}

    def cell(self, path: Path, heading: str, index: int, total: int) -> None:
        with self._lock:
            self._rows[path].heading = f"{index}/{total} {heading}".strip()
            self._rows[path].said = ""

    def printed(self, path: Path, line: str) -> None:
        with self._lock:
            self._rows[path].said = line

    def progress(self, path: Path, done: int, total: int) -> None:
        with self._lock:
            self._rows[path].said = f"{done} of {total} Spark tasks"

    def update_changed(self, path: Path, progress: Progress, event: Event) -> None:
        with self._lock:
            row = self._rows[path]
            row.update, row.said = progress, ""
            if event.flow_name and progress.flows[event.flow_name].started:
                row.began.setdefault(event.flow_name, self.clock())

    def task_ended(self, path: Path, result: str, seconds: float, message: str) -> None:
        with self._lock:
            row = self._rows[path]
            row.state, row.took, row.heading = result, seconds, ""
            row.said = message if result != "SUCCESS" else row.said

    def retrying(self, path: Path, attempt: int, seconds: float) -> None:
        with self._lock:
            row = self._rows[path]
            row.state, row.attempt, row.again_at = "WAITING", attempt, self.clock() + seconds

    def note(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        self._screen.stop()

    def table(self) -> Table:
        """The table in its current state."""
        with self._lock:
            table = Table(
                title=Text(self._heading()), title_justify="left", box=None, pad_edge=False,
                show_header=bool(self._rows[()].children), width=self.console.width - ECHO,
            )  # fmt: skip
            table.add_column("task", no_wrap=True)
            table.add_column("state", no_wrap=True)
            table.add_column("time", justify="right", no_wrap=True)
            table.add_column("doing", ratio=1, overflow="ellipsis", no_wrap=True)
            for path in self._rows[()].children:
                self._add(table, path)
            return table

    def _heading(self) -> str:
        """`Daily, run 12: 3 of 7 tasks, 1 min 05 s, about 40 s left`."""
        leaves = [self._rows[path] for path in self._leaves(())]
        if not leaves:
            what, since = self._preparing
            return f"{what} ... {duration(self.clock() - since)}" if what else self._title
        done = sum(bool(meaning(row.state).counts_as) for row in leaves)
        took = self.clock() - self._rows[()].started
        left = f", about {duration(self._usual - took)} left" if self._usual > took else ""
        return f"{self._title}: {done} of {len(leaves)} tasks, {duration(took)}{left}"

    def _leaves(self, path: Path) -> Iterator[Path]:
        """The tasks below *path* that do not start other runs; a for-each task counts once."""
        for child in self._rows[path].children:
            if self._rows[child].children and not self._rows[child].iterations:
                yield from self._leaves(child)
            else:
                yield child

    def _add_rows(self, path: Path, names: list[str]) -> None:
        self._rows[path].children = [(*path, name) for name in names]
        self._rows.update({child: _Row() for child in self._rows[path].children})

    def _add(self, table: Table, path: Path, label: str = "") -> None:
        row = self._rows[path]
        seconds = self.clock() - row.started if row.state in ("RUNNING", "WAITING") else row.took
        state = row.state + (f" ({row.attempt + 1})" if row.attempt else "")
        table.add_row(
            Text("  " * (len(path) - 1) + path[-1] + (f" {label}" if label else "")),
            Text(state, style=colour_of(row.state)),
            duration(seconds) if row.started else "",
            Text(self._doing(row)),
        )
        for flow in row.update.notable() if row.update else ():
            self._add_flow(table, len(path), flow, row.began.get(flow.name, 0.0))
        for child in row.children:
            if self._is_shown(row, child):
                self._add(table, child, row.iterations.get(child, ""))

    def _add_flow(self, table: Table, depth: int, flow: FlowProgress, began: float) -> None:
        runs = flow.state in (STARTING, RUNNING)
        seconds = self.clock() - began if runs else flow.seconds(flow.ended)
        table.add_row(
            Text("  " * depth + flow.short_name),
            Text(flow.state, style=colour_of_flow(flow.state)),
            duration(seconds) if flow.started else "",
            Text(" ".join((flow.said or flow.error).split())),
        )

    def _is_shown(self, row: _Row, child: Path) -> bool:
        state = self._rows[child].state
        ended_well = state == "PENDING" or meaning(state).is_fine
        return len(row.iterations) <= ITERATIONS_SHOWN or not ended_well

    def _doing(self, row: _Row) -> str:
        said = " ".join(row.said.split())
        if row.state == "WAITING":
            return f"{attempt_name(row.attempt)} in {duration(max(0.0, row.again_at - self.clock()))}: {said}"
        if row.iterations:
            return self._iterations(row)
        if row.update and not meaning(row.state).counts_as:
            return ": ".join(text for text in (row.update.said or row.update.state, said) if text)
        return ": ".join(text for text in (row.heading, said) if text)

    def _iterations(self, row: _Row) -> str:
        """`19 of 26, 4 running, 1 failed: city=Recife`."""
        states = {child: self._rows[child].state for child in row.iterations}
        counted = Counter("running" if state in ("RUNNING", "WAITING") else _end(state) for state in states.values())
        failed = [row.iterations[child] for child, state in states.items() if _end(state) == "failed"]
        done = len(states) - counted["running"] - counted["pending"]
        parts = [
            f"{done} of {len(states)}",
            *(f"{counted[end]} {end}" for end in ("running", "failed") if counted[end]),
        ]
        return ", ".join(parts) + (f": {', '.join(failed[:3])}" if failed else "")


def _end(state: str) -> str:
    if not meaning(state).counts_as:
        return "pending"
    return "done" if meaning(state).is_fine else "failed"
