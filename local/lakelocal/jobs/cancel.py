"""Cancelling a run from any process: its runner sees the request in the history and ends all of its work."""

import time
from typing import Any

from lakelocal.errors import RunError
from lakelocal.history.api import run_shape
from lakelocal.history.records import Records
from lakelocal.project import State

LIMIT_SECONDS = 90.0
POLL_SECONDS = 0.2


def request_cancel(records: Records, run_id: int) -> None:
    """Ask the runner of *run_id* to cancel it; does nothing to a run that has ended.

    Raises:
        RunError: there is no such run.
    """
    records.run(run_id)
    with records.opened(exclusive=True) as database:
        database.execute(
            "UPDATE runs SET cancel_requested = 1, life_cycle_state = "
            "CASE life_cycle_state WHEN 'RUNNING' THEN 'TERMINATING' ELSE life_cycle_state END "
            "WHERE run_id = ? AND end_time IS NULL",
            (run_id,),
        )
    records.close_abandoned()  # afterwards: a run that nobody runs is cancelled too, and not begun later


def cancel_run(state: State, run_id: int, *, limit: float = LIMIT_SECONDS) -> dict[str, Any]:
    """Cancel the run *run_id*, running or queued, wait for its end, and return it as `runs/get` shows it.

    A run that has already ended is left unchanged.

    Raises:
        RunError: there is no such run, or it has not ended within *limit* seconds.
    """
    records = Records.of(state)
    request_cancel(records, run_id)
    deadline = time.monotonic() + limit
    while (run := records.run(run_id)).end_time is None:
        if time.monotonic() > deadline:
            raise RunError(
                f"Run {run_id}: found it still {run.life_cycle_state} {limit:.0f} s after it was cancelled. "
                f"Its runner is process {run.pid}: end that process."
            )
        time.sleep(POLL_SECONDS)
    return run_shape(records, run_id)
