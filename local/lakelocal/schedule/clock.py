"""The time of day, for a scheduler; tests give it one of their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, and waits."""

    def now(self) -> datetime:
        """Now, aware, UTC."""

    def wait(self, until: datetime) -> bool:
        """Wait until then, or until the scheduler is asked to end; was it?"""


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
