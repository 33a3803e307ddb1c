"""A recorded run as Jobs API 2.2 `runs/get` shows it, every attempt an entry of `tasks`.

Source: Databricks SDK (`databricks.sdk.service.jobs`): `RunState`, `RunStatus`, `TerminationDetails`,
`RunConditionTask`, `RunForEachTask`, `RepairHistoryItem`. Not in the API:

- `trigger_time` and `health_warnings`; `remote`, where Spark ran if not in the state's own server;
- of a task `output_notebook`, `error_trace`, and its `notebook_output` and `error`, which `runs/get-output` has;
- the iterations of a for-each task as entries of `tasks`, each with the nested task's key and `iteration`:
  `{"for_each_task_key", "index", "input"}`.
"""

import json
from collections.abc import Mapping
from typing import Any

from lakelocal.jobs.records import Records
from lakelocal.lakeflow.results import meaning, state_of
from lakelocal.lakeflow.task_types import type_of

EXIT_VALUE_BYTES = 5_000_000


def run_shape(records: Records, run_id: int) -> dict[str, Any]:
    """The run *run_id* with all its attempts.

    Raises:
        RunError: there is no such run.
    """
    run = records.run(run_id)
    attempts = records.attempts(run_id)
    result = _head(run)
    result["tasks"] = [_task(attempt, records) for attempt in attempts]
    if run["repair_count"]:
        result["repair_history"] = _repair_history(run, records.phases(run_id), attempts)
    return result


def run_list(records: Records, *, limit: int, active_only: bool, job_id: int | None) -> list[dict[str, Any]]:
    """The newest runs first, without their tasks, as `runs/list` shows them."""
    return [_head(run) for run in records.runs(limit=limit, active_only=active_only, job_id=job_id)]


def _head(run: Mapping[str, Any]) -> dict[str, Any]:
    parameters = json.loads(run["job_parameters"])
    result = {
        "run_id": run["run_id"],
        "job_id": run["job_id"],
        "job_key": run["job_key"],
        "run_name": run["run_name"],
        "target": run["target"],
        "trigger": run["trigger"],
        "run_type": "JOB_RUN",
        "state": _state(run),
        "status": _status(run),
        **_times(run),
        "job_parameters": [
            {"name": name, "default": default, "value": value} for name, (default, value) in parameters.items()
        ],
    }
    for name in ("parent_run_id", "queue_duration", "trigger_time", "remote"):
        if run[name] is not None:
            result[name] = run[name]
    _add_warnings(result, run)
    return result


def _repair_history(
    run: Mapping[str, Any], phases: list[dict[str, Any]], attempts: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The original run and each repair, the last one as the run stands now."""
    now = {**run, "number": run["repair_count"], "start_time": run["repair_start"]}
    return [
        {
            "type": "REPAIR" if phase["number"] else "ORIGINAL",
            **({"id": phase["number"]} if phase["number"] else {}),
            "state": _state(phase),
            "status": _status(phase),
            "start_time": phase["start_time"],
            "end_time": phase["end_time"] or 0,
            "task_run_ids": [each["run_id"] for each in attempts if each["repair"] == phase["number"]],
        }
        for phase in (*phases, now)
    ]


def _add_warnings(result: dict[str, Any], row: Mapping[str, Any]) -> None:
    if warnings := json.loads(row["health_warnings"]):
        result["health_warnings"] = warnings


def _task(attempt: Mapping[str, Any], records: Records) -> dict[str, Any]:
    result = {
        "task_key": attempt["task_key"],
        "run_id": attempt["run_id"],
        "attempt_number": attempt["attempt_number"],
        "state": _state(attempt),
        "status": _status(attempt),
        **_times(attempt),
        "depends_on": json.loads(attempt["depends_on"]),
        "run_if": attempt["run_if"],
        attempt["kind"]: _kind(attempt),
    }
    if attempt["notebook_result"] is not None:
        result["notebook_output"] = _exit_value(attempt["notebook_result"])
    if attempt["child_run_id"] is not None:
        result["run_job_output"] = {"run_id": attempt["child_run_id"]}
        result["run_job_task"]["job_id"] = records.run(attempt["child_run_id"])["job_id"]
    if attempt["iteration"] is not None:
        result["iteration"] = json.loads(attempt["iteration"])
    _add_warnings(result, attempt)
    for name in ("error", "error_trace", "output_notebook"):
        if attempt[name]:
            result[name] = attempt[name]
    return result


def _exit_value(value: str) -> dict[str, Any]:
    """`NotebookOutput`: the first 5 MB of what the notebook exited with."""
    shown = value.encode()[:EXIT_VALUE_BYTES].decode(errors="ignore")
    return {"result": shown, "truncated": len(shown) < len(value)}


def _kind(attempt: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters, details = json.loads(attempt["parameters"]), json.loads(attempt["details"])
    return dict(type_of(attempt["kind"]).shown(attempt["notebook_path"], parameters, details))


def _state(row: Mapping[str, Any]) -> dict[str, Any]:
    result = {"life_cycle_state": row["life_cycle_state"], "state_message": row["state_message"]}
    if row["result_state"] is not None:
        result["result_state"] = row["result_state"]
    return result


def _status(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["end_time"] is None:
        return {"state": row["life_cycle_state"]}
    end = meaning(state_of(row))
    return {
        "state": "TERMINATED",
        "termination_details": {"code": end.code, "type": end.type, "message": row["state_message"]},
    }


def _times(row: Mapping[str, Any]) -> dict[str, Any]:
    end = row["end_time"]
    result = {"start_time": row["start_time"], "end_time": end or 0}
    if end is not None:
        result["run_duration"] = end - row["start_time"]
    return result
