"""The progress of a run: what is known of its tasks while it is running."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakelocal.history.rows import RecordedAttempt
from lakelocal.lakeflow.model import Job, Task
from lakelocal.lakeflow.references import Upstream
from lakelocal.lakeflow.results import meaning
from lakelocal.project import State


@dataclass
class Progress:
    """What is known of the tasks of a run.

    *states* is what the planner works on, *outcomes* the results of condition tasks, *ended* what references may read.
    *numbered* and *ran* count, by file name, the recorded attempts and those that actually ran.
    """

    states: dict[str, str] = field(default_factory=dict)
    ended: dict[str, Upstream] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    numbered: dict[str, int] = field(default_factory=dict)
    ran: dict[str, int] = field(default_factory=dict)

    def next_number(self, name: str) -> int:
        """The number of the next attempt, which continues through retries and repairs."""
        number = self.numbered.get(name, 0)
        self.numbered[name] = number + 1
        return number

    def begin(self, name: str) -> tuple[int, int]:
        """The number of an attempt that begins now, and how many attempts ran before it."""
        before = self.ran.get(name, 0)
        self.ran[name] = before + 1
        return self.next_number(name), before


def file_name(task_key: str, iteration: Mapping[str, Any] | None = None) -> str:
    """The name of a task's files: its key; for an iteration, the key of the for-each task and the index."""
    return f"{iteration['for_each_task_key']}.{iteration['index']}" if iteration else task_key


def last_results(attempts: Iterable[RecordedAttempt]) -> dict[str, str]:
    """The last result of each task in *attempts*, without iterations."""
    return {attempt.task_key: attempt.state for attempt in attempts if attempt.iteration is None}


def earlier_progress(
    job: Job, attempts: Sequence[RecordedAttempt], *, again: Collection[str], state: State, run_id: int
) -> Progress:
    """The progress of a run that is being repaired: what its recorded *attempts* left, except for the tasks *again*."""
    progress = Progress()
    last = {attempt.task_key: attempt for attempt in attempts if attempt.iteration is None}
    for attempt in attempts:
        name = file_name(attempt.task_key, attempt.iteration)
        progress.numbered[name] = attempt.attempt_number + 1
        progress.ran[name] = progress.ran.get(name, 0) + meaning(attempt.state).ran
    for key, result in last_results(attempts).items():
        task = next((task for task in job.tasks if task.key == key), None)
        if task is None or key in again:
            continue
        progress.states[key] = result
        progress.ended[key] = left_behind(state, run_id, task, last[key].run_id, result, progress.ran[key])
        if outcome := last[key].details.get("outcome"):
            progress.outcomes[key] = outcome
    return progress


def left_behind(state: State, job_run_id: int, task: Task, run_id: int, result: str, attempts: int) -> Upstream:
    """What references may read of *task* after *attempts* attempts, the last of which is *run_id*.

    Task values are in `.values/<task>.json`, the rows of a SQL task in `.values/<task>.rows.json`.
    """
    values = task_values(state, job_run_id, task.key)
    rows = rows_left_behind(state, job_run_id, task.key)
    return Upstream(run_id, result, attempts, str(task.notebook or ""), values, rows)


def rows_left_behind(state: State, job_run_id: int, name: str) -> tuple[dict[str, Any], ...] | None:
    """The rows that the last statement of a SQL task gave, None if it gave none; *name* is that of the task's files."""
    rows = _read(_values_folder(state, job_run_id) / f"{name}.rows.json")
    return tuple(rows) if isinstance(rows, list) else None


def task_values(state: State, job_run_id: int, task_key: str) -> dict[str, Any]:
    """The values that a task of a run set with `dbutils.jobs.taskValues`, by key."""
    return _read(_values_folder(state, job_run_id) / f"{task_key}.json") or {}


def _values_folder(state: State, job_run_id: int) -> Path:
    return state.runs / str(job_run_id) / ".values"


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
