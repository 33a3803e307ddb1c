"""Where a page leads: within itself, for a file, or to other pages, for a server."""

from dataclasses import dataclass
from typing import Protocol

from lakelocal.history.recorded import Attempt, Run


class Links(Protocol):
    """The addresses that the pages of runs refer to."""

    def number(self, run_id: int) -> int:
        """What people call the run *run_id*."""

    def run(self, run_id: int) -> str:
        """Where the run *run_id* is shown."""

    def attempt(self, attempt: Attempt) -> str:
        """Where *attempt* is shown; for one that failed, the cell."""


class WithinPage:
    """Links of a page that contains everything. Following one opens what it leads to."""

    def number(self, run_id: int) -> int:
        return run_id

    def run(self, run_id: int) -> str:
        return f"#run-{run_id}"

    def attempt(self, attempt: Attempt) -> str:
        return f"#attempt-{attempt.run_id}"


@dataclass(frozen=True)
class ToPages:
    """Links of a server, which calls the runs of a state by their ids there plus *offset*."""

    offset: int = 0

    def number(self, run_id: int) -> int:
        return self.offset + run_id

    def run(self, run_id: int) -> str:
        return f"/runs/{self.number(run_id)}"

    def attempt(self, attempt: Attempt) -> str:
        failed = attempt.runs_notebook and not attempt.succeeded and not attempt.is_active
        return f"{self.run(attempt.run_id)}{'#failed-cell' if failed else ''}"


def cause_link(run: Run, links: Links) -> str:
    """Where it is shown why *run* failed; empty if no task is to blame."""
    cause = run.cause
    return links.attempt(cause) if cause else ""
