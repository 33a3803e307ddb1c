"""What the run history knows of a job: how many runs are active, how the last one ended, how long its runs take."""

import statistics
from collections.abc import Mapping
from datetime import timedelta

from lakelocal.history.reading import History
from lakelocal.jobs.command import list_runs
from lakelocal.project import State
from lakelocal.schedule.simulation import Assumption
from lakelocal.schedule.triggers import ScheduledJob

LOOKED_AT = 50
DEFAULT = timedelta(minutes=10)


def active_runs(state: State) -> dict[int, int]:
    """The number of runs of each job, by its id, that have not ended, including queued ones."""
    counts: dict[int, int] = {}
    for run in list_runs(state, limit=1000, active_only=True):
        counts[run["job_id"]] = counts.get(run["job_id"], 0) + 1
    return counts


def last_result(state: State, job_id: int) -> str:
    """The result of the job's newest run that has ended; empty if there is none."""
    ended = (run for run in list_runs(state, limit=LOOKED_AT, job_id=job_id) if run["end_time"])
    return next((f"{run['state'].get('result_state', '')} (run {run['run_id']})" for run in ended), "")


def assumption(job: ScheduledJob, state: State, given: Mapping[str, timedelta]) -> Assumption:
    """How long a run of *job* lasts: as *given* for its key, else the median of its successful runs, else a guess.

    It is never longer than the job's timeout. No state folder is created.
    """
    if job.key in given:
        found = Assumption(given[job.key], "given with --assume")
    elif lengths := History.of(state).seconds_taken(job.id):
        number = f"{len(lengths)} recorded run{'s' * (len(lengths) > 1)}"
        found = Assumption(timedelta(seconds=round(statistics.median(lengths))), f"median of {number}")
    else:
        found = Assumption(DEFAULT, "guessed, see --assume")
    if job.timeout is not None and found.duration > job.timeout:
        return Assumption(job.timeout, f"{found.source}, limited by timeout_seconds")
    return found
