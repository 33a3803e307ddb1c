"""The scheduler: waits, claims what is due, starts the runs, and reports how they end.

It plans with `plan` and leaves the limits to the runs themselves: `run` applies `max_concurrent_runs` and the queue,
also with regard to runs that a person or another scheduler started. When the scheduler ends, started runs continue,
unless it is told to stop them.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from lakelocal.errors import LocalError
from lakelocal.schedule.claims import NO_PROCESS, Claims
from lakelocal.schedule.clock import Clock
from lakelocal.schedule.events import Seen, Watch
from lakelocal.schedule.plan import STARTED, Decision, Firing, Outcome, decide, firings
from lakelocal.schedule.starting import RunnerProcess, Started
from lakelocal.schedule.triggers import Continuous, ScheduledJob, Waiting
from lakelocal.schedule.views import ScheduleRow, ScheduleView

FIRST_BACKOFF = timedelta(seconds=10)  # Databricks does not publish its own periods
LONGEST_BACKOFF = timedelta(minutes=10)
LOOK = timedelta(seconds=5)  # between two looks at files and tables; Databricks looks every minute
STOP_SECONDS = 60.0  # a run needs time to end its kernels and to save their notebooks


@dataclass
class _Failures:
    """How many times in a row a continuous job has failed, and when it may run again."""

    number: int = 0
    rests_until: datetime | None = None


@dataclass(frozen=True)
class Doing:
    """What a scheduler acts through: claims, starting a run, the number of active runs by job id, and its view.

    *seen_by* is what is there for a trigger that waits for files or tables.
    """

    claims: Claims
    start_run: Callable[[Firing], Started]
    active_runs: Callable[[], dict[int, int]]
    last_result: Callable[[int], str]
    view: ScheduleView
    seen_by: Callable[[Waiting], Seen] = lambda trigger: {}


class Scheduler:
    """Fires *jobs* by *clock*, checking at least every *poll*. It ignores what was due before it began."""

    def __init__(
        self, jobs: Sequence[ScheduledJob], *, clock: Clock, doing: Doing, poll: timedelta = timedelta(seconds=1)
    ) -> None:
        self.jobs = jobs
        self.clock = clock
        self.doing = doing
        self.poll = poll
        self.begun = self.seen = clock.now()
        self.running: dict[Firing, Started] = {}
        self._failures = {job.id: _Failures() for job in jobs}
        self._watches: dict[int, Watch] = {}
        self._looked: datetime | None = None

    def run(self) -> None:
        """Fire what is due until the clock says that the scheduler is to end."""
        while True:
            self.step()
            self.doing.view.show(self.rows)
            if self.clock.wait(self.wake_up()):
                return

    def step(self) -> None:
        """Check the clock once: report which runs have ended, and start what has become due since the last check."""
        now = max(self.clock.now(), self.seen)  # if the clock is set back, nothing fires twice
        self._hear_ends(now)
        due = list(takewhile(lambda each: each.at <= now, firings(self.jobs, start=self.begun, after=self.seen)))
        due += [Firing(job, now, now.replace(tzinfo=None)) for job in self.jobs if self._may_follow(job, now)]
        due += self._events(now)
        self.seen = now
        active = self.doing.active_runs() if due else {}
        for firing in due:
            decision = decide(firing, active=active.get(firing.job.id, 0), now=now)
            if decision.outcome in STARTED:
                self._start(decision, now, active=active)
            elif not firing.job.paused:
                self._say(firing, f"{decision.outcome}: {decision.reason}")

    def replace_jobs(self, jobs: Sequence[ScheduledJob]) -> None:
        """Schedule *jobs* from now on; what is known of those that stay is kept."""
        self.jobs, self._looked = jobs, None  # a new job has to know what is there before more comes
        self._failures = {job.id: self._failures.get(job.id, _Failures()) for job in jobs}

    def leave(self, *, stop_runs: bool) -> None:
        """End the scheduler: report which runs continue, or with *stop_runs* ask them to end and wait for that."""
        processes = {
            firing: started.process
            for firing, started in self.running.items()
            if stop_runs and isinstance(started.process, RunnerProcess)
        }
        for process in processes.values():
            process.terminate()
        for firing, started in self.running.items():
            stopped = _stopped(processes[firing], started) if firing in processes else None
            self._say(firing, stopped or f"its run continues ({started.name})")
        self.doing.view.note("the scheduler has ended")

    def rows(self) -> list[ScheduleRow]:
        """The state of each job, for a table."""
        active = self.doing.active_runs()
        return [
            ScheduleRow(
                job=job.key,
                trigger=str(job.trigger),
                next=None if job.paused else self._next(job),
                zone=job.trigger.zone,
                paused=job.paused,
                active=active.get(job.id, 0),
                last=self.doing.last_result(job.id),
            )
            for job in self.jobs
        ]

    def _start(self, decision: Decision, now: datetime, *, active: dict[int, int]) -> None:
        firing = decision.firing
        job, slot = firing.job, firing.slot
        alone = isinstance(job.trigger, Continuous)
        if not self.doing.claims.take(job.id, slot, alone=alone):
            if not alone:
                self._say(firing, "another scheduler has it")
            return
        try:
            started = self.doing.start_run(firing)
        except LocalError as error:
            self.doing.claims.started(job.id, slot, NO_PROCESS)
            self._rest_after(job, failed=True, now=now)
            self._say(firing, f"no run was started: {error}")
            return
        self.doing.claims.started(job.id, slot, started.process.pid)
        self.running[firing] = started
        active[job.id] = active.get(job.id, 0) + 1
        forecast = "" if decision.outcome is Outcome.RUN else f", to be {decision.outcome}: {decision.reason}"
        self._say(firing, f"run started ({started.name}{forecast}); its output: {started.log}")

    def _hear_ends(self, now: datetime) -> None:
        for firing, started in list(self.running.items()):
            code = started.process.poll()
            if code is None:
                continue
            del self.running[firing]
            self._rest_after(firing.job, failed=bool(code), now=now)
            self._say(firing, f"run ended with exit code {code}{f': {_last_line(started.log)}' if code else ''}")

    def _rest_after(self, job: ScheduledJob, *, failed: bool, now: datetime) -> None:
        """Let *job*, if it is continuous, run again at once, or after a pause that grows with each failure in a row."""
        failures = self._failures.get(job.id, _Failures())
        failures.number = failures.number + 1 if failed else 0
        failures.rests_until = now + _backoff(failures.number) if failed else None

    def _events(self, now: datetime) -> Iterator[Firing]:
        """The firings of jobs that wait for files or tables, at most every `LOOK`.

        A paused job does not look, and begins anew when it goes on.
        """
        if self._looked is not None and now - self._looked < LOOK:
            return
        self._looked = now
        waiting = {job.id: job for job in self.jobs if isinstance(job.trigger, Waiting) and not job.paused}
        for job_id, job in waiting.items():
            assert isinstance(job.trigger, Waiting)
            watch = self._watches.get(job_id)
            if watch is None or watch.trigger != job.trigger:
                watch = self._watches[job_id] = Watch(job.trigger)
            if fired := watch.look(self.doing.seen_by(job.trigger), now):
                yield Firing(job, now, now.replace(tzinfo=None), fired=fired)
        self._watches = {job_id: watch for job_id, watch in self._watches.items() if job_id in waiting}

    def _may_follow(self, job: ScheduledJob, now: datetime) -> bool:
        """Is *job* continuous, without any active run, and past the pause after its failures?"""
        if not isinstance(job.trigger, Continuous) or job.paused or any(each.job == job for each in self.running):
            return False
        rests_until = self._failures[job.id].rests_until
        return (rests_until is None or rests_until <= now) and not self.doing.active_runs().get(job.id)

    def _next(self, job: ScheduledJob) -> datetime | None:
        """When *job* fires next, or a continuous job may run again; None if no time is known."""
        rests_until = self._failures[job.id].rests_until
        if isinstance(job.trigger, Continuous):
            return rests_until if rests_until and rests_until > self.seen else None
        return next((each.at for each in job.trigger.occurrences(self.seen, self.begun) if each.exists), None)

    def wake_up(self) -> datetime:
        """When to check the clock again."""
        times = [at for job in self.jobs if not job.paused and (at := self._next(job))]
        return min([*times, self.seen + self.poll])

    def _say(self, firing: Firing, text: str) -> None:
        self.doing.view.note(f"{firing.job.key}, {firing.at:%Y-%m-%d %H:%M:%S} UTC: {text}")


def _backoff(failures: int) -> timedelta:
    return min(FIRST_BACKOFF * (1 << min(failures - 1, 10)), LONGEST_BACKOFF)


def _stopped(process: RunnerProcess, started: Started) -> str:
    try:
        return f"stopped, exit code {process.wait(STOP_SECONDS)}"
    except subprocess.TimeoutExpired:
        return f"{started.name} does not end; see {started.log}"


def _last_line(log: Path) -> str:
    """The last line that a failed run printed, and where the rest is; a run that never began has printed nothing."""
    if not log.exists():
        return "it did not begin"
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].strip()} (all of it: {log})" if lines else f"see {log}"
