"""Recording a new run in the history: why it exists, and what is known of it from the start."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lakelocal.jobs.admission import enter
from lakelocal.jobs.attempts import Engine
from lakelocal.lakeflow.model import Job
from lakelocal.lakeflow.references import Scope


@dataclass(frozen=True)
class Origin:
    """Why a run exists. *scheduled* and *backfill* are the times that it is for, in UTC."""

    trigger: str = "ONE_TIME"
    parent: int | None = None
    scheduled: datetime | None = None
    backfill: datetime | None = None


def record_new(engine: Engine, job: Job, origin: Origin, *, only: Collection[str] | None, before: Path | None) -> Scope:
    """Record a run of *job*, whether or not it is admitted, and return what its references can use except parameters.

    *only* are the tasks of a partial run; *before* is a notebook that the state needs once, before the tasks.
    """
    run_id = enter(
        engine.records,
        job,
        job_id=job.id,
        job_key=job.key,
        run_name=job.name,
        target=engine.bundle.target,
        trigger=origin.trigger,
        trigger_time=int(origin.scheduled.timestamp() * 1000) if origin.scheduled else None,
        parent_run_id=origin.parent,
        settings=dict(job.settings),
        only_tasks=sorted(only) if only is not None else None,
        remote=engine.compute.label or None,
        before_notebook=str(before) if before else None,
    )
    return Scope.of_run(vars(engine.records.run(run_id)), backfill=origin.backfill)
