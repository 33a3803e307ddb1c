"""Backfills: one run of a job for each of several past times, which parameters refer to as `{{backfill.iso_date}}`.

Source: Databricks documentation, "Backfill jobs": at most 100 runs, always of the whole job, with as many at a time as
`max_concurrent_runs` allows.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from lakelocal.errors import UsageError
from lakelocal.history.api import run_shape
from lakelocal.jobs.attempts import Engine
from lakelocal.jobs.checks import check_run
from lakelocal.jobs.command import RunOptions, engine_of, say_warnings
from lakelocal.jobs.new_run import Origin
from lakelocal.jobs.prepare import prepare
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.model import Bundle, Job
from lakelocal.lakeflow.parameters import job_parameters
from lakelocal.lakeflow.references import namespaces_named
from lakelocal.project import State

MOST_RUNS = 100


def backfill_times(start: datetime, end: datetime, every: timedelta) -> list[datetime]:
    """The times from *start* to *end* at intervals of *every*; *end* is included if an interval falls on it.

    Raises:
        UsageError: *end* is before *start*, or there are more than 100 times.
    """
    if end < start:
        raise UsageError(f"--to: found `{label(end)}`, expected a time at or after --from `{label(start)}`. Swap them.")
    count = (end - start) // every + 1
    if count > MOST_RUNS:
        raise UsageError(
            f"--every: found {count:,} runs from {label(start)} to {label(end)}, expected at most {MOST_RUNS}. "
            "Choose a longer interval, or run several backfills."
        )
    return [start + number * every for number in range(count)]


def backfill_job(
    bundle: Bundle,
    job_key: str,
    times: list[datetime],
    *,
    state: State,
    parameters: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
) -> list[dict[str, Any]]:
    """Run the job *job_key* to its end for each of *times*; return the runs as `runs/get` shows them, in that order.

    Raises:
        UsageError: unknown job or parameter, or a job that cannot run here; raised before anything runs.
    """
    options = options or RunOptions()
    job = bundle.job(job_key)
    values = job_parameters(job, parameters or {})
    warnings = check_run(
        bundle,
        job,
        parameters=values,
        strict=options.strict,
        skip_unsupported=options.skip_unsupported,
        backfill=True,
    )
    with engine_of(bundle, job, state, options) as (engine, stop):
        say_warnings(engine, warnings)
        if "backfill" not in namespaces_named(values):
            engine.view.note(
                "warning: no parameter refers to the time of the backfill, so all runs get the same values; use "
                "for example --param run_date={{backfill.iso_date}}"
            )
        engine.view.backfill_started(job.name, [label(each) for each in times])
        with ThreadPoolExecutor(max_workers=max(1, min(job.max_concurrent_runs, len(times)))) as pool:
            ids = list(pool.map(lambda each: _run_one(engine, job, values, each, stop), times))
    return [run_shape(engine.records, run_id) for run_id in ids if run_id is not None]


def label(moment: datetime) -> str:
    """The name of a backfill's run: its date, with the time of day to the precision that it needs."""
    if moment.second:
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    return moment.strftime("%Y-%m-%d" if (moment.hour, moment.minute) == (0, 0) else "%Y-%m-%dT%H:%M")


def _run_one(engine: Engine, job: Job, values: Mapping[str, str], moment: datetime, stop: Stop) -> int | None:
    """Run the job for *moment* and return the id of the run; None if the backfill was stopped before that."""
    if stop.reason is not None:
        return None
    path, started = (label(moment),), time.monotonic()
    engine.view.task_started(path, 0)
    run = JobRun.new(engine, job, values, origin=Origin(backfill=moment), path=path)
    result = run.execute(stop, prepare)
    engine.view.task_ended(path, result, time.monotonic() - started, "")
    return run.run_id
