"""The time of day for a scheduler; tests use a clock of their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """The current time, timezone-aware, in UTC."""

    def wait(self, until: datetime) -> bool:
        """Wait until then, or until the scheduler is asked to end; return whether it was asked."""


class SystemClock:
    """The clock of this machine."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, until: datetime) -> bool:
        return self._ended.wait(max(0.0, (until - self.now()).total_seconds()))

    def end(self) -> None:
        """Ask the scheduler to end."""
        self._ended.set()
