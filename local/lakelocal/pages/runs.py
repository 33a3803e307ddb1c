"""Lists of runs: one line per run, with the reason if it failed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakelocal.history.reading import History
from lakelocal.history.reasons import reason_of_run
from lakelocal.history.rows import RecordedRun
from lakelocal.lakeflow.results import meaning
from lakelocal.pages.links import Links
from lakelocal.pages.triggers import trigger_in_words

# The choices of a list's filter, and the results that each of them stands for.
RESULTS = {
    "failed": ("FAILED", "TIMEDOUT", "INTERNAL_ERROR", "MAXIMUM_CONCURRENT_RUNS_REACHED"),
    "succeeded": ("SUCCESS", "SUCCESS_WITH_FAILURES"),
    "cancelled": ("CANCELED",),
}


@dataclass(frozen=True)
class RunLine:
    """A run of *catalog* in a list; times are in epoch milliseconds, *end_ms* is None while it is active.

    Its duration counts from *counted_from*: see `History.counted_from`. *trigger* is in words,
    *started_by* a link to the run that started it, or empty.
    """

    number: int
    href: str
    name: str
    job_id: int
    result: str
    start_ms: int
    counted_from: int
    end_ms: int | None
    trigger: str
    started_by: str
    parameters: str
    reason: str
    catalog: str

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is active."""
        return None if self.end_ms is None else (self.end_ms - self.counted_from) / 1000


def run_line(run: RecordedRun, history: History, links: Links, catalog: str) -> RunLine:
    """*run* of *history* as a line."""
    broke = run.end_time is not None and not meaning(run.state).is_fine
    return RunLine(
        number=links.number(run.run_id),
        href=links.run(run.run_id),
        name=run.run_name,
        job_id=run.job_id,
        result=run.state,
        start_ms=run.start_time,
        counted_from=history.counted_from(run),
        end_ms=run.end_time,
        trigger=trigger_in_words(run.trigger),
        started_by="" if run.parent_run_id is None else links.run(run.parent_run_id),
        parameters=" ".join(_given(run)),
        reason=reason_of_run(run, history.attempts(run.run_id), history) if broke else "",
        catalog=catalog,
    )


def _given(run: RecordedRun) -> Iterator[str]:
    """The parameters that differ from the defaults of the job."""
    for name, (default, value) in run.job_parameters.items():
        if value != default:
            yield f"{name}={value}"


@dataclass(frozen=True)
class Filter:
    """What a list shows: *result* is a key of `RESULTS`, `active` or empty; *text* is part of what it says."""

    result: str = ""
    job: int | None = None
    text: str = ""

    @property
    def states(self) -> Sequence[str] | None:
        return RESULTS.get(self.result)
