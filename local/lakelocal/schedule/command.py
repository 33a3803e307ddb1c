"""What the command line calls: schedule jobs until asked to end, and simulate a schedule."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from lakelocal.bundle import Bundle
from lakelocal.catalogs import Catalogs
from lakelocal.errors import UsageError
from lakelocal.interrupts import on_interrupt
from lakelocal.pipes import print_line
from lakelocal.project import State
from lakelocal.schedule.claims import Claims
from lakelocal.schedule.clock import SystemClock
from lakelocal.schedule.history import active_runs, assumption, last_result
from lakelocal.schedule.plan import remarks
from lakelocal.schedule.report import Simulation, describe
from lakelocal.schedule.scheduler import Doing, Scheduler
from lakelocal.schedule.simulation import Assumption, simulate
from lakelocal.schedule.starting import Starter
from lakelocal.schedule.triggers import NotLocal, ScheduledJob, scheduled_jobs
from lakelocal.schedule.views import LiveTable, ScheduleLines, ScheduleView
from lakelocal.schedule.watched import Watched
from lakelocal.schedule.zones import clock_changes


def run_scheduler(
    bundle: Bundle, keys: Sequence[str], *, state: State, run_options: Sequence[str] = (), stop_runs: bool = False
) -> None:
    """Schedule the jobs *keys* of *bundle*, or all jobs with a trigger, until SIGINT or SIGTERM.

    *run_options* are passed to each `run`. Runs that were started continue after the end; with *stop_runs* they are
    cancelled.

    Raises:
        UsageError: an unknown job, or nothing that starts here.
        BundleError: a trigger that cannot be read.
    """
    jobs = scheduled_jobs(bundle, keys)
    _check_something_to_do(bundle, jobs)
    clock, view = SystemClock(), _view()
    doing = Doing(
        claims=Claims.of(state),
        start_run=Starter(bundle.root, bundle.target, state.logs / "schedule", run_options),
        active_runs=lambda: active_runs(state),
        last_result=lambda job_id: last_result(state, job_id),
        view=view,
        seen_by=Watched(lambda catalog: state if Catalogs(state).exists(catalog) else None).seen_by,
    )
    try:
        scheduler = Scheduler(jobs, clock=clock, doing=doing)
        view.note(f"target `{bundle.target}`; what was due before now is not made up; Ctrl-C ends the scheduler")
        for text in [*_left_out(bundle, keys), *map(str, scheduler.rows()), *remarks(jobs, start=scheduler.begun)]:
            view.note(text)
        with on_interrupt(clock.end):
            scheduler.run()
        scheduler.leave(stop_runs=stop_runs)
    finally:
        view.close()


def simulation(
    bundles: Sequence[tuple[Bundle, State]],
    keys: Sequence[str],
    *,
    start: datetime,
    until: datetime,
    given: Mapping[str, timedelta],
) -> Simulation:
    """Simulate the schedules of *bundles* (one per target) from *start* to *until*; nothing runs or is created.

    *given* maps job keys to the duration of their runs; see `history.assumption` for the other jobs.
    """
    jobs: list[ScheduledJob] = []
    assumed: dict[int, Assumption] = {}
    for bundle, state in bundles:
        for key in given:
            bundle.job(key)
        found = scheduled_jobs(bundle, keys)
        jobs += found
        assumed |= {job.id: assumption(job, state, given) for job in found}
    steps = list(simulate(jobs, assumed, start=start, until=until))
    changes = clock_changes((job.trigger.zone for job in jobs), start=start, until=until)
    return Simulation(start, until, jobs, assumed, steps, changes)


def _left_out(bundle: Bundle, keys: Sequence[str]) -> list[str]:
    """The jobs that are not scheduled because something is wrong with them; those that *keys* name have to be valid."""
    reasons = {} if keys else {key: bundle.why_not(key) for key in bundle.jobs}
    return [f"not scheduled: `{key}`: {reason}" for key, reason in reasons.items() if reason]


def _check_something_to_do(bundle: Bundle, jobs: Sequence[ScheduledJob]) -> None:
    if any(not job.paused and not isinstance(job.trigger, NotLocal) for job in jobs):
        return
    found = "; ".join(f"`{job.key}`: {describe(job)}" for job in jobs) or "no job has a trigger"
    raise UsageError(
        f"Bundle `{bundle.name}`, target `{bundle.target}`: nothing to schedule: {found}. Expected a job "
        "that something here starts and that is not paused. Name another --target, or set `pause_status` to UNPAUSED."
    )


def _view() -> ScheduleView:
    return LiveTable() if sys.stdout.isatty() else ScheduleLines(print_line)
