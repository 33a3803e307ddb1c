"""Why a run failed, in one sentence: through child jobs, loops and retries."""

from pathlib import Path
from typing import Any

import pytest
from recorded_runs import start_run

from lakelocal.history.api import run_shape
from lakelocal.history.reading import RUNNER_GONE
from lakelocal.history.records import Records

JOB: dict[str, Any] = {"job_id": 1, "job_key": "j", "run_name": "J", "target": "dev", "trigger": "ONE_TIME"}
TASK: dict[str, Any] = {"attempt_number": 0, "kind": "notebook_task", "run_if": "ALL_SUCCESS", "depends_on": []}
ENDED: dict[str, Any] = {"life_cycle_state": "TERMINATED", "start_time": 1, "end_time": 2}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "runs.db")


def failed_run(records: Records, **values: Any) -> int:
    return start_run(
        records, **{**JOB, **ENDED, "result_state": "FAILED", "state_message": "Workload failed.", **values}
    )


def attempt(records: Records, run: int, key: str, result: str, **values: Any) -> None:
    records.start_attempt(job_run_id=run, **{**TASK, **ENDED, "task_key": key, "result_state": result, **values})


def test_the_reason_of_a_child_run_is_its_parents(records: Records) -> None:
    """Two jobs down, the failed task is named with the path to it; the tasks get the same reason."""
    top, middle, low = (failed_run(records) for _ in range(3))
    attempt(records, low, "silver", "FAILED", error="ValueError: no rows\nin two lines (cell 4)")
    attempt(records, low, "gold", "UPSTREAM_FAILED", state_message="An upstream task failed.")
    attempt(records, middle, "load", "FAILED", kind="run_job_task", child_run_id=low)
    attempt(records, top, "main", "FAILED", kind="run_job_task", child_run_id=middle)

    shape = run_shape(records, top)

    assert shape["reason"] == "main > load > silver: ValueError: no rows in two lines (cell 4)"
    assert shape["tasks"][0]["reason"] == "load > silver: ValueError: no rows in two lines (cell 4)"


def test_the_reason_of_a_loop_is_that_of_an_iteration(records: Records) -> None:
    """With its input, which a user recognises."""
    run = failed_run(records)
    loop = {"for_each_task_key": "each", "index": 3, "input": {"city": "Recife"}}
    attempt(records, run, "each", "FAILED", kind="for_each_task", error="1 of 9 iterations failed: iteration 3.")
    attempt(records, run, "load", "FAILED", iteration=loop, error="KeyError: 'price'")

    assert run_shape(records, run)["reason"] == "each > load[3] city=Recife: KeyError: 'price'"


def test_an_attempt_that_a_retry_made_good_is_no_reason(records: Records) -> None:
    """The reason is the first task that failed in the end; a run that succeeded has none."""
    run, good = failed_run(records), failed_run(records, result_state="SUCCESS")
    for number, result in ((0, "FAILED"), (1, "SUCCESS")):
        attempt(records, run, "a", result, attempt_number=number, error="flaky" if result == "FAILED" else None)
    attempt(records, run, "b", "TIMEDOUT", state_message="Timed out after 5 seconds.")
    attempt(records, run, "c", "FAILED", error="later")

    assert run_shape(records, run)["reason"] == "b: Timed out after 5 seconds."
    assert "reason" not in run_shape(records, good)


def test_a_run_that_timed_out_says_what_was_running(records: Records) -> None:
    """The time limit is the run's own; a task that was not reached is not at fault."""
    run = failed_run(records, result_state="TIMEDOUT", state_message="Timed out after 60 seconds.")
    attempt(records, run, "load", "CANCELED")
    attempt(records, run, "report", "UPSTREAM_CANCELED")

    assert run_shape(records, run)["reason"] == (
        "Timed out after 60 seconds. Running: load. Make that faster, or raise `timeout_seconds` of the job."
    )


def test_a_run_without_a_failed_task_has_its_own_reason(records: Records) -> None:
    """For example if Spark is not available; a long one is cut."""
    assert run_shape(records, failed_run(records, state_message="No Java."))["reason"] == "No Java."
    assert len(run_shape(records, failed_run(records, state_message="x " * 999))["reason"]) == 600


def test_a_run_without_its_process_tells_what_to_do(records: Records) -> None:
    """It left no error: what ended it ended everything. The recorded message stays as it is."""
    run = failed_run(records, state_message=RUNNER_GONE)
    attempt(records, run, "load", "FAILED", state_message=RUNNER_GONE)

    shape = run_shape(records, run)

    assert shape["reason"] == f"load: {RUNNER_GONE} It was killed, or the machine went down: repair the run."
    assert shape["tasks"][0]["state"]["state_message"] == RUNNER_GONE
    alone = failed_run(records, state_message=RUNNER_GONE)
    assert run_shape(records, alone)["reason"].endswith("repair the run.")
