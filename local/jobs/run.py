"""Executing a run: asks the planner what comes next, does it in threads, and records it."""

import queue
import threading
from collections.abc import Collection, Mapping

from local.bundle.model import Job
from local.errors import RunError
from local.jobs import plan
from local.jobs.records import now_ms
from local.jobs.references import Scope, Upstream, resolve
from local.jobs.stop import Stop
from local.jobs.task import MESSAGES, Engine, TaskRun, described

_ENDED_BADLY = ("FAILED", "TIMEDOUT")


class JobRun:
    """One run of a job: the whole one, or one that a run-job task started."""

    def __init__(
        self,
        engine: Engine,
        job: Job,
        parameters: Mapping[str, str],
        *,
        path: tuple[str, ...] = (),
        parent: int | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        self.engine = engine
        self.job = job
        self.path = path
        self.only = only
        self.states: dict[str, str] = {}
        self.ended: dict[str, Upstream] = {}
        self.started_ms = now_ms()
        self.run_id = engine.records.start_run(
            job_id=job.id,
            job_key=job.key,
            run_name=job.name,
            target=engine.bundle.target,
            trigger="RUN_JOB_TASK" if parent else "ONE_TIME",
            parent_run_id=parent,
            settings=dict(job.settings),
        )
        scope = Scope(job.id, job.name, self.run_id, self.started_ms, parameters=parameters)
        self.parameters = {name: self._resolved(name, value, scope) for name, value in parameters.items()}
        recorded = {name: [job.parameters.get(name, ""), value] for name, value in self.parameters.items()}
        engine.records.update_run(self.run_id, job_parameters=recorded)

    def _resolved(self, name: str, value: str, scope: Scope) -> str:
        try:
            return resolve(value, scope)
        except LookupError as error:
            self._record_end("FAILED")
            raise RunError(f"Job `{self.job.key}`, parameter `{name}`: {error.args[0]}. Correct the value.") from error

    def execute(self, stop: Stop) -> str:
        """Run to the end; the result. Never raises for what a task does."""
        chosen = [task.key for task in plan.ordered(self.job.tasks) if self.only is None or task.key in self.only]
        self.engine.view.run_started(self.path, self.run_id, self.job.name, chosen)
        with stop.part(self.job.timeout_seconds) as own:
            self._loop(own)
            result = own.reason if own.reason else plan.run_result(self.job.tasks, self.states, self.only)
        self._record_end(result)
        return result

    def child(self, job: Job, parameters: Mapping[str, str], path: tuple[str, ...]) -> "JobRun":
        """The run of *job* that the task at *path* starts."""
        return JobRun(self.engine, job, parameters, path=path, parent=self.run_id)

    def _loop(self, stop: Stop) -> None:
        done: queue.Queue[tuple[str, str]] = queue.Queue()
        running = 0
        while True:
            step = plan.next_step(self.job.tasks, self.states, only=self.only)
            for key, result in step.ended.items():
                self._end_without_run(key, result)
            for key in step.start:
                if stop.reason is not None:
                    self._end_without_run(key, "UPSTREAM_CANCELED" if self.job.task(key).depends_on else "CANCELED")
                    continue
                self.states[key] = plan.RUNNING
                running += 1
                threading.Thread(target=self._task_thread, args=(key, stop, done), daemon=True).start()
            if running:
                key, result = done.get()
                self.states[key] = result
                running -= 1
            elif not step.start:
                return

    def _task_thread(self, key: str, stop: Stop, done: queue.Queue) -> None:
        try:
            result = TaskRun(self, self.job.task(key)).execute(stop)
        except Exception as error:  # a defect of ours must end the task, or the run would wait for ever
            self.engine.view.task_ended((*self.path, key), "FAILED", 0, f"{type(error).__name__}: {error}")
            result = "FAILED"
        done.put((key, result))

    def _end_without_run(self, key: str, result: str) -> None:
        task = self.job.task(key)
        message = MESSAGES.get(result, "")
        run_id = self.engine.records.start_attempt(
            **described(task, self.run_id), result_state=result, state_message=message, end_time=now_ms()
        )
        self.engine.records.update_attempt(run_id, life_cycle_state="TERMINATED")
        self.states[key] = result
        self.ended[key] = Upstream(run_id, result, 0)
        self.engine.view.task_ended((*self.path, key), result, 0, message)

    def _record_end(self, result: str) -> None:
        failed = next((key for key, state in self.states.items() if state in _ENDED_BADLY), None)
        message = MESSAGES.get(result, "")
        if result == "TIMEDOUT":
            message = f"Timed out after {self.job.timeout_seconds} seconds."
        elif failed and result == "FAILED":
            message = f"Task {failed} failed with message: Workload failed, see run output for details."
        self.engine.records.update_run(
            self.run_id,
            life_cycle_state="INTERNAL_ERROR" if result == "FAILED" else "TERMINATED",
            result_state=result,
            state_message=message,
            end_time=now_ms(),
        )
