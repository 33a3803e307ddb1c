"""Executing a run: asks the planner what comes next, does that in threads, and records it."""

import queue
import statistics
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.errors import LocalError, RunError
from lakelocal.history.records import now_ms
from lakelocal.jobs.admission import POLL_SECONDS, SKIPPED_RESULT, wait_for_slot
from lakelocal.jobs.attempts import Engine
from lakelocal.jobs.durations import watching
from lakelocal.jobs.new_run import Origin, record_new
from lakelocal.jobs.progress import Progress
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task import TaskRun, described
from lakelocal.lakeflow import plan
from lakelocal.lakeflow.events import ON_DURATION, ON_START, event_of
from lakelocal.lakeflow.fields import refusal
from lakelocal.lakeflow.graph import order
from lakelocal.lakeflow.model import Job
from lakelocal.lakeflow.references import Scope, Upstream, WrongReference, resolve
from lakelocal.lakeflow.results import SKIPPED, end_message, message_of


class JobRun:
    """One run of a job, started by a command or by a run-job task."""

    def __init__(
        self,
        engine: Engine,
        job: Job,
        scope: Scope,
        *,
        path: tuple[str, ...] = (),
        only: Collection[str] | None = None,
        before: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.engine = engine
        self.job = job
        self.scope = scope
        self.path = path
        self.only = only
        self.before = before
        self.progress = progress or Progress()
        self.failure = ""
        self.warnings: list[dict[str, Any]] = []

    @classmethod
    def new(
        cls,
        engine: Engine,
        job: Job,
        parameters: Mapping[str, str],
        *,
        origin: Origin | None = None,
        path: tuple[str, ...] = (),
        only: Collection[str] | None = None,
        before: Path | None = None,
    ) -> "JobRun":
        """Record a run with *parameters*, their references resolved. It may have to wait in the queue, or be skipped.

        *before* is a notebook that the state needs once, before the tasks.

        Raises:
            RunError: a reference in a parameter has no value; the run is recorded as FAILED.
        """
        scope = record_new(engine, job, origin or Origin(), only=only, before=before)
        run = cls(engine, job, scope, path=path, only=only, before=before)
        run.take_parameters(parameters)
        return run

    @property
    def run_id(self) -> int:
        return self.scope.run_id

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.scope.parameters

    @property
    def repair_count(self) -> int:
        return self.scope.repair_count

    def take_parameters(self, given: Mapping[str, str], known: Mapping[str, str] | None = None) -> None:
        """Set the run's parameters to *given*, references resolved, on top of those already *known*, and record them.

        Raises:
            RunError: a reference has no value; the run is recorded as FAILED.
        """
        self.scope = replace(self.scope, parameters={**(known or {}), **given})
        values = {**(known or {}), **{name: self._resolved(name, text) for name, text in given.items()}}
        self.scope = replace(self.scope, parameters=values)
        recorded = {name: [self.job.parameters.get(name, ""), value] for name, value in values.items()}
        self.engine.records.update_run(self.run_id, job_parameters=recorded)

    def child(self, job: Job, parameters: Mapping[str, str], path: tuple[str, ...]) -> "JobRun":
        """Create the run of *job* that the task at *path* starts."""
        return JobRun.new(self.engine, job, parameters, origin=Origin("RUN_JOB_TASK", self.run_id), path=path)

    def execute(self, stop: Stop, prepare: Callable[["JobRun", Stop], None] = lambda run, stop: None) -> str:
        """Run to the end and return the result. Never raises because of what a task does.

        *prepare* is called before the first task; if it raises a `LocalError`, the run fails.
        """
        announcer = self.engine.announcer
        with stop.part() as whole:
            result = self._unadmitted(whole)
            if result is None:
                announcer.run(ON_START, self.job, self.run_id)
                result = self._unprepared(whole, prepare) or self._execute_tasks(whole)
        if result != SKIPPED_RESULT:
            self._record_end(result)
        if event := event_of(result):
            announcer.run(event, self.job, self.run_id)
        return result

    def _unadmitted(self, stop: Stop) -> str | None:
        """The result of a run that got no slot; None as soon as the run may start."""
        run = self.engine.records.run(self.run_id)
        name = " > ".join((*self.path, f"run {self.run_id} of {self.job.name}"))
        result = run.result_state
        limit = self.job.max_concurrent_runs
        if run.life_cycle_state == "QUEUED":
            self.engine.view.note(f"{name} waits in the queue: the job has as many active runs as it allows ({limit})")
            result = wait_for_slot(self.engine.records, self.run_id, limit, stop)
        if result == SKIPPED_RESULT:
            self.engine.view.note(f"{name} is skipped: the job has as many active runs as it allows ({limit})")
        return result

    def _unprepared(self, stop: Stop, prepare: Callable[["JobRun", Stop], None]) -> str | None:
        """The result of a run that cannot begin; None if it can."""
        try:
            prepare(self, stop)
        except LocalError as error:
            self.failure = str(error)
            return stop.reason or "FAILED"
        return None

    def _execute_tasks(self, stop: Stop) -> str:
        tasks = order({task.key: task.needs for task in self.job.tasks})
        left = [key for key in tasks if key not in self.progress.states]
        chosen = [key for key in left if self.only is None or key in self.only]
        lengths = self.engine.records.seconds_taken(self.job.id) if not self.path and chosen == tasks else []
        usual = statistics.median(lengths) if lengths else 0.0
        self.engine.view.run_started(self.path, self.run_id, self.job.name, chosen, usual)
        with stop.part(self.job.timeout_seconds) as own, watching(self.job.settings, self._takes_long):
            self._loop(own)
            return own.reason or plan.run_result(self.job.tasks, self.progress.states, self.only)

    def _loop(self, stop: Stop) -> None:
        done: queue.Queue[tuple[str, str]] = queue.Queue()
        running = 0
        while True:
            step = plan.next_step(self.job.tasks, self.progress.states, outcomes=self.progress.outcomes, only=self.only)
            for key, result in step.ended.items():
                self._end_without_run(key, result, message_of(result))
            started = [key for key in step.start if self._start(key, stop, done)]
            running += len(started)
            if len(started) < len(step.start):
                continue  # tasks that ended at once may let others start
            if not running:
                return
            key, result = self._next_end(done, stop)
            self.progress.states[key] = result
            running -= 1

    def _start(self, key: str, stop: Stop, done: queue.Queue[tuple[str, str]]) -> bool:
        """Start the task in a thread of its own; return False if it ended at once instead."""
        task = self.job.task(key)
        if stop.reason is not None:
            result = "UPSTREAM_CANCELED" if task.depends_on else "CANCELED"
            self._end_without_run(key, result, message_of(result))
            return False
        if (refused := refusal(self.job, task)) and self.engine.skip_unsupported:
            what = refused.what.replace("`", "")
            message = f"{what[0].upper()}{what[1:]} does not run locally; it was passed over."
            self._end_without_run(key, SKIPPED, message)
            return False
        self.progress.states[key] = plan.RUNNING
        threading.Thread(target=self._task_thread, args=(key, stop, done), daemon=True).start()
        return True

    def _next_end(self, done: queue.Queue[tuple[str, str]], stop: Stop) -> tuple[str, str]:
        """Wait for the next task to end and return its key and result; meanwhile, watch for a request to cancel."""
        while True:
            try:
                return done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if stop.reason is None and self.engine.records.cancel_requested(self.run_id):
                    stop.request("CANCELED")

    def _task_thread(self, key: str, stop: Stop, done: queue.Queue[tuple[str, str]]) -> None:
        try:
            result = TaskRun(self, self.job.task(key)).execute(stop)
        except Exception as error:  # a bug of the runner must end the task, or the run would wait for ever
            self.engine.view.task_ended((*self.path, key), "FAILED", 0, f"{type(error).__name__}: {error}")
            result = "FAILED"
        done.put((key, result))

    def _takes_long(self, rule: dict[str, Any]) -> None:
        self.warnings.append({**rule, "exceeded_at": now_ms()})
        self.engine.records.update_run(self.run_id, health_warnings=self.warnings)
        self.engine.view.note(f"warning: run {self.run_id} takes longer than {rule['value']} s (health rule)")
        self.engine.announcer.run(ON_DURATION, self.job, self.run_id)

    def _resolved(self, name: str, text: str) -> str:
        try:
            return resolve(text, self.scope)
        except WrongReference as error:
            self._record_end("FAILED")
            raise RunError(f"Job `{self.job.key}`, parameter `{name}`: {error}") from error

    def _end_without_run(self, key: str, result: str, message: str) -> None:
        columns = described(self.job.task(key), self.run_id, self.engine.bundle)
        skipped, now = result == SKIPPED, now_ms()
        run_id = self.engine.records.start_attempt(
            **{**columns, "attempt_number": self.progress.next_number(key), "repair": self.repair_count},
            life_cycle_state="SKIPPED" if skipped else "TERMINATED",
            result_state=None if skipped else result,
            state_message=message,
            start_time=now,
            end_time=now,
        )
        self.progress.states[key] = result
        self.progress.ended[key] = Upstream(run_id, result, self.progress.ran.get(key, 0))
        if event := event_of(result):
            announcer, task = self.engine.announcer, self.job.task(key)
            announcer.task(event, self.job, task, run_id=self.run_id, attempt_id=run_id, last=True)
        self.engine.view.task_ended((*self.path, key), result, 0, message)

    def _record_end(self, result: str) -> None:
        why = end_message(result, self.progress.states, timeout_seconds=self.job.timeout_seconds)
        self.engine.records.update_run(
            self.run_id,
            life_cycle_state="INTERNAL_ERROR" if result == "FAILED" else "TERMINATED",
            result_state=result,
            state_message=self.failure or why,
            end_time=now_ms(),
        )
