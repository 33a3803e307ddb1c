"""The runner's side: ready processes for attempts, forked where that is safe, otherwise started ahead of time."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from lakelocal.attempt.libraries import SPARK
from lakelocal.order import Order
from lakelocal.pool.forks import FORKS, Refused, Template
from lakelocal.pool.spares import Spare

SPARES = 2
_END_SECONDS = 10.0


class AttemptProcess(Protocol):
    """The process of an attempt. *mark* identifies the processes that belong to it, *events* is its standard output."""

    pid: int
    mark: str
    events: IO[bytes]

    def ask_end(self) -> None:
        """Close its standard input: it then ends itself and everything that it has started."""

    def wait(self, timeout: float) -> int | None:
        """Wait for its end; return its exit status once no process of it is left, or None if that is not certain.

        Raises:
            TimeoutExpired: it is still running after *timeout* seconds.
        """

    def close(self) -> None:
        """Close the pipes."""


class Pool:
    """Ready processes for the attempts of one command; create it early and close it at the end.

    Args:
        log: the file for what waiting processes print, which is nothing unless something is wrong.
        spark: import Spark's client and its dependencies ahead of time too, and the modules *more*.
        note: called with a sentence if attempts will start more slowly than they could.
        forks: whether to fork at all.
        template: a template that has already begun its imports, which the pool will end; by default it starts its own.
    """

    def __init__(
        self,
        log: Path,
        *,
        spark: bool,
        more: tuple[str, ...] = (),
        note: Callable[[str], None] = lambda text: None,
        forks: bool = FORKS,
        template: Template | None = None,
    ) -> None:
        self.log = log
        self.note = note
        self.libraries = (*SPARK, *more) if spark else ()
        self._lock = threading.Lock()
        self._spares: list[Spare] = []
        self._forks = forks
        self._template = (template or Template()) if forks else None
        if self._template is not None:
            self._template.prepare(log, self.libraries)
        else:
            self._refill()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, order: Order) -> AttemptProcess:
        """Start a fresh process that runs the attempt of *order*."""
        if self._forks and self._template is not None:
            try:
                return self._template.start(order)
            except Refused as reason:
                self._fork_no_more(reason)
        spare = self._take()
        spare.give(order)
        self._refill()
        return spare

    def close(self) -> None:
        """End the processes that wait. The attempts have already ended."""
        if self._template is not None:
            self._template.close()
        for spare in self._spares:
            spare.close()
        for spare in self._spares:
            try:
                spare.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                spare.process.kill()  # its kernel, which is waiting too, ends with it
        self._spares.clear()

    def _fork_no_more(self, reason: Exception) -> None:
        with self._lock:
            told, self._forks = not self._forks, False
        if not told:
            self.note(f"attempts start more slowly from now on: {reason}. Its log: {self.log}")

    def _take(self) -> Spare:
        with self._lock:
            while self._spares:
                if (spare := self._spares.pop(0)).waits:
                    return spare
        return Spare(self.log, self.libraries)

    def _refill(self) -> None:
        with self._lock:
            while len(self._spares) < SPARES:
                self._spares.append(Spare(self.log, self.libraries))
