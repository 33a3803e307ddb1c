"""Starts runs so that no acknowledged run is lost, and none runs twice.

    reserved     its id, its idempotency token and its content are in `jobs.db`
    recorded     the run is in the history of its state, with the server's process as its runner: now it is acknowledged
    taken over   its own process has removed it from `jobs.db`, which only one process can, and has become the runner

The process of a run belongs to no terminal, and continues when the server ends. A new server looks at the runs that
are still in `jobs.db`: it forgets those that were not recorded, since no client knows of them, and starts the others.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from lakelocal.errors import RunError, UnknownRunError
from lakelocal.history.reading import RUNNER_GONE
from lakelocal.history.records import Records, now_ms, this_process
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.admission import enter, enter_again, enter_anew
from lakelocal.jobs.new_run import Origin, columns_of
from lakelocal.lakeflow.model import Job
from lakelocal.processes import still_runs
from lakelocal.project import Project, State
from lakelocal.workspace.deployed import read_deployed
from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.job_store import DeployedJob, JobStore, Start
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.run_processes import RunProcesses


@dataclass(frozen=True)
class RunStarts:
    """Starts the runs of the workspace of *project*."""

    project: Project
    places: WorkspacePlaces
    jobs: JobStore
    history: Callable[[State], Records]
    processes: RunProcesses = field(default_factory=RunProcesses)

    def start(
        self,
        deployed: DeployedJob,
        job: Job,
        state: State,
        parameters: Mapping[str, str],
        *,
        target: str = "",
        only: Collection[str] | None = None,
        origin: Origin | None = None,
        token: str = "",
        also: Callable[[Records, int], None] | None = None,
    ) -> tuple[State, int]:
        """Record a run of *deployed*, which is *job* for the engine, and start it; return its state and its id there.

        *parameters* are all parameters of the run. If *token* belongs to an earlier run, start nothing and return
        that run. *also* may record more about the run before it starts.
        """
        records = self.history(state)
        start = Start(state.catalog, records.new_id(), 0, {"parameters": dict(parameters)})
        catalog, run_id = self.jobs.reserve(start, token)
        if run_id < 0:
            raise wrong_value(f"The run with the idempotency token `{token}` has been deleted. Use another token.")
        if (catalog, run_id) != (start.catalog, start.run_id):
            return self.project.state(catalog), run_id
        columns = columns_of(replace(job, settings=deployed.settings), target, origin or Origin(), only)
        shown = {name: [job.parameters.get(name, ""), value] for name, value in parameters.items()}
        enter(records, job, run_id=run_id, **columns, job_parameters=shown)
        if also:
            also(records, run_id)
        self._begin(records, start)
        return state, run_id

    def repair(
        self,
        deployed: DeployedJob,
        job: Job,
        state: State,
        run_id: int,
        *,
        again: Collection[str],
        parameters: Mapping[str, str],
    ) -> int:
        """Reopen the run *run_id* and run its tasks *again*; return the number of the repair.

        Raises:
            RunError: it has not ended.
        """
        records = self.history(state)
        number = records.run(run_id).repair_count + 1
        content = {"again": sorted(again), "parameters": dict(parameters)}
        start = Start(state.catalog, run_id, number, content)
        self.jobs.reserve(start)
        try:
            if enter_again(records, run_id, replace(job, settings=deployed.settings), again) != number:
                raise RunError(f"Run {run_id}: another repair has just begun. Wait until it has ended.")
        except RunError:
            self.jobs.take(state.catalog, run_id, number)
            raise
        self._begin(records, start)
        return number

    def recover(self) -> None:
        """Start the runs that an earlier server acknowledged but did not start."""
        for start in self.jobs.starts():
            records = self.history(self.project.state(start.catalog))
            try:
                run = records.run(start.run_id)
            except UnknownRunError:
                self.jobs.forget_run(start.catalog, start.run_id)
                continue
            try:
                claimed = run.repair_count == start.repair and self._claim(records, run)
            except ApiError as error:  # it cannot be read any more
                self._end_unbegun(records, start, error.message)
                continue
            if claimed:
                self._spawn(records, start)
            elif run.repair_count != start.repair or run.end_time is not None:
                self.jobs.take(start.catalog, start.run_id, start.repair)  # repaired, cancelled or skipped meanwhile

    def _claim(self, records: Records, run: RecordedRun) -> bool:
        """Become the runner of *run*, whose runner ended before the run began; False if another process has it."""
        if run.cancel_requested or (run.end_time is not None and run.state_message != RUNNER_GONE):
            return False
        if still_runs(run.pid, run.pid_started):
            return False
        as_it_was = DeployedJob(run.job_id, run.settings, 0, 0, "")
        enter_anew(records, run.run_id, read_deployed(as_it_was, self.jobs, self.places.tree).job)
        return records.run(run.run_id).end_time is None

    def _begin(self, records: Records, start: Start) -> None:
        if records.run(start.run_id).end_time is not None:  # skipped: the job has too many runs
            self.jobs.take(start.catalog, start.run_id, start.repair)
            return
        self._spawn(records, start)

    def _spawn(self, records: Records, start: Start) -> None:
        """Start the process of the run; if the process ends before it becomes the runner, end the run too."""
        log = self.places.log_of_run(start.catalog, start.run_id)

        def ended(status: int | None) -> None:
            how = f"exit code {'unknown' if status is None else status}"
            self._end_unbegun(records, start, f"Its process ended before it began ({how}). Its log: {log}")

        arguments = [str(self.project.root), start.catalog, str(start.run_id), str(start.repair)]
        try:
            self.processes.start(arguments, log, ended)
        except OSError as error:
            self._end_unbegun(records, start, f"Its process could not be started ({error.strerror}).")

    def _end_unbegun(self, records: Records, start: Start, message: str) -> None:
        self.jobs.take(start.catalog, start.run_id, start.repair)
        if not records.has_run(start.run_id):
            return  # it has been deleted
        run, own = records.run(start.run_id), this_process()
        if run.end_time is None and run.repair_count == start.repair and run.pid == own["pid"]:
            records.update_run(
                start.run_id,
                life_cycle_state="INTERNAL_ERROR",
                result_state="FAILED",
                state_message=message,
                end_time=now_ms(),
            )
