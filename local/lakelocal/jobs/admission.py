"""Limits how many runs of a job are active at once: a run is admitted, waits in the queue, or is skipped.

The decision is one transaction on the run history, so it also holds between processes. A run whose process is gone
frees its slot. Source: Databricks documentation, "Configure maximum concurrent runs" and "Job queueing".
"""

import sqlite3
from collections.abc import Collection
from typing import Any

from lakelocal.errors import RunError
from lakelocal.history.records import Records, insert, now_ms, this_process, update
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.model import Job
from lakelocal.program import PROGRAM

POLL_SECONDS = 0.5
QUEUE_MS = 48 * 3600 * 1000
SKIPPED_RESULT = "MAXIMUM_CONCURRENT_RUNS_REACHED"


def verdict(*, limit: int, active: int, waiting: int, queue: bool) -> str:
    """Decide whether a new run is `RUNNING`, `QUEUED` or `SKIPPED`, given *active* and *waiting* runs of the same job.

    *limit* is `max_concurrent_runs`; 0 skips every run, even if queueing is enabled.
    """
    if limit == 0:
        return "SKIPPED"
    if active < limit and not waiting:
        return "RUNNING"
    return "QUEUED" if queue else "SKIPPED"


def enter(records: Records, job: Job, *, run_id: int | None = None, **values: object) -> int:
    """Record a new run of *job*, whether or not it is admitted, and return its id, which may be reserved before.

    The run is RUNNING, QUEUED or SKIPPED; see `verdict`.
    """
    run_id, now = run_id or records.new_id(), now_ms()
    records.close_abandoned()
    with records.opened(exclusive=True) as database:
        columns = {"run_id": run_id, "start_time": now, **this_process(), **values, **_admitted(database, job, now)}
        insert(database, "runs", columns)
    return run_id


def enter_anew(records: Records, run_id: int, job: Job) -> None:
    """Admit the run *run_id*, or its repair, once more: the process that had recorded it ended before it began."""
    with records.opened(exclusive=True) as database:
        run = RecordedRun.of(database.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone())
        free = {"end_time": None, "result_state": None, "state_message": "", "queue_duration": None}
        update(database, "runs", run_id, {"end_time": run.end_time or now_ms()})  # it takes no slot from itself
        update(database, "runs", run_id, {**free, **this_process(), **_admitted(database, job, now_ms())})


def enter_again(records: Records, run_id: int, job: Job, again: Collection[str]) -> int:
    """Reopen the ended run *run_id* to run its tasks *again*, whether or not it is admitted.

    Returns:
        The number of the repair.

    Raises:
        RunError: the run has not ended.
    """
    records.close_abandoned()
    with records.opened(exclusive=True) as database:
        run = RecordedRun.of(database.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone())
        if run.end_time is None:
            raise RunError(
                f"Run {run_id}: found it {run.life_cycle_state}, expected a run that has ended. "
                f"Wait until it ends, or cancel it with `{PROGRAM} runs cancel {run_id}`."
            )
        number, now = run.repair_count + 1, now_ms()
        insert(database, "phases", _phase(run))
        columns = {
            **{"repair_count": number, "repair_start": now, "repair_tasks": sorted(again)},
            **{"settings": dict(job.settings), "cancel_requested": 0},
            **{"end_time": None, "result_state": None, "state_message": "", "queue_duration": None},
        }
        update(database, "runs", run_id, {**columns, **this_process(), **_admitted(database, job, now)})
    return number


def _phase(run: RecordedRun) -> dict[str, Any]:
    """How *run* ended, as a row of its repair history."""
    kept = ("run_id", "end_time", "life_cycle_state", "result_state", "state_message")
    own = {name: getattr(run, name) for name in kept}
    return {**own, "number": run.repair_count, "start_time": run.phase_start}


def wait_for_slot(records: Records, run_id: int, limit: int, stop: Stop) -> str | None:
    """Wait until the queued run may start.

    Returns:
        None once the run has its slot; otherwise the result with which it ends without having started.
    """
    while not _take_slot(records, run_id, limit):
        run = records.run(run_id)
        if run.cancel_requested:
            stop.request("CANCELED")
        if now_ms() - (run.queued_since or 0) > QUEUE_MS:
            records.update_run(run_id, **_skipped("Skipped: it has waited 48 hours in the queue.", now_ms()))
            return SKIPPED_RESULT
        if stop.wait(POLL_SECONDS):
            return stop.reason
    return None


def _admitted(database: sqlite3.Connection, job: Job, now: int) -> dict[str, Any]:
    """The columns that record whether a run of *job* starts now."""
    active, waiting = _counts(database, job.id)
    state = verdict(limit=job.max_concurrent_runs, active=active, waiting=waiting, queue=job.queue)
    if state == "QUEUED":
        return {"life_cycle_state": state, "queued_since": now}
    if state == "SKIPPED":
        allowed = job.max_concurrent_runs
        return _skipped(f"Skipped: the job allows {allowed} active run{'s' * (allowed != 1)} and has {active}.", now)
    return {"life_cycle_state": state}


def _skipped(message: str, now: int) -> dict[str, Any]:
    return {"life_cycle_state": "SKIPPED", "result_state": SKIPPED_RESULT, "state_message": message, "end_time": now}


def _counts(database: sqlite3.Connection, job_id: int) -> tuple[int, int]:
    active, waiting = database.execute(
        "SELECT COUNT(*) FILTER (WHERE life_cycle_state <> 'QUEUED'), "
        "COUNT(*) FILTER (WHERE life_cycle_state = 'QUEUED') FROM runs WHERE job_id = ? AND end_time IS NULL",
        (job_id,),
    ).fetchone()
    return active, waiting


def _take_slot(records: Records, run_id: int, limit: int) -> bool:
    """Start the queued run if a slot is free and no other run has waited longer; return whether it started."""
    records.close_abandoned()
    with records.opened(exclusive=True) as database:
        run = database.execute("SELECT job_id, queued_since FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        active, _ = _counts(database, run["job_id"])
        first = database.execute(
            "SELECT run_id FROM runs WHERE job_id = ? AND end_time IS NULL AND life_cycle_state = 'QUEUED' "
            "ORDER BY queued_since, run_id LIMIT 1",
            (run["job_id"],),
        ).fetchone()
        if active >= limit or first["run_id"] != run_id:
            return False
        update(
            database,
            "runs",
            run_id,
            {"life_cycle_state": "RUNNING", "queue_duration": now_ms() - run["queued_since"]},
        )
    return True
