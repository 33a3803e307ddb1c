"""The runner's side of processes that are started ahead of time, each for one attempt."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import uuid
from pathlib import Path

from lakelocal.attempt.libraries import QUIET
from lakelocal.order import Order
from lakelocal.processes import ATTEMPT, kill_all


class Spare:
    """A pair of processes that imports and then waits for its order; see `lakelocal.pool.pool.Process`."""

    def __init__(self, log: Path, libraries: tuple[str, ...]) -> None:
        self.mark = uuid.uuid4().hex  # in its environment from the start: it has no context file yet
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lakelocal.attempt.spare", *libraries],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env={**os.environ, ATTEMPT: self.mark, QUIET: "1"},
                start_new_session=True,  # Ctrl-C in the terminal reaches the runner only
            )
        self.pid = self.process.pid
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        self._orders, self.events = self.process.stdin, self.process.stdout

    @property
    def waits(self) -> bool:
        """Is the process still running?"""
        return self.process.poll() is None

    def give(self, order: Order) -> None:
        """Make it run the attempt of *order*."""
        own = dataclasses.replace(order, mark=self.mark, environment={**order.environment, ATTEMPT: self.mark})
        with contextlib.suppress(BrokenPipeError):  # it has died, which `events` and `wait` report
            self._orders.write(own.line)
            self._orders.flush()

    def ask_end(self) -> None:
        """Close its standard input: it then ends itself and everything that it has started."""
        with contextlib.suppress(BrokenPipeError):
            self._orders.close()

    def wait(self, timeout: float) -> int:
        """Wait for its end; return its exit status once no process of it is left.

        Raises:
            TimeoutExpired: it is still running after *timeout* seconds.
        """
        status = self.process.wait(timeout)
        kill_all(self.mark, [self.pid])  # in case it was killed itself
        return status

    def close(self) -> None:
        """Close the pipes."""
        self.ask_end()
        self.events.close()
