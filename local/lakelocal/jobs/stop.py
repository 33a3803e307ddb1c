"""Asking running work to end: because of Ctrl-C, a timeout, or the end of the work that it is part of."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop:
    """A request to end, made at most once. *reason* is then the result: `CANCELED` or `TIMEDOUT`."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def request(self, reason: str) -> None:
        """Ask the work to end; later requests have no effect."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            callbacks = list(self._callbacks)
        self._event.set()
        for callback in callbacks:
            callback()

    def wait(self, seconds: float) -> bool:
        """Wait up to *seconds* for a request; return whether there was one."""
        return self._event.wait(max(0.0, seconds))

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call *callback* once if the end is requested inside this block, or was before it."""
        with self._lock:
            late = self.reason is not None
            self._callbacks.append(callback)
        if late:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    @contextmanager
    def part(self, timeout_seconds: float = 0) -> "Iterator[Stop]":
        """A stop for part of this work: `CANCELED` with the whole, `TIMEDOUT` after *timeout_seconds* (0: never)."""
        part = Stop()
        timer = threading.Timer(timeout_seconds, part.request, ["TIMEDOUT"])
        timer.daemon = True
        with self.calling(lambda: part.request("CANCELED")):
            if timeout_seconds > 0:
                timer.start()
            try:
                yield part
            finally:
                timer.cancel()
