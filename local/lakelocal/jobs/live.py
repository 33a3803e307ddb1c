"""The live table of a run, for a terminal: each task, its state, its time, and what it is doing."""

import threading
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from lakelocal.jobs.views import Path, duration
from lakelocal.lakeflow.results import colour_of


@dataclass
class _Row:
    """One task as the table shows it; *started* and *took* are seconds."""

    state: str = "PENDING"
    started: float = 0.0
    took: float = 0.0
    attempt: int = 0
    heading: str = ""
    said: str = ""
    children: list[Path] = field(default_factory=list)


class Live:
    """Draws the table four times a second until it is closed, and leaves it standing."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._lock = threading.RLock()
        self._rows: dict[Path, _Row] = {(): _Row()}
        self._title = ""
        self._screen = Screen(console=self.console, refresh_per_second=4, get_renderable=self.table)
        self._screen.start()

    def run_started(self, path: Path, run_id: int, name: str, tasks: list[str]) -> None:
        with self._lock:
            if not path:
                self._title = f"{name}, run {run_id}"
            self._add_rows(path, tasks)

    def backfill_started(self, name: str, labels: list[str]) -> None:
        with self._lock:
            self._title = f"{name}, backfill"
            self._add_rows((), labels)

    def iterations_started(self, path: Path, names: list[str], concurrency: int) -> None:
        with self._lock:
            self._add_rows(path, names)

    def task_started(self, path: Path, attempt: int) -> None:
        with self._lock:
            row = self._rows[path]
            row.state, row.started, row.attempt = "RUNNING", time.monotonic(), attempt

    def cell(self, path: Path, heading: str, index: int, total: int) -> None:
        with self._lock:
            self._rows[path].heading = f"{index}/{total} {heading}".strip()
            self._rows[path].said = ""

    def printed(self, path: Path, line: str) -> None:
        with self._lock:
            self._rows[path].said = line

    def task_ended(self, path: Path, result: str, seconds: float, message: str) -> None:
        with self._lock:
            row = self._rows[path]
            row.state, row.took, row.heading = result, seconds, ""
            row.said = message if result != "SUCCESS" else row.said

    def retrying(self, path: Path, attempt: int, seconds: float) -> None:
        with self._lock:
            row = self._rows[path]
            row.state = "WAITING"
            row.said = f"{row.said} Attempt {attempt} begins {duration(seconds)} after {time.strftime('%H:%M:%S')}."

    def note(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        self._screen.stop()

    def table(self) -> Table:
        """The table as it stands now."""
        with self._lock:
            table = Table(title=self._title, title_justify="left", box=None, pad_edge=False, expand=True)
            table.add_column("task", no_wrap=True)
            table.add_column("state", no_wrap=True)
            table.add_column("time", justify="right", no_wrap=True)
            table.add_column("doing", ratio=1, overflow="ellipsis", no_wrap=True)
            for path in self._rows[()].children:
                self._add(table, path)
            return table

    def _add_rows(self, path: Path, names: list[str]) -> None:
        self._rows[path].children = [(*path, name) for name in names]
        self._rows.update({child: _Row() for child in self._rows[path].children})

    def _add(self, table: Table, path: Path) -> None:
        row = self._rows[path]
        seconds = time.monotonic() - row.started if row.state == "RUNNING" else row.took
        state = row.state + (f" ({row.attempt})" if row.attempt else "")
        doing = ": ".join(text for text in (row.heading, row.said) if text)
        table.add_row(
            Text("  " * (len(path) - 1) + path[-1]),
            Text(state, style=colour_of(row.state)),
            duration(seconds) if row.started else "",
            Text(doing),
        )
        for child in row.children:
            self._add(table, child)
