"""A job with one task, and runs of it in the shape of `runs/get`, for the tests of notifications."""

from typing import Any

from lakelocal.lakeflow.model import Job, Task

MAIL = "team@example.com"
HOOK = "0481e838-0a59-4eff-9541-a4ca6f149574"
START_MS = 1_767_323_045_000  # 2026-01-02 03:04:05 UTC


def settings_of(event: str, *, emails: list[str] | None = None, hooks: list[str] | None = None) -> dict[str, Any]:
    """Settings that notify these, by default one of each, of *event*."""
    return {
        "email_notifications": {event: [MAIL] if emails is None else emails},
        "webhook_notifications": {event: [{"id": id_} for id_ in ([HOOK] if hooks is None else hooks)]},
    }


def job_of(settings: dict[str, Any], task: dict[str, Any] | None = None) -> Job:
    """The job `daily` with the task `bronze`."""
    return Job("daily", 4711, "Daily <orders>", settings, (Task("bronze", "notebook_task", task or {}),))


def run_of(result: str = "", life_cycle: str = "TERMINATED", message: str = "", **more: Any) -> dict[str, Any]:
    """Run 12, which took 65 seconds if it has a *result*."""
    state = {"life_cycle_state": life_cycle, "state_message": message, **({"result_state": result} if result else {})}
    times = {"start_time": START_MS, "end_time": START_MS + 65_000 if result else 0}
    job = {"job_id": 4711, "run_type": "JOB_RUN", "target": "prod"}
    return {"run_id": 12, **job, "tasks": [{"task_key": "bronze"}], "state": state, **times, **more}


def attempt_of(number: int, result: str = "", **more: Any) -> dict[str, Any]:
    """Attempt *number* of `bronze`: run 20 and so on."""
    return {**run_of(result), "run_id": 20 + number, "task_key": "bronze", "attempt_number": number, **more}
