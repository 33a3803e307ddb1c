"""Where a page leads: within itself, for a file, or to other pages, for a server."""

from typing import Protocol

from lakelocal.history.recorded import Attempt, Run


class Links(Protocol):
    """The addresses that the pages of runs refer to."""

    def run(self, run_id: int) -> str:
        """Where the run *run_id* is shown."""

    def attempt(self, attempt: Attempt) -> str:
        """Where *attempt* is shown; for one that failed, the cell."""


class WithinPage:
    """Links of a page that contains everything. Following one opens what it leads to."""

    def run(self, run_id: int) -> str:
        return f"#run-{run_id}"

    def attempt(self, attempt: Attempt) -> str:
        return f"#attempt-{attempt.run_id}"


def cause_link(run: Run, links: Links) -> str:
    """Where it is shown why *run* failed; empty if no task is to blame."""
    cause = run.cause
    return links.attempt(cause) if cause else ""
