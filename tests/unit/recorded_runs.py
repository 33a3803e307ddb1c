"""Runs in a history, without anything that actually runs."""

from typing import Any

from lakelocal.history.records import Records, insert, now_ms, this_process

EVIL = "<script>alert('x')</script> & \"q\" ]]>"


def start_run(records: Records, **values: Any) -> int:
    """Record a run of this process, RUNNING from now unless *values* say otherwise, and return its id."""
    run_id = records.new_id()
    times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
    with records.opened() as database:
        insert(database, "runs", {"run_id": run_id, **times, **this_process(), **values})
    return run_id


def start(records: Records, **values) -> int:
    own = {"job_id": 7, "job_key": "nightly", "run_name": "Nightly", "target": "dev", "trigger": "ONE_TIME"}
    return start_run(records, **{**own, "start_time": 1_000_000, **values})


def end(records: Records, run_id: int, result: str, *, at: int = 1_060_000, message: str = "") -> None:
    records.update_run(
        run_id, life_cycle_state="TERMINATED", result_state=result, end_time=at, state_message=message
    )  # fmt: skip


def attempt(records: Records, run_id: int, key: str, result: str | None = "SUCCESS", **values) -> int:
    """An attempt that ran from second 1 to second 3 of the run, unless *values* say otherwise."""
    ended = {"life_cycle_state": "TERMINATED", "result_state": result, "end_time": 1_003_000} if result else {}
    own = {
        "attempt_number": 0,
        "kind": "notebook_task",
        "run_if": "ALL_SUCCESS",
        "depends_on": [],
        "start_time": 1_001_000,
    }
    return records.start_attempt(job_run_id=run_id, task_key=key, **{**own, **ended, **values})


def whole_run(records: Records) -> int:
    """A run with a retry, a condition, an iteration, a child run, and hostile names."""
    parent = start(
        records, run_name=EVIL, job_parameters={"day": ["{{job.start_time.iso_date}}", "1970-01-01"], "n": ["1", "2"]}
    )
    attempt(records, parent, "load", "FAILED", error=EVIL, error_trace=f"trace \x1b[31m\x00 {EVIL}")
    attempt(records, parent, "load", attempt_number=1, start_time=1_005_000, end_time=1_009_500)
    attempt(records, parent, "check", kind="condition_task", depends_on=[{"task_key": "load"}])
    attempt(records, parent, "no", "EXCLUDED", depends_on=[{"task_key": "check", "outcome": "false"}])
    attempt(records, parent, "each", kind="for_each_task")
    for index, result in ((1, "FAILED"), (0, "SUCCESS")):
        iteration = {"for_each_task_key": "each", "index": index, "input": EVIL}
        attempt(records, parent, "one", result, iteration=iteration, error=EVIL if result == "FAILED" else None)
    child = start(records, job_id=8, job_key="sub", run_name="Sub", parent_run_id=parent, trigger="RUN_JOB_TASK")
    attempt(records, parent, "start", kind="run_job_task", child_run_id=child)
    attempt(records, child, "inner", "TIMEDOUT", state_message="Timed out after 2 seconds.")
    attempt(records, child, "behind", "UPSTREAM_FAILED", depends_on=[{"task_key": "inner"}], run_if="ALL_DONE")
    end(records, child, "FAILED")
    end(records, parent, "FAILED", message="Task one failed")
    return parent
