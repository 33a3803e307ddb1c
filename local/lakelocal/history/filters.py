"""Which runs of the history are wanted, as a condition of SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.lakeflow.pipeline_updates import RUN_TYPE

JOB_RUN = "JOB_RUN"  # the type of a run whose settings name none


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; without a value a field wants all.

    *active* wants those that have not ended, or those that have. *since* and *until* are the first and the last time
    at which they may have begun, in epoch milliseconds. *results* are the results that they may have, *text* is in
    their name or in a name or value of a parameter. *started_by_none* wants those that no other run started. Without
    *updates*, runs that update a pipeline by themselves are not wanted: the Jobs API does not list them.
    """

    job_id: int | None = None
    active: bool | None = None
    since: int | None = None
    until: int | None = None
    results: Sequence[str] | None = None
    text: str = ""
    run_type: str = ""
    started_by_none: bool = False
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
            found = "(instr(lower(run_name), lower(?)) OR instr(lower(job_parameters), lower(?)))"
            add(found, self.text, self.text)
        if self.run_type:
            add("coalesce(json_extract(settings, '$.run_type'), ?) = ?", JOB_RUN, self.run_type)
        if not self.updates:
            add("json_extract(settings, '$.run_type') IS NOT ?", RUN_TYPE)
        if self.started_by_none:
            add("parent_run_id IS NULL")
        if before is not None:
            add("(start_time, run_id) < (?, ?)", *before)
        return " AND ".join(conditions), values
