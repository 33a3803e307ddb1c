"""Starting the run of a firing: `python -m lakelocal run` in a session of its own, with its output in a log file."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from lakelocal.errors import RunError
from lakelocal.schedule.plan import Firing
from lakelocal.schedule.triggers import Continuous


class StartedRun(Protocol):
    """A run as a scheduler observes it: a process, or something that looks like one."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it is running."""


@runtime_checkable
class RunnerProcess(StartedRun, Protocol):
    """A run that a scheduler can also end: the part of `subprocess.Popen` that it uses."""

    def terminate(self) -> None:
        """Ask the process to end."""

    def wait(self, timeout: float) -> int:
        """Wait for the exit code; raises TimeoutExpired if the process does not end within *timeout* seconds."""


@dataclass(frozen=True)
class Started:
    """A run that a scheduler started, the file with its output, and what messages call it, such as `process 4711`."""

    process: StartedRun
    log: Path
    name: str


@dataclass(frozen=True)
class Starter:
    """Starts runs of the bundle in *root* for *target*, each with *options* and a file in *logs* for its output."""

    root: Path
    target: str
    logs: Path
    options: Sequence[str] = ()

    def __call__(self, firing: Firing) -> Started:
        """Start the run of *firing*.

        Raises:
            RunError: the machine has no room for the process or its log.
        """
        log = self.logs / f"{firing.job.key}-{firing.at:%Y%m%dT%H%M%SZ}.log"
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                process = subprocess.Popen(
                    self.command(firing),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the terminal reaches the scheduler only
                )
        except OSError as error:
            raise RunError(
                f"`{log}`: the run of `{firing.job.key}` cannot be started ({error}). Free memory or disk."
            ) from error
        return Started(process, log, f"process {process.pid}")

    def command(self, firing: Firing) -> list[str]:
        """The command line of the run: with its scheduled time, or with what happened, if anything did."""
        if firing.fired:
            at = ["--trigger-event", json.dumps(firing.fired.event.as_json())]
        else:
            at = [] if isinstance(firing.job.trigger, Continuous) else ["--scheduled-at", utc_text(firing.at)]
        local = [sys.executable, "-m", "lakelocal", "--project", str(self.root)]
        return [*local, "run", firing.job.key, "--target", self.target, *at, *self.options]


def utc_text(at: datetime) -> str:
    """*at* as `2026-03-29T06:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
