"""Views of a scheduler: a live table in a terminal, otherwise one line per event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class ScheduleRow:
    """One job as a row of the table; *next* is None if no time is known."""

    job: str
    trigger: str
    next: datetime | None
    zone: ZoneInfo
    paused: bool
    active: int
    last: str

    def __str__(self) -> str:
        state = "PAUSED" if self.paused else f"next {self.next:%Y-%m-%d %H:%M:%S} UTC" if self.next else ""
        return ", ".join(text for text in (f"{self.job}: {self.trigger}", state) if text)


class ScheduleView(Protocol):
    """Receives the events of a scheduler."""

    def note(self, text: str) -> None:
        """Something happened that the user should see."""

    def show(self, rows: Callable[[], list[ScheduleRow]]) -> None:
        """A step is over; *rows* reads the current state of the jobs, which queries the run history."""

    def close(self) -> None:
        """The scheduler has ended."""


class ScheduleLines:
    """One line per event, with the time of day (local)."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write = write

    def note(self, text: str) -> None:
        self.write(f"{datetime.now():%H:%M:%S}  {text}")

    def show(self, rows: Callable[[], list[ScheduleRow]]) -> None: ...
    def close(self) -> None: ...


class LiveTable:
    """The table of the jobs, redrawn at each step, below the lines of the events."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._screen = Live(console=self.console, auto_refresh=False)
        self._screen.start()

    def note(self, text: str) -> None:
        self.console.print(Text(f"{datetime.now():%H:%M:%S}  {text}"), soft_wrap=True)

    def show(self, rows: Callable[[], list[ScheduleRow]]) -> None:
        self._screen.update(table(rows()), refresh=True)

    def close(self) -> None:
        self._screen.stop()


def table(rows: list[ScheduleRow]) -> Table:
    """The table with the current state of the jobs."""
    names = ("job", "trigger", "next (UTC)", "next (its zone)", "active runs", "last result")
    result = Table(*names, box=None, pad_edge=False)
    for row in rows:
        result.add_row(
            Text(row.job),
            Text(row.trigger),
            Text("PAUSED", style="dim") if row.paused else Text(f"{row.next:%Y-%m-%d %H:%M:%S}" if row.next else ""),
            Text(f"{row.next.astimezone(row.zone):%a %H:%M:%S %z}" if row.next else ""),
            Text(str(row.active) if row.active else "", style="cyan"),
            Text(row.last),
        )
    return result
