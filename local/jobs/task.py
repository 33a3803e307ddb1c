"""One task of a run: its attempts, each prepared, executed and recorded."""

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.bundle.model import Bundle, Task
from local.context import TaskContext
from local.errors import LocalError, RunError
from local.jobs import plan
from local.jobs.checks import upstream_of
from local.jobs.launch import Outcome, Places, run_notebook
from local.jobs.parameters import child_parameters, notebook_parameters
from local.jobs.records import Records, now_ms
from local.jobs.references import Scope, Upstream, resolve
from local.jobs.stop import Stop
from local.jobs.views import View
from local.pool.pool import Pool
from local.project import State

if TYPE_CHECKING:
    from local.jobs.run import JobRun

MESSAGES = {
    "UPSTREAM_FAILED": "An upstream task failed.",
    "UPSTREAM_CANCELED": "An upstream task was cancelled.",
    "EXCLUDED": "Not run: the condition of its dependencies was not met.",
    "DISABLED": "Not run: the task or what it needs is disabled.",
    "CANCELED": "Cancelled.",
}


@dataclass(frozen=True)
class Engine:
    """What all runs of one command share."""

    bundle: Bundle
    state: State
    records: Records
    view: View
    pool: Pool

    @property
    def environment(self) -> dict[str, str]:
        """What every kernel of these runs has in its environment."""
        return {
            "LOCAL_PROJECT": str(self.state.root),
            "LOCAL_STATE": str(self.state.folder.parent),
            "LOCAL_TARGET": self.bundle.target,
            "LOCAL_CATALOG": self.state.catalog,
        }


class TaskRun:
    """One task of a run with all its attempts."""

    def __init__(self, run: "JobRun", task: Task) -> None:
        self.run = run
        self.task = task
        self.engine = run.engine
        self.path = (*run.path, task.key)

    def execute(self, stop: Stop) -> str:
        """Attempt until the task succeeds or may not be tried again; the last result."""
        attempt = 0
        while True:
            start_ms, started = now_ms(), time.monotonic()
            run_id, outcome = self._attempt(attempt, start_ms, stop)
            again_at = plan.next_attempt_at(self.task, attempt=attempt, result=outcome.result, started_at=started)
            self.run.ended[self.task.key] = self._upstream(run_id, outcome.result, attempt + 1)
            took = time.monotonic() - started
            self.engine.view.task_ended(self.path, outcome.result, took, self._message(outcome))
            if again_at is None or stop.reason is not None:
                return outcome.result
            attempt += 1
            wait = max(0.0, again_at - time.monotonic())
            self.engine.view.retrying(self.path, attempt, wait)
            if stop.wait(wait):
                return "CANCELED"

    def _attempt(self, attempt: int, start_ms: int, stop: Stop) -> tuple[int, Outcome]:
        records = self.engine.records
        own = {"attempt_number": attempt, "start_time": start_ms}
        run_id = records.start_attempt(**{**described(self.task, self.run.run_id, self.engine.bundle), **own})
        self.engine.view.task_started(self.path, attempt)
        try:
            with stop.part(self.task.timeout_seconds) as own:
                outcome = self._run_kind(run_id, attempt, own)
        except LocalError as error:
            outcome = Outcome("FAILED", str(error))
        except Exception as error:  # whatever it is, the attempt has ended and is recorded so
            outcome = Outcome("FAILED", f"{type(error).__name__}: {error}", traceback.format_exc())
        records.update_attempt(
            run_id,
            life_cycle_state="TERMINATED",
            result_state=outcome.result,
            state_message=self._message(outcome),
            end_time=now_ms(),
            output_notebook=str(outcome.output) if outcome.output else None,
            notebook_result=outcome.exit_value,
            error=outcome.error or None,
            error_trace=outcome.trace or None,
        )
        return run_id, outcome

    def _run_kind(self, run_id: int, attempt: int, stop: Stop) -> Outcome:
        scope = self._scope(run_id, attempt)
        try:
            own = {name: resolve(str(value), scope) for name, value in self.task.parameters.items()}
        except LookupError as error:
            raise RunError(f"parameters of the task: {error.args[0]}. Correct the reference.") from error
        if self.task.kind == "run_job_task":
            return self._run_child(run_id, own, stop)
        parameters = notebook_parameters(own, self.run.parameters)
        self.engine.records.update_attempt(run_id, parameters=parameters)
        places = Places.of(self.engine.state, self.run.run_id, self.task.key, attempt)
        context = TaskContext(
            job_id=self.run.job.id,
            job_name=self.run.job.name,
            job_run_id=self.run.run_id,
            task_run_id=run_id,
            task_key=self.task.key,
            attempt_number=attempt,
            notebook=str(self.task.notebook),
            exit_file=str(places.inner("exit")),
            values_folder=str(places.values),
            parameters=parameters,
            upstream=upstream_of(self.run.job, self.task),
        )
        return run_notebook(self.engine.pool, context, places, self.engine.environment, stop, self._hear)

    def _run_child(self, run_id: int, own: Mapping[str, str], stop: Stop) -> Outcome:
        assert self.task.child is not None, "checked when the bundle was read"
        job = self.engine.bundle.job(self.task.child)
        parameters = child_parameters(job, own, self.run.parameters)
        child = self.run.child(job, parameters, self.path)
        self.engine.records.update_attempt(run_id, child_run_id=child.run_id, parameters=parameters)
        result = child.execute(stop)
        if stop.reason is not None:
            return Outcome(stop.reason)
        error = "" if result in plan.SUCCEEDED else f"Run {child.run_id} of job `{job.key}` ended with {result}."
        return Outcome("SUCCESS" if result in plan.SUCCEEDED else "FAILED", error)

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "cell":
            self.engine.view.cell(self.path, event["heading"], event["index"], event["total"])
        elif event["event"] == "printed":
            self.engine.view.printed(self.path, event["line"])

    def _scope(self, run_id: int, attempt: int) -> Scope:
        run = self.run
        return Scope(
            run.job.id,
            run.job.name,
            run.run_id,
            run.started_ms,
            parameters=run.parameters,
            task_key=self.task.key,
            task_run_id=run_id,
            attempt=attempt,
            notebook=str(self.task.notebook or ""),
            tasks={key: run.ended[key] for key in upstream_of(run.job, self.task) if key in run.ended},
        )

    def _upstream(self, run_id: int, result: str, attempts: int) -> Upstream:
        file = self.engine.state.runs / str(self.run.run_id) / ".values" / f"{self.task.key}.json"
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = {}
        return Upstream(run_id, result, attempts, str(self.task.notebook or ""), values)

    def _message(self, outcome: Outcome) -> str:
        if outcome.result == "TIMEDOUT":
            return f"Timed out after {self.task.timeout_seconds} seconds."
        return outcome.error or MESSAGES.get(outcome.result, "")


def described(task: Task, job_run_id: int, bundle: Bundle | None = None) -> dict[str, Any]:
    """The columns of an attempt that are known before it runs."""
    inside = bundle and task.notebook and task.notebook.is_relative_to(bundle.root)
    return {
        "job_run_id": job_run_id,
        "task_key": task.key,
        "attempt_number": 0,
        "kind": task.kind,
        "depends_on": [
            {"task_key": d.task_key, **({"outcome": d.outcome} if d.outcome else {})} for d in task.depends_on
        ],
        "run_if": task.run_if,
        "notebook_path": str(task.notebook.relative_to(bundle.root) if inside else task.notebook or ""),
    }
