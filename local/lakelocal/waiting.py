"""Telling what a command is waiting for, and for how long: nothing stays silent for more than three seconds.

In a terminal one line shows it, four times a second, and is gone when the wait is over. Elsewhere it is a line as soon
as it takes long, and another each quarter of a minute. Both go to standard error, so that results can be piped.
Only the standard library is used: set-up runs before there is anything else.
"""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

LONG_SECONDS = 2.0
AGAIN_SECONDS = 15.0
_TICK_SECONDS = 0.25
_CLEAR = "\r\x1b[K"


class Waiting:
    """The time in which something is awaited, as a context: `with waiting("stopping the server"):`.

    Use `waiting`; *is_terminal*, *width* and *clock* (seconds) are of the surroundings.
    """

    def __init__(
        self, what: str, out: TextIO, *, is_terminal: bool, width: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what = what
        self.out = out
        self.is_terminal = is_terminal
        self.width = width
        self.clock = clock
        self.detail = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._begun = self._last = clock()
        self._shown = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def tell(self, detail: str) -> None:
        """Show *detail* behind what is awaited, from now on."""
        self.detail = " ".join(detail.split())

    def print(self, text: str) -> None:
        """Print *text*, which ends its line, to standard output, where the line in the terminal stands."""
        with self._lock:
            if self._shown and self.is_terminal:
                self.out.write(_CLEAR)
                self.out.flush()
            sys.stdout.write(text)
            sys.stdout.flush()

    def tick(self) -> None:
        """Show what is due."""
        now = self.clock()
        with self._lock:
            if self._over.is_set() or now - self._begun < LONG_SECONDS:
                return
            if self.is_terminal:
                self.out.write(f"{_CLEAR}{self._line(now)[: self.width - 1]}")
                self.out.flush()
            elif not self._shown or now - self._last >= AGAIN_SECONDS:
                self._last = now
                self.out.write(f"{self._line(now)}\n")
                self.out.flush()
            self._shown = True

    def __enter__(self) -> "Waiting":
        self._begun = self._last = self.clock()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._over.set()
            if self._shown and self.is_terminal:
                self.out.write(_CLEAR)
                self.out.flush()

    def _line(self, now: float) -> str:
        return f"{self.what} ... {now - self._begun:.0f} s{f': {self.detail}' if self.detail else ''}"

    def _watch(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            self.tick()


def waiting(what: str) -> Waiting:
    """A wait for *what*, told on standard error."""
    return Waiting(what, sys.stderr, is_terminal=sys.stderr.isatty(), width=shutil.get_terminal_size().columns)
