"""What happens at which time, as pure functions: from jobs, a clock and the number of active runs to decisions."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, pairwise

from lakelocal.jobs.admission import QUEUE_MS, verdict
from lakelocal.schedule.events import Fired
from lakelocal.schedule.triggers import ScheduledJob

QUEUE_LIMIT = timedelta(milliseconds=QUEUE_MS)
MINIMUM_INTERVAL = timedelta(seconds=10)
LATE = timedelta(seconds=60)  # a firing noticed later than this was missed: the machine was asleep


class Outcome(StrEnum):
    """What a firing leads to."""

    RUN = "RUN"
    QUEUED = "QUEUED"
    SKIPPED = "SKIPPED"
    PAUSED = "PAUSED"
    NO_SUCH_TIME = "NO SUCH TIME"
    MISSED = "MISSED"


_ADMITTED = {"RUNNING": Outcome.RUN, "QUEUED": Outcome.QUEUED, "SKIPPED": Outcome.SKIPPED}
STARTED = (Outcome.RUN, Outcome.QUEUED, Outcome.SKIPPED)  # Databricks records a run for each of these


@dataclass(frozen=True)
class Firing:
    """A job at one of its times: *at* in UTC, *wall* on the clock of its zone, which may skip that time (*exists*).

    *fired* is what happened, if the job waits for something other than the clock.
    """

    job: ScheduledJob
    at: datetime
    wall: datetime
    exists: bool = True
    fired: Fired | None = field(default=None, compare=False)

    @property
    def slot(self) -> int:
        """The number that only one scheduler may claim for it."""
        return self.fired.slot if self.fired else self.job.trigger.slot(self.at)


@dataclass(frozen=True)
class Decision:
    """What *firing* leads to, and why."""

    firing: Firing
    outcome: Outcome
    reason: str = ""


def firings(jobs: Iterable[ScheduledJob], *, start: datetime, after: datetime) -> Iterator[Firing]:
    """The times of all *jobs* after *after*, as far as the clock determines them, in order and without end.

    *start* is when the scheduler started: periodic triggers count from it.
    """
    return heapq.merge(*(_of_job(job, start, after) for job in jobs), key=lambda each: (each.at, each.job.key))


def decide(firing: Firing, *, active: int, now: datetime | None = None) -> Decision:
    """What *firing* leads to while *active* runs of its job have not ended; *now* is when it is noticed, if later."""
    job = firing.job
    if not firing.exists:
        return Decision(firing, Outcome.NO_SUCH_TIME, f"{firing.wall:%H:%M:%S} is skipped in {job.trigger.zone.key}")
    if job.paused:
        return Decision(firing, Outcome.PAUSED, "pause_status is PAUSED")
    if now is not None and now - firing.at > LATE:
        return Decision(firing, Outcome.MISSED, "nothing ran at that time; missed firings are not made up")
    admitted = _ADMITTED[verdict(limit=job.max_concurrent_runs, active=active, waiting=0, queue=job.queue)]
    return Decision(firing, admitted, _why(admitted, job, active))


def _why(admitted: Outcome, job: ScheduledJob, active: int) -> str:
    if admitted is Outcome.RUN:
        return ""
    if job.max_concurrent_runs == 0:
        return "max_concurrent_runs is 0"
    reason = f"{active} of {job.max_concurrent_runs} concurrent runs active"
    return reason if admitted is Outcome.QUEUED else f"{reason}, no queue"


def remarks(jobs: Iterable[ScheduledJob], *, start: datetime) -> list[str]:
    """What differs from Databricks in the times of *jobs*, one sentence each."""
    return [
        f"{job.key}: fires more often than every {MINIMUM_INTERVAL.seconds} s, the least on Databricks; here as written"
        for job in jobs
        if any(later - at < MINIMUM_INTERVAL for at, later in pairwise(_next_times(job, start)))
    ]


def _next_times(job: ScheduledJob, start: datetime) -> list[datetime]:
    return [each.at for each in islice(job.trigger.occurrences(start, start), 10) if each.exists]


def _of_job(job: ScheduledJob, start: datetime, after: datetime) -> Iterator[Firing]:
    for each in job.trigger.occurrences(after, start):
        yield Firing(job, each.at, each.wall, each.exists)
