"""What a page links to: parts of itself in an exported file, other pages on a server."""

from dataclasses import dataclass
from typing import Protocol

from lakelocal.history.filters import JOB_RUN
from lakelocal.history.recorded import Attempt, Run


class Links(Protocol):
    """The addresses that pages about runs link to."""

    def number(self, run_id: int) -> int:
        """The number by which users know the run *run_id*."""

    def run(self, run_id: int) -> str:
        """Where the run *run_id* is shown."""

    def job(self, run: Run) -> str:
        """Where the job of *run* is shown; empty if it is not."""

    def attempt(self, attempt: Attempt) -> str:
        """Where *attempt* is shown; if it failed, the cell that failed."""


class WithinPage:
    """Links of a page that contains everything. Following one unfolds its target."""

    def number(self, run_id: int) -> int:
        return run_id

    def run(self, run_id: int) -> str:
        return f"#run-{run_id}"

    def job(self, run: Run) -> str:
        return ""

    def attempt(self, attempt: Attempt) -> str:
        return f"#attempt-{attempt.run_id}"


@dataclass(frozen=True)
class ToPages:
    """Links of a server, where the number of a run is its id in its state plus *offset*."""

    offset: int = 0

    def number(self, run_id: int) -> int:
        return self.offset + run_id

    def run(self, run_id: int) -> str:
        return f"/runs/{self.number(run_id)}"

    def job(self, run: Run) -> str:
        return f"/jobs/{run.shape['job_id']}" if run.shape["run_type"] == JOB_RUN else ""

    def attempt(self, attempt: Attempt) -> str:
        failed = attempt.runs_notebook and not attempt.succeeded and not attempt.is_active
        return f"{self.run(attempt.run_id)}{'#failed-cell' if failed else ''}"


def cause_link(run: Run, links: Links) -> str:
    """The address of the place that shows why *run* failed; empty if no task caused it."""
    cause = run.cause
    return links.attempt(cause) if cause else ""
