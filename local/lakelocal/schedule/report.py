"""Times, decisions and simulations as JSON values and as tables for people. Times are UTC unless they name a zone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from lakelocal.schedule.plan import Firing, Outcome
from lakelocal.schedule.quartz import Occurrence
from lakelocal.schedule.simulation import Assumption, Simulated
from lakelocal.schedule.starting import utc_text
from lakelocal.schedule.triggers import ScheduledJob
from lakelocal.schedule.zones import ClockChange

_STYLES = {Outcome.RUN: "green", Outcome.QUEUED: "yellow", Outcome.SKIPPED: "red", Outcome.NO_SUCH_TIME: "magenta"}


@dataclass(frozen=True)
class Simulation:
    """The input and the outcome of a simulation; *assumed* is by job id."""

    start: datetime
    until: datetime
    jobs: Sequence[ScheduledJob]
    assumed: Mapping[int, Assumption]
    steps: Sequence[Simulated]
    changes: Sequence[ClockChange]

    def as_json(self) -> dict[str, Any]:
        """The value for `--json`: the period, the jobs with what is assumed, the clock changes, and every firing."""
        return {
            "from": utc_text(self.start),
            "until": utc_text(self.until),
            "jobs": [
                {
                    **_head(job),
                    "max_concurrent_runs": job.max_concurrent_runs,
                    "queue": job.queue,
                    "assumed_seconds": self.assumed[job.id].duration.total_seconds(),
                    "assumption": self.assumed[job.id].source,
                    "outcomes": dict(self._outcomes(job)),
                }
                for job in self.jobs
            ],
            "clock_changes": [
                {
                    "timezone": change.zone,
                    "at": utc_text(change.at),
                    "offset_seconds_before": change.before.total_seconds(),
                    "offset_seconds_after": change.after.total_seconds(),
                }
                for change in self.changes
            ],
            "firings": [_step(step) for step in self.steps],
        }

    def firings(self) -> Table:
        """A table with one row per firing, and one per clock change; those of paused jobs are only counted below it.

        The local time is shown if a job has another zone than UTC.
        """
        rows = [row for _, row in sorted(self._rows(), key=lambda each: each[0])]
        names = ["UTC", "in its zone", "target", "job", "outcome", ""]
        if all(job.trigger.zone.key == "UTC" for job in self.jobs):
            names, rows = [names[0], *names[2:]], [[row[0], *row[2:]] for row in rows]
        result = Table(*names, box=None, pad_edge=False)
        for row in rows:
            result.add_row(*row)
        return result

    def summary(self) -> Table:
        """A table with one row per job: its trigger, its assumed duration, and how often each outcome occurred."""
        result = Table("target", "job", "trigger", "a run lasts", "outcomes", box=None, pad_edge=False)
        for job in self.jobs:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in self._outcomes(job).items())
            assumed = self.assumed[job.id]
            lasts = f"{assumed.duration} ({assumed.source})"
            result.add_row(*map(Text, (job.target, job.key, describe(job), lasts, counts or "no firings")))
        return result

    def _rows(self) -> Iterator[tuple[datetime, list[Text]]]:
        for change in self.changes:
            yield change.at, [Text(f"{change.at:%Y-%m-%d %H:%M:%S}"), *[Text("")] * 4, Text(str(change), "magenta")]
        for step in self.steps:
            if step.decision.outcome is Outcome.PAUSED:
                continue
            firing, outcome = step.decision.firing, step.decision.outcome
            words = [f"{firing.at:%Y-%m-%d %H:%M:%S}", _local(firing.job, firing), firing.job.target, firing.job.key]
            styled = Text(outcome, _STYLES.get(outcome, "dim"))
            yield firing.at, [*map(Text, words), styled, Text(_detail(step))]

    def _outcomes(self, job: ScheduledJob) -> Counter[str]:
        return Counter(str(step.decision.outcome) for step in self.steps if step.decision.firing.job is job)


def next_times(job: ScheduledJob, start: datetime, number: int) -> list[Occurrence]:
    """The next *number* firings of *job* after *start*, and the local times among them that its zone skips."""
    found: list[Occurrence] = []
    for each in job.trigger.occurrences(start, start):
        if number <= 0:
            break
        found.append(each)
        number -= each.exists
    return found


def next_json(job: ScheduledJob, times: Sequence[Occurrence]) -> dict[str, Any]:
    """The next times of *job* as a value for `--json`."""
    return {
        **_head(job),
        "times": [
            {"scheduled_at": utc_text(each.at), "local_time": each.wall.isoformat(), "exists": each.exists}
            for each in times
        ],
    }


def next_table(job: ScheduledJob, times: Sequence[Occurrence]) -> Table:
    """A table with one row per time; those that the zone skips are marked."""
    result = Table("UTC", f"in {job.trigger.zone.key}", "", box=None, pad_edge=False)
    for each in times:
        mark = "" if each.exists else f"{Outcome.NO_SUCH_TIME}: the clocks go forward past it"
        result.add_row(f"{each.at:%Y-%m-%d %H:%M:%S}" if each.exists else "", _local(job, each), mark)
    return result


def describe(job: ScheduledJob) -> str:
    """The trigger of *job*, and whether it is paused."""
    return f"{job.trigger}{', PAUSED' if job.paused else ''}"


def _head(job: ScheduledJob) -> dict[str, Any]:
    return {
        "target": job.target,
        "job": job.key,
        "job_id": job.id,
        "trigger": str(job.trigger),
        "timezone": job.trigger.zone.key,
        "pause_status": "PAUSED" if job.paused else "UNPAUSED",
    }


def _step(step: Simulated) -> dict[str, Any]:
    firing = step.decision.firing
    return {
        "target": firing.job.target,
        "job": firing.job.key,
        "scheduled_at": utc_text(firing.at),
        "local_time": firing.wall.isoformat(),
        "outcome": str(step.decision.outcome),
        "reason": step.decision.reason,
        "begins": utc_text(step.begins) if step.begins else None,
        "ends": utc_text(step.ends) if step.ends else None,
    }


def _local(job: ScheduledJob, time: Firing | Occurrence) -> str:
    """The local time of a firing or an occurrence, with its offset if it exists."""
    offset = f"{time.at.astimezone(job.trigger.zone):%z}" if time.exists else ""
    return f"{time.wall:%a %Y-%m-%d %H:%M:%S} {offset}".rstrip()


def _detail(step: Simulated) -> str:
    if step.begins is None or step.ends is None:
        return step.decision.reason
    waited = step.begins - step.decision.firing.at
    begins = f"{step.decision.reason}; begins {step.begins:%m-%d %H:%M:%S}, " if waited else ""
    return f"{begins}ends {step.ends:%m-%d %H:%M:%S}"
