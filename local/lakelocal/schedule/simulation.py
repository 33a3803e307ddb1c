"""Simulates a schedule without running anything: pure, from assumed durations.

Each job is simulated by itself: runs that other jobs start by `run_job_task` do not count towards its limit.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, takewhile

from lakelocal.schedule.plan import QUEUE_LIMIT, Decision, Firing, Outcome, decide, firings
from lakelocal.schedule.triggers import Continuous, ScheduledJob


@dataclass(frozen=True)
class Assumption:
    """How long a run of a job is assumed to last, and the source of that assumption."""

    duration: timedelta
    source: str


@dataclass(frozen=True)
class Simulated:
    """A decision, and when its run begins and ends (UTC); None if nothing runs."""

    decision: Decision
    begins: datetime | None = None
    ends: datetime | None = None


def simulate(
    jobs: Iterable[ScheduledJob], assumed: Mapping[int, Assumption], *, start: datetime, until: datetime
) -> Iterator[Simulated]:
    """What every firing of *jobs* from *start* (inclusive) to *until* (exclusive) leads to, in order.

    *assumed* is by job id. A continuous job begins at *start* and runs back to back; if it is paused, it has no
    firings.
    """
    jobs = list(jobs)
    continuous = [job for job in jobs if isinstance(job.trigger, Continuous) and not job.paused]
    streams = [firings(jobs, start=start, after=start - timedelta(microseconds=1))]
    streams += [_back_to_back(job, assumed[job.id].duration, start) for job in continuous]
    merged = heapq.merge(*streams, key=lambda each: (each.at, each.job.key))
    free: dict[int, list[datetime]] = defaultdict(list)  # when each busy slot of a job becomes free
    for firing in takewhile(lambda each: each.at < until, merged):
        yield _admit(firing, free[firing.job.id], assumed[firing.job.id].duration)


def _admit(firing: Firing, free: list[datetime], duration: timedelta) -> Simulated:
    """Decide, and assign a slot to the run; the queue is first in, first out, so its slot is known at once."""
    while free and free[0] <= firing.at:
        heapq.heappop(free)
    decision = decide(firing, active=len(free))
    if decision.outcome is Outcome.RUN:
        begins = firing.at
    elif decision.outcome is Outcome.QUEUED and free[0] - firing.at <= QUEUE_LIMIT:
        begins = heapq.heappop(free)
    elif decision.outcome is Outcome.QUEUED:
        return Simulated(Decision(firing, Outcome.SKIPPED, f"{decision.reason}; 48 h in the queue have passed"))
    else:
        return Simulated(decision)
    heapq.heappush(free, begins + duration)
    return Simulated(decision, begins, begins + duration)


def _back_to_back(job: ScheduledJob, duration: timedelta, start: datetime) -> Iterator[Firing]:
    for number in count():
        at = start + number * duration
        yield Firing(job, at, at.replace(tzinfo=None))
