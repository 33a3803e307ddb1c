"""Deployed schedules: starts the jobs of the workspace when they are due, as long as the server runs.

It does what `python -m local schedule` does for the jobs of a bundle: it observes time zones, `pause_status`,
`max_concurrent_runs` and `queue`, claims a firing first, and does not make up for firings that were due while no
server ran. Changes to jobs take effect at once.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC

from lakelocal.errors import LocalError, RunError, UnknownRunError
from lakelocal.history.reading import History
from lakelocal.jobs.new_run import Origin
from lakelocal.lakeflow.parameters import job_parameters
from lakelocal.lakeflow.results import meaning
from lakelocal.project import State
from lakelocal.schedule.claims import NO_PROCESS, Claims
from lakelocal.schedule.clock import SystemClock
from lakelocal.schedule.history import active_runs, last_result
from lakelocal.schedule.plan import Firing
from lakelocal.schedule.scheduler import Doing, Scheduler
from lakelocal.schedule.starting import Started
from lakelocal.schedule.triggers import Continuous, ScheduledJob, kinds_of, scheduled_jobs
from lakelocal.schedule.views import ScheduleRow
from lakelocal.schedule.watched import Watched
from lakelocal.workspace.catalog_states import CatalogStates
from lakelocal.workspace.deployed import Deployed, catalog_of, read_deployed
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.job_store import JobStore
from lakelocal.workspace.origins import origin_of
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.run_numbers import RunNumbers
from lakelocal.workspace.run_starts import RunStarts

log = logging.getLogger(__name__)


def trigger_of(deployed: Deployed) -> ScheduledJob | None:
    """The trigger of the job, if it has one.

    Raises:
        FindingError: its expression, zone or interval cannot be read.
    """
    if not kinds_of(deployed.job.settings):
        return None
    (found,) = scheduled_jobs(deployed.bundle, [deployed.job.key])
    return found


@dataclass(frozen=True)
class DeployedSchedules:
    """Schedules the deployed jobs of a workspace in its own thread."""

    jobs: JobStore
    numbers: RunNumbers
    starts: RunStarts
    places: WorkspacePlaces

    def scheduled(self) -> list[ScheduledJob]:
        """The jobs with a trigger, without those that cannot run or whose trigger cannot be read."""
        found = []
        for deployed in self.jobs.jobs():
            if kinds_of(deployed.settings):
                with contextlib.suppress(LocalError, ApiError):
                    read = read_deployed(deployed, self.jobs, self.places.tree)
                    if trigger := trigger_of(read):
                        found.append(replace(trigger, key=f"{deployed.name} ({deployed.job_id})"))
        return found

    def start_run(self, firing: Firing) -> Started:
        """Start the run of *firing*.

        Raises:
            RunError: the job was deleted, cannot be read, or its run cannot be recorded.
        """
        deployed = self.jobs.job(firing.job.id)
        if deployed is None:
            raise RunError("The job has just been deleted.")
        try:
            read = read_deployed(deployed, self.jobs, self.places.tree)
        except ApiError as error:
            raise RunError(f"Job `{deployed.name}` ({deployed.job_id}): {error.message}") from error
        if firing.fired:
            origin = Origin(firing.fired.event.type, event=firing.fired.event)
        elif isinstance(firing.job.trigger, Continuous):
            origin = Origin("CONTINUOUS")
        else:
            origin = Origin("PERIODIC", scheduled=firing.at.astimezone(UTC))
        state = self.starts.project.state(catalog_of(deployed.settings, self.jobs))
        target = origin_of(deployed, self.places.tree).target
        values = job_parameters(read.job, {})
        state, run_id = self.starts.start(deployed, read.job, state, values, target=target, origin=origin)
        return Started(_Run(state, run_id), self.places.log_of_run(state.catalog, run_id), f"run {run_id}")

    def active_runs(self) -> dict[int, int]:
        """The number of runs of each job that have not ended."""
        found: dict[int, int] = {}
        for state, _ in self.numbers.states():
            for job_id, number in active_runs(state).items():
                found[job_id] = found.get(job_id, 0) + number
        return found

    def last_result(self, job_id: int) -> str:
        """How the newest run of a job ended."""
        deployed = self.jobs.job(job_id)
        return (
            last_result(self.starts.project.state(catalog_of(deployed.settings, self.jobs)), job_id) if deployed else ""
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Scheduler]:
        """Schedule inside the block."""
        clock = SystemClock()
        claims = Claims(self.places.schedule_db)
        seen_by = Watched(CatalogStates(self.starts.project).find).seen_by
        doing = Doing(claims, self.start_run, self.active_runs, self.last_result, _Logged(), seen_by)
        scheduler = Scheduler(self.scheduled(), clock=clock, doing=doing)

        def work() -> None:
            version = self.jobs.version()
            while True:
                if (now := self.jobs.version()) != version:
                    version = now
                    scheduler.replace_jobs(self.scheduled())
                try:
                    scheduler.step()
                except LocalError as error:
                    log.error("schedules: %s", error)
                except Exception:  # jobs that are due later are still started
                    log.exception("schedules")
                if clock.wait(scheduler.wake_up()):
                    return

        thread = threading.Thread(target=work, name="schedules", daemon=True)
        thread.start()
        try:
            yield scheduler
        finally:
            clock.end()
            thread.join(10)


@dataclass(frozen=True)
class _Run:
    """A run as the scheduler observes it: it checks whether it has ended. A server does not end its runs."""

    state: State
    run_id: int

    pid = NO_PROCESS  # the history knows the run, and there is only one server

    def poll(self) -> int | None:
        """0 if it succeeded or was deleted since, 1 if it did not succeed, None as long as it has not ended."""
        try:
            run = History.of(self.state).run(self.run_id)
        except UnknownRunError:
            return 0
        return None if run.end_time is None else int(not meaning(run.result_state).succeeded)


class _Logged:
    """The output of a scheduler without a terminal."""

    def note(self, text: str) -> None:
        log.info("schedules: %s", text)

    def show(self, rows: Callable[[], list[ScheduleRow]]) -> None: ...
    def close(self) -> None: ...
