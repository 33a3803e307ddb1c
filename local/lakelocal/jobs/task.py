"""One task of a run: its attempts, each of which is prepared, executed and recorded."""

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.attempt.banner import show_reason
from lakelocal.attempt.failures import failed_cell
from lakelocal.bundle.workspace_values import explanation
from lakelocal.errors import LocalError, RunError
from lakelocal.history.reasons import shortened
from lakelocal.history.records import now_ms
from lakelocal.jobs.attempts import ParentRun, TaskAttempt
from lakelocal.jobs.durations import watching
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.progress import file_name, left_behind
from lakelocal.jobs.selection import upstream_of
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types import RUNNERS
from lakelocal.lakeflow import plan
from lakelocal.lakeflow.events import ON_DURATION, ON_START, event_of
from lakelocal.lakeflow.fields import refusal
from lakelocal.lakeflow.model import Bundle, Task
from lakelocal.lakeflow.references import Absent, Scope
from lakelocal.lakeflow.results import meaning, message_of
from lakelocal.lakeflow.task_types.for_each import input_text


class TaskRun:
    """One task of a run with all its attempts; or one iteration of a for-each task, which runs the nested task.

    *place* is the task as it appears in the job's graph: for an iteration, the for-each task.
    """

    def __init__(self, run: ParentRun, task: Task) -> None:
        self.run = run
        self.task = task
        self.place = task
        self.engine = run.engine
        self.path = (*run.path, task.key)
        self.name = file_name(task.key)
        self.input: Any = Absent
        self.error = ""
        self.described: dict[str, Any] = described(task, run.run_id, self.engine.bundle)

    def iteration(self, index: int, value: Any) -> "TaskRun":
        """The run of the nested task for the input *value*, which is element *index* of the inputs."""
        assert self.task.nested is not None, "checked when the bundle was read"
        found = TaskRun(self.run, self.task.nested)
        found.place = self.task
        found.path = (*self.path, f"{self.task.nested.key}[{index}]")
        found.described["iteration"] = {"for_each_task_key": self.task.key, "index": index, "input": value}
        found.name = file_name(self.task.nested.key, found.described["iteration"])
        found.input = value
        return found

    def show_iterations(self, inputs: Sequence[Any], concurrency: int) -> None:
        """Tell the view which iterations follow; they are named after the nested task: `load[3]`."""
        assert self.task.nested is not None, "checked when the bundle was read"
        names = [f"{self.task.nested.key}[{index}]" for index in range(len(inputs))]
        self.engine.view.iterations_started(self.path, names, [input_text(each) for each in inputs], concurrency)

    def execute(self, stop: Stop) -> str:
        """Attempt the task until it succeeds or may not be retried; return the last result."""
        retry = 0
        while True:
            number, before = self.run.progress.begin(self.name)
            start_ms, started = now_ms(), time.monotonic()
            run_id, outcome = self._attempt(number, before, start_ms, stop)
            self.error = self._message(outcome)
            again_at = plan.next_attempt_at(self.task, attempt=retry, result=outcome.result, started_at=started)
            if self.task.not_here is not None:
                again_at = None  # a retry would find the same
            last = again_at is None or stop.reason is not None
            if self.place is self.task:
                self.run.progress.ended[self.task.key] = left_behind(
                    self.engine.state, self.run.run_id, self.task, run_id, outcome.result, before + 1
                )
            if event := event_of(outcome.result):
                self._tell(event, run_id, last)
            self.engine.view.task_ended(self.path, outcome.result, time.monotonic() - started, self.error)
            if again_at is None or last:
                return outcome.result
            retry += 1
            wait = max(0.0, again_at - time.monotonic())
            self.engine.view.retrying(self.path, number + 1, wait)
            if stop.wait(wait):
                return "CANCELED"

    def hear(self, event: Mapping[str, Any]) -> None:
        """Show an event from the attempt's process."""
        if event["event"] == "cell":
            self.engine.view.cell(self.path, event["heading"], event["index"], event["total"])
        elif event["event"] == "printed":
            self.engine.view.printed(self.path, event["line"])
        elif event["event"] == "progress":
            self.engine.view.progress(self.path, event["done"], event["total"])

    def _attempt(self, number: int, before: int, start_ms: int, stop: Stop) -> tuple[int, Outcome]:
        own = {"attempt_number": number, "repair": self.run.repair_count, "start_time": start_ms}
        run_id = self.engine.records.start_attempt(**{**self.described, **own})
        self.engine.view.task_started(self.path, number)
        self._tell(ON_START, run_id, False)
        attempt = TaskAttempt(self, self.task, run_id, number, self.name, self._scope(run_id, before))
        warnings: list[dict[str, Any]] = []

        def exceeded(rule: dict[str, Any]) -> None:
            warnings.append({**rule, "exceeded_at": now_ms()})
            attempt.record(health_warnings=warnings)
            self.engine.view.note(f"warning: {' > '.join(self.path)} takes longer than {rule['value']} s (health rule)")
            self._tell(ON_DURATION, run_id, False)

        try:
            with stop.part(self.task.timeout_seconds) as part, watching(self.task.settings, exceeded):
                outcome = self._run_here(attempt, part)
        except LocalError as error:
            outcome = Outcome("FAILED", str(error))
        except Exception as error:  # whatever it is, the attempt has ended and is recorded as failed
            outcome = Outcome("FAILED", f"{type(error).__name__}: {error}", traceback.format_exc())
        if outcome.error:
            more = explanation(self.run.job, self.task, self.run.parameters)
            outcome = replace(outcome, error=f"{outcome.error}{more}")
        if outcome.result == "TIMEDOUT" and outcome.output:
            outcome = replace(outcome, error=self._too_late(outcome.output))
        if outcome.output and not meaning(outcome.result).is_fine:
            show_reason(outcome.output, outcome.result, shortened(self._message(outcome)))
        attempt.record(
            life_cycle_state="TERMINATED",
            result_state=outcome.result,
            state_message=self._recorded(outcome),
            end_time=now_ms(),
            output_notebook=str(outcome.output) if outcome.output else None,
            notebook_result=outcome.exit_value,
            error=outcome.error or None,
            error_trace=outcome.trace or None,
        )
        return run_id, outcome

    def _run_here(self, attempt: TaskAttempt, part: Stop) -> Outcome:
        if (refused := refusal(self.run.job, self.task)) and refused.late:
            raise RunError(f"`{self.task.where}`: job `{self.run.job.key}`, task `{self.task.key}`: {refused}")
        return RUNNERS[self.task.kind](attempt, part)

    def _tell(self, event: str, attempt_id: int, last: bool) -> None:
        run = self.run
        self.engine.announcer.task(event, run.job, self.task, run_id=run.run_id, attempt_id=attempt_id, last=last)

    def _scope(self, run_id: int, before: int) -> Scope:
        run = self.run
        ended = run.progress.ended
        return replace(
            run.scope,
            parameters=run.parameters,
            task_key=self.task.key,
            task_run_id=run_id,
            attempt=before,
            notebook=str(self.task.notebook or ""),
            tasks={key: ended[key] for key in upstream_of(run.job, self.place) if key in ended},
            input=self.input,
        )

    def _too_late(self, output: Path) -> str:
        place = failed_cell(output)
        return (
            f"timed out after {self.task.timeout_seconds} seconds{f', in {place}' if place else ''}; make it faster, "
            "or raise `timeout_seconds` of the task."
        )

    def _recorded(self, outcome: Outcome) -> str:
        late = outcome.result == "TIMEDOUT"  # Databricks has a sentence of its own for it
        return message_of("TIMEDOUT", timeout_seconds=self.task.timeout_seconds) if late else self._message(outcome)

    def _message(self, outcome: Outcome) -> str:
        return outcome.error or message_of(outcome.result, timeout_seconds=self.task.timeout_seconds)


def described(task: Task, job_run_id: int, bundle: Bundle | None = None) -> dict[str, Any]:
    """The columns of an attempt that are known before it runs."""
    notebook = task.notebook
    if bundle and notebook and notebook.is_relative_to(bundle.root):
        notebook = notebook.relative_to(bundle.root)
    return {
        "job_run_id": job_run_id,
        "task_key": task.key,
        "attempt_number": 0,
        "kind": task.kind,
        "depends_on": [
            {"task_key": d.task_key, **({"outcome": d.outcome} if d.outcome else {})} for d in task.depends_on
        ],
        "run_if": task.run_if,
        "notebook_path": str(notebook or ""),
    }
