"""Which runs of the history are wanted, as a condition of SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.lakeflow.pipeline_updates import RUN_TYPE
from lakelocal.lakeflow.results import STATES

JOB_RUN = "JOB_RUN"  # the type of a run whose settings name none
SUBMIT_RUN = "SUBMIT_RUN"  # the type of a run that belongs to no job
_HAS_FAILED = f"runs.result_state IN ({', '.join(repr(state) for state, each in STATES.items() if each.failed)})"
_BROKE = ", ".join(repr(state) for state, each in STATES.items() if each.broke)
# A task failed in the run, or in a run below it, and the text is in its key, its input or its error.
_FAILED_TASKS = f"""EXISTS (
    WITH RECURSIVE family(id) AS (
      SELECT runs.run_id UNION
      SELECT child_run_id FROM attempts JOIN family ON job_run_id = family.id WHERE child_run_id IS NOT NULL)
    SELECT 1 FROM attempts JOIN family ON job_run_id = family.id
    WHERE result_state IN ({_BROKE}) AND instr(
      lower(task_key || ' ' || coalesce(iteration, '') || ' ' || coalesce(error, state_message)), lower(?)))"""


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; without a value a field wants all.

    *active* wants those that have not ended, or those that have. *since* and *until* are the first and the last time
    at which they may have begun, in epoch milliseconds. *results* are the results that they may have, *text* is in
    their name, in a name or value of a parameter, or in why they failed: see `reasons`. Without *updates*, runs that
    update a pipeline by themselves are not wanted: the Jobs API does not list them.
    """

    job_id: int | None = None
    active: bool | None = None
    since: int | None = None
    until: int | None = None
    results: Sequence[str] | None = None
    text: str = ""
    run_type: str = ""
    updates: bool = True

    def condition(self, before: tuple[int, int] | None = None) -> tuple[str, list[Any]]:
        """The condition for rows of `runs`, and its values; *before*: after the run with this start and this id."""
        conditions, values = ["1"], list[Any]()

        def add(condition: str, *given: Any) -> None:
            conditions.append(condition)
            values.extend(given)

        if self.job_id is not None:
            add("job_id = ?", self.job_id)
        if self.active is not None:
            add("end_time IS NULL" if self.active else "end_time IS NOT NULL")
        if self.since is not None:
            add("start_time >= ?", self.since)
        if self.until is not None:
            add("start_time <= ?", self.until)
        if self.results is not None:
            add(f"result_state IN ({', '.join('?' for _ in self.results)})", *self.results)
        if self.text:
            shown = "instr(lower(run_name || ' ' || job_parameters || ' ' || state_message), lower(?))"
            add(f"({shown} OR ({_HAS_FAILED} AND {_FAILED_TASKS}))", self.text, self.text)
        if self.run_type:
            add("coalesce(json_extract(settings, '$.run_type'), ?) = ?", JOB_RUN, self.run_type)
        if not self.updates:
            add("json_extract(settings, '$.run_type') IS NOT ?", RUN_TYPE)
        if before is not None:
            add("(start_time, run_id) < (?, ?)", *before)
        return " AND ".join(conditions), values
