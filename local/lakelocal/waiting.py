"""Shows what a command is waiting for, and for how long, so that nothing is silent for more than three seconds.

In a terminal, this is a line that is updated four times a second and removed when the wait is over. Elsewhere, a line
is printed as soon as the wait is long, and another one every 15 seconds. Both go to standard error, so that results can
be piped. Only the standard library is used, since set-up runs before anything else is installed.
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
_DETAIL_LENGTH = 100  # in characters; pip, for example, lists all packages that it installs in one line
_CLEAR = "\r\x1b[K"


class Waiting:
    """A wait, as a context manager: `with waiting("stopping the server"):`.

    Create it by `waiting`; *is_terminal* and *width* describe where it is shown, *clock* returns seconds.
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
        """From now on, show *detail* after what is awaited, shortened to one line."""
        text = " ".join(detail.split())
        self.detail = text if len(text) <= _DETAIL_LENGTH else f"{text[: _DETAIL_LENGTH - 4]} ..."

    def print(self, text: str) -> None:
        """Print *text*, which ends with a line end, to standard output, above the line in the terminal."""
        with self._lock:
            if self._shown and self.is_terminal:
                self.out.write(_CLEAR)
                self.out.flush()
            sys.stdout.write(text)
            sys.stdout.flush()

    def tick(self) -> None:
        """Show the line if it is due."""
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
    """A wait for *what*, shown on standard error."""
    return Waiting(what, sys.stderr, is_terminal=sys.stderr.isatty(), width=shutil.get_terminal_size().columns)
