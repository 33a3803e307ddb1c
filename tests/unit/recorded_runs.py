"""Runs in a history, without anything that actually runs."""

from typing import Any

from lakelocal.history.records import Records, insert, now_ms, this_process


def start_run(records: Records, **values: Any) -> int:
    """Record a run of this process, RUNNING from now unless *values* say otherwise, and return its id."""
    run_id = records.new_id()
    times = {"life_cycle_state": "RUNNING", "start_time": now_ms()}
    with records.opened() as database:
        insert(database, "runs", {"run_id": run_id, **times, **this_process(), **values})
    return run_id
