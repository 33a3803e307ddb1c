"""A schedule played through without running anything: pure, from assumed durations.

Each job stands for itself: runs that other jobs start by `run_job_task` do not count against its limit.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, takewhile
from zoneinfo import ZoneInfo

from local.schedule.plan import QUEUE_LIMIT, Decision, Firing, Outcome, decide, firings
from local.schedule.triggers import Continuous, ScheduledJob


@dataclass(frozen=True)
class Assumption:
    """How long a run of a job lasts, and whence that is known."""

    duration: timedelta
    source: str


@dataclass(frozen=True)
class Simulated:
    """A decision, and when its run begins and ends (UTC); None where nothing runs."""

    decision: Decision
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class ClockChange:
    """The clocks of *zone* change at *at* (UTC), from one offset to the other."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    def __str__(self) -> str:
        way = "forward" if self.after > self.before else "back"
        old, new = self.at + self.before, self.at + self.after
        return f"clocks of {self.zone} go {way} from {old:%H:%M} to {new:%H:%M}"


def simulate(
    jobs: Iterable[ScheduledJob], assumed: Mapping[int, Assumption], *, start: datetime, until: datetime
) -> Iterator[Simulated]:
    """What comes of every firing of *jobs* from *start* to before *until*, in order; *assumed* is by job id.

    A continuous job begins at *start* and follows itself; a paused one of these has no firings.
    """
    jobs = list(jobs)
    continuous = [job for job in jobs if isinstance(job.trigger, Continuous) and not job.paused]
    streams = [firings(jobs, start=start, after=start - timedelta(microseconds=1))]
    streams += [_back_to_back(job, assumed[job.id].duration, start) for job in continuous]
    merged = heapq.merge(*streams, key=lambda each: (each.at, each.job.key))
    free: dict[int, list[datetime]] = defaultdict(list)  # when each busy place of a job becomes free
    for firing in takewhile(lambda each: each.at < until, merged):
        yield _admit(firing, free[firing.job.id], assumed[firing.job.id].duration)


def clock_changes(zones: Iterable[ZoneInfo], *, start: datetime, until: datetime) -> list[ClockChange]:
    """The changes of the clocks in *zones* between *start* and *until*, in order."""
    found = [change for zone in {zone.key: zone for zone in zones}.values() for change in _changes(zone, start, until)]
    return sorted(found, key=lambda change: (change.at, change.zone))


def _admit(firing: Firing, free: list[datetime], duration: timedelta) -> Simulated:
    """Decide, and give the run its place; the queue is first in, first out, so its place is known at once."""
    while free and free[0] <= firing.at:
        heapq.heappop(free)
    decision = decide(firing, active=len(free))
    if decision.outcome is Outcome.RUN:
        begins = firing.at
    elif decision.outcome is Outcome.QUEUED and free[0] - firing.at <= QUEUE_LIMIT:
        begins = heapq.heappop(free)
    elif decision.outcome is Outcome.QUEUED:
        return Simulated(Decision(firing, Outcome.SKIPPED, f"{decision.reason}; 48 h in the queue are over"))
    else:
        return Simulated(decision)
    heapq.heappush(free, begins + duration)
    return Simulated(decision, begins, begins + duration)


def _back_to_back(job: ScheduledJob, duration: timedelta, start: datetime) -> Iterator[Firing]:
    for number in count():
        at = start + number * duration
        yield Firing(job, at, at.replace(tzinfo=None))


def _changes(zone: ZoneInfo, start: datetime, until: datetime) -> Iterator[ClockChange]:
    day = start
    while day < until:
        end = min(day + timedelta(days=1), until)
        if _offset(zone, day) != _offset(zone, end):
            yield _change(zone, day, end)
        day = end


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> ClockChange:
    """The change between *low* and *high*, found by halving."""
    before, after = _offset(zone, low), _offset(zone, high)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    at = high.replace(microsecond=0)
    return ClockChange(zone.key, at, before, after)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
