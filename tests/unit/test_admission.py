"""The queue of a job: how long a run waits there."""

from pathlib import Path

from lakelocal.bundle import Job
from lakelocal.history.records import Records, now_ms
from lakelocal.jobs.admission import SKIPPED_RESULT, enter, wait_for_slot
from lakelocal.jobs.stop import Stop

HOUR_MS = 3_600_000
JOB = Job("j", 7, "J", {}, ())
VALUES = {"job_id": 7, "job_key": "j", "run_name": "J", "target": "d", "trigger": "ONE_TIME"}


def test_a_run_leaves_the_queue_after_48_hours(tmp_path: Path) -> None:
    """It is skipped, and says so; a run that has waited an hour less keeps waiting."""
    records = Records(tmp_path / "runs.db")
    holder, old, young = (enter(records, JOB, **VALUES) for _ in range(3))
    records.update_run(old, queued_since=now_ms() - 48 * HOUR_MS - 1)
    records.update_run(young, queued_since=now_ms() - 47 * HOUR_MS)
    cancelled = Stop()
    cancelled.request("CANCELED")

    assert wait_for_slot(records, old, 1, Stop()) == SKIPPED_RESULT
    assert wait_for_slot(records, young, 1, cancelled) == "CANCELED", "until someone cancelled it"
    assert [records.run(each).life_cycle_state for each in (holder, old, young)] == ["RUNNING", "SKIPPED", "QUEUED"]
    assert records.run(old).state_message == "Skipped: it has waited 48 hours in the queue."
