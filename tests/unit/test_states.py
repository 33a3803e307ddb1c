"""What `runs/get` says about the end of a run."""

from pathlib import Path

import pytest
from conformance import cases, states
from recorded_runs import start_run

from lakelocal.history.api import EXIT_VALUE_BYTES, run_shape
from lakelocal.history.records import Records, now_ms


@pytest.mark.parametrize(("life_cycle", "result", "code"), cases(states.RULES))
def test_the_code_of_an_end(tmp_path: Path, life_cycle: str, result: str | None, code: str) -> None:
    """Whatever the older states are, the newer one is TERMINATED."""
    records = Records(tmp_path / "runs.db")
    run_id = start_run(records, job_id=7, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    records.update_run(run_id, life_cycle_state=life_cycle, result_state=result, end_time=now_ms())

    status = run_shape(records, run_id)["status"]

    assert (status["state"], status["termination_details"]["code"]) == ("TERMINATED", code)


@pytest.mark.parametrize(
    ("value", "shown", "truncated"),
    [("done", "done", False), ("x" * EXIT_VALUE_BYTES + "y", "x" * EXIT_VALUE_BYTES, True)],
)
def test_an_exit_value_is_shown_up_to_five_megabytes(tmp_path: Path, value: str, shown: str, truncated: bool) -> None:
    """The notebook's exit value is recorded in full; the API shows its beginning."""
    records = Records(tmp_path / "runs.db")
    run_id = start_run(records, job_id=7, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    attempt = {"task_key": "a", "attempt_number": 0, "kind": "notebook_task", "run_if": "ALL_SUCCESS", "depends_on": []}
    records.update_attempt(records.start_attempt(job_run_id=run_id, **attempt), notebook_result=value)

    (task,) = run_shape(records, run_id)["tasks"]

    assert task["notebook_output"] == {"result": shown, "truncated": truncated}
