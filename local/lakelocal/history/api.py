"""A recorded run in the form of Jobs API 2.2 `runs/get`, with every attempt as an entry of `tasks`.

Source: Databricks SDK (`databricks.sdk.service.jobs`): `RunState`, `RunStatus`, `TerminationDetails`,
`RunConditionTask`, `RunForEachTask`, `RepairHistoryItem`. Added to the API's fields:

- `trigger_time`, `health_warnings`, and `remote`: where Spark ran, if not in the state's own server;
- for a run or a task that failed, `reason`: why, in one sentence, see `reasons`;
- for a task, `output_notebook`, `error_trace`, and the `notebook_output` and `error` of `runs/get-output`;
- for a pipeline task, `pipeline_update`: its update, with the flows as the event log has them, see `update_shape`;
- the iterations of a for-each task as entries of `tasks`, each with the key of the nested task and `iteration`:
  `{"for_each_task_key", "index", "input"}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lakelocal.history.filters import JOB_RUN, SUBMIT_RUN
from lakelocal.history.reading import History
from lakelocal.history.reasons import reason_of_attempt, reason_of_run
from lakelocal.history.rows import Recorded, RecordedAttempt, RecordedPhase, RecordedRun, RecordedUpdate
from lakelocal.history.updates import Updates
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.task_types import type_of
from lakelocal.lakeflow.update_progress import Progress
from lakelocal.program import PROGRAM

EXIT_VALUE_BYTES = 5_000_000


def run_shape(history: History, run_id: int) -> dict[str, Any]:
    """The run *run_id* with all its attempts.

    Raises:
        RunError: there is no such run.
    """
    return shape_of(history.run(run_id), history)


def shape_of(run: RecordedRun, history: History) -> dict[str, Any]:
    """*run* of *history* with all its attempts."""
    attempts = history.attempts(run.run_id)
    result = run_head(run, history)
    result["tasks"] = [_task(attempt, history) for attempt in attempts]
    if any(attempt.kind == "pipeline_task" for attempt in attempts):
        _add_updates(result["tasks"], Updates(history), run.run_id)
    if reason := reason_of_run(run, attempts, history):
        result["reason"] = reason
    if run.repair_count:
        result["repair_history"] = _repair_history(run, history.phases(run.run_id), attempts)
    return result


def can_run_again(run: Mapping[str, Any]) -> bool:
    """Can tasks of *run*, given as `runs/get` shows it, run again within it?

    Nothing says what the tasks are of a run of a single notebook: it belongs to no job. A child run is repaired through
    the task that started it.
    """
    return run["job_id"] != 0 and "parent_run_id" not in run


def repair_command(run: Mapping[str, Any]) -> str:
    """The command that runs the failed tasks of *run* again; empty if none failed, or if the command cannot do that.

    A one-time run is repaired in its workspace: no bundle has its tasks.
    """
    in_a_bundle = can_run_again(run) and run["run_type"] != SUBMIT_RUN
    if not (in_a_bundle and run.get("reason") and run["tasks"]):
        return ""
    return f"{PROGRAM} runs repair {run['run_id']}{f' --target {target}' if (target := run.get('target')) else ''}"


def run_list(history: History, *, limit: int | None, active_only: bool, job_id: int | None) -> list[dict[str, Any]]:
    """The newest runs first, without their tasks, as `runs/list` shows them."""
    return [run_head(run, history) for run in history.runs(limit=limit, active_only=active_only, job_id=job_id)]


def run_head(run: RecordedRun, history: History) -> dict[str, Any]:
    """*run* of *history* without its attempts, as an entry of `runs/list`."""
    result = {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "job_key": run.job_key,
        "run_name": run.run_name,
        "target": run.target,
        "trigger": run.trigger,
        "run_type": str(run.settings.get("run_type") or JOB_RUN),
        "state": _state(run),
        "status": _status(run),
        **_times(run, history.counted_from(run)),
        "job_parameters": [
            {"name": name, "default": default, "value": value} for name, (default, value) in run.job_parameters.items()
        ],
    }
    for name in ("parent_run_id", "queue_duration", "trigger_time", "remote"):
        if (value := getattr(run, name)) is not None:
            result[name] = value
    if run.health_warnings:
        result["health_warnings"] = run.health_warnings
    return result


def _repair_history(
    run: RecordedRun, phases: Sequence[RecordedPhase], attempts: Sequence[RecordedAttempt]
) -> list[dict[str, Any]]:
    """The original run and each repair; the last one has the current state of the run."""
    entries: list[tuple[int, int, Recorded]] = [(phase.number, phase.start_time, phase) for phase in phases]
    entries.append((run.repair_count, run.phase_start, run))
    return [
        {
            "type": "REPAIR" if number else "ORIGINAL",
            **({"id": number} if number else {}),
            "state": _state(entry),
            "status": _status(entry),
            "start_time": start,
            "end_time": entry.end_time or 0,
            "task_run_ids": [each.run_id for each in attempts if each.repair == number],
        }
        for number, start, entry in entries
    ]


def _task(attempt: RecordedAttempt, history: History) -> dict[str, Any]:
    kind = type_of(attempt.kind)
    result: dict[str, Any] = {
        "task_key": attempt.task_key,
        "run_id": attempt.run_id,
        "attempt_number": attempt.attempt_number,
        "state": _state(attempt),
        "status": _status(attempt),
        **_times(attempt, attempt.start_time),
        "depends_on": attempt.depends_on,
        "run_if": attempt.run_if,
        attempt.kind: dict(kind.shown(attempt.notebook_path or "", attempt.parameters, attempt.details)),
    }
    if attempt.notebook_result is not None:
        result["notebook_output"] = _exit_value(attempt.notebook_result)
    if attempt.child_run_id is not None:
        result["run_job_output"] = {"run_id": attempt.child_run_id}
        result["run_job_task"]["job_id"] = history.run(attempt.child_run_id).job_id
    if reason := reason_of_attempt(attempt, history):
        result["reason"] = reason
    if attempt.iteration is not None:
        result["iteration"] = attempt.iteration
    for name in ("health_warnings", "error", "error_trace", "output_notebook"):
        if value := getattr(attempt, name):
            result[name] = value
    return result


def _add_updates(tasks: Sequence[dict[str, Any]], updates: Updates, run_id: int) -> None:
    found = updates.of_run(run_id)
    for task in tasks:
        if update := found.get(task["run_id"]):
            task["pipeline_update"] = update_shape(update, updates.progress(update.update_id))


def update_shape(update: RecordedUpdate, progress: Progress) -> dict[str, Any]:
    """*update* with its flows: each with its `status` and, once it has ended, the content of its `flow_progress`."""
    flows = [
        {
            "flow_name": flow.name,
            "dataset_name": flow.dataset,
            "status": flow.state,
            **(flow.counts.as_progress() if flow.said else {}),
            **({"error": flow.error} if flow.error else {}),
        }
        for flow in progress.shown()
    ]
    return {
        "update_id": update.update_id,
        "pipeline_id": update.pipeline_id,
        "state": update.state,
        "cause": update.cause,
        **update.selection,
        "flows": flows,
    }


def _exit_value(value: str) -> dict[str, Any]:
    """`NotebookOutput`: the first 5 MB of the value with which the notebook exited."""
    shown = value.encode()[:EXIT_VALUE_BYTES].decode(errors="ignore")
    return {"result": shown, "truncated": len(shown) < len(value)}


def _state(row: Recorded) -> dict[str, Any]:
    result = {"life_cycle_state": row.life_cycle_state, "state_message": row.state_message}
    if row.result_state is not None:
        result["result_state"] = row.result_state
    return result


def _status(row: Recorded) -> dict[str, Any]:
    if row.end_time is None:
        return {"state": row.life_cycle_state}
    end = meaning(row.state)
    return {
        "state": "TERMINATED",
        "termination_details": {"code": end.code, "type": end.type, "message": row.state_message},
    }


def _times(row: RecordedRun | RecordedAttempt, counted_from: int) -> dict[str, Any]:
    result = {"start_time": row.start_time, "end_time": row.end_time or 0}
    if row.end_time is not None:
        result["run_duration"] = row.end_time - counted_from
    return result
