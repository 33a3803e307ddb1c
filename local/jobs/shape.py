"""A recorded run as Jobs API 2.2 `runs/get` shows it, every attempt an entry of `tasks`.

Source: Databricks SDK (`databricks.sdk.service.jobs`): `RunState`, `RunStatus`, `TerminationDetails`. Not in the API:
`output_notebook` and `error_trace` of a task, and its `notebook_output` and `error`, which `runs/get-output` has.
"""

import json
from collections.abc import Mapping
from typing import Any

from local.jobs.records import Records

_CODES = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "SUCCESS_WITH_FAILURES": ("SUCCESS_WITH_FAILURES", "SUCCESS"),
    "FAILED": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "TIMEDOUT": ("CANCELED", "CLIENT_ERROR"),
    "CANCELED": ("USER_CANCELED", "CLIENT_ERROR"),
    "UPSTREAM_CANCELED": ("SKIPPED", "SUCCESS"),
    "UPSTREAM_FAILED": ("SKIPPED", "SUCCESS"),
    "EXCLUDED": ("SKIPPED", "SUCCESS"),
    "DISABLED": ("DISABLED", "SUCCESS"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
}


def run_shape(records: Records, run_id: int) -> dict[str, Any]:
    """The run *run_id* with all its attempts.

    Raises:
        RunError: there is no such run.
    """
    run = records.run(run_id)
    result = _head(run)
    result["tasks"] = [_task(attempt, records) for attempt in records.attempts(run_id)]
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
    if run["parent_run_id"] is not None:
        result["parent_run_id"] = run["parent_run_id"]
    return result


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
        result["notebook_output"] = {"result": attempt["notebook_result"], "truncated": False}
    if attempt["child_run_id"] is not None:
        result["run_job_output"] = {"run_id": attempt["child_run_id"]}
        result["run_job_task"]["job_id"] = records.run(attempt["child_run_id"])["job_id"]
    for name in ("error", "error_trace", "output_notebook"):
        if attempt[name]:
            result[name] = attempt[name]
    return result


def _kind(attempt: Mapping[str, Any]) -> dict[str, Any]:
    parameters = json.loads(attempt["parameters"])
    if attempt["kind"] == "notebook_task":
        return {"notebook_path": attempt["notebook_path"], "base_parameters": parameters}
    return {"job_parameters": parameters} if attempt["kind"] == "run_job_task" else {}


def _state(row: Mapping[str, Any]) -> dict[str, Any]:
    result = {"life_cycle_state": row["life_cycle_state"], "state_message": row["state_message"]}
    if row["result_state"] is not None:
        result["result_state"] = row["result_state"]
    return result


def _status(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["end_time"] is None:
        return {"state": row["life_cycle_state"]}
    code, kind = _CODES.get(row["result_state"] or "", ("INTERNAL_ERROR", "INTERNAL_ERROR"))
    return {
        "state": "TERMINATED",
        "termination_details": {"code": code, "type": kind, "message": row["state_message"]},
    }


def _times(row: Mapping[str, Any]) -> dict[str, Any]:
    end = row["end_time"]
    result = {"start_time": row["start_time"], "end_time": end or 0}
    if end is not None:
        result["run_duration"] = end - row["start_time"]
    return result
