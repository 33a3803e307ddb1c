"""Recording a new run in the history: why it exists, and what is known of it from the start."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lakelocal.jobs.admission import enter
from lakelocal.jobs.attempts import Engine
from lakelocal.lakeflow.model import Job
from lakelocal.lakeflow.pipeline_updates import RUN_TYPE
from lakelocal.lakeflow.references import Scope
from lakelocal.lakeflow.trigger_events import TriggerEvent


@dataclass(frozen=True)
class Origin:
    """Why a run exists. *scheduled* and *backfill* are the times that it is for, in UTC; *event* is what happened."""

    trigger: str = "ONE_TIME"
    parent: int | None = None
    scheduled: datetime | None = None
    backfill: datetime | None = None
    event: TriggerEvent | None = None


def record_new(engine: Engine, job: Job, origin: Origin, *, only: Collection[str] | None, before: Path | None) -> Scope:
    """Record a run of *job*, whether or not it is admitted, and return what its references can use except parameters.

    *only* are the tasks of a partial run; *before* is a notebook that the state needs once, before the tasks.
    """
    columns = columns_of(job, engine.bundle.target, origin, only)
    remote, first = engine.compute.label or None, str(before) if before else None
    run_id = enter(engine.records, job, **columns, remote=remote, before_notebook=first)
    return Scope.of_run(vars(engine.records.run(run_id)), backfill=origin.backfill, workspace=engine.workspace)


def columns_of(job: Job, target: str, origin: Origin, only: Collection[str] | None) -> dict[str, Any]:
    """What the history shows of a new run of *job* from its start."""
    return {
        "job_id": job.id,
        "job_key": job.key,
        "run_name": job.name,
        "target": target,
        "trigger": origin.trigger,
        "trigger_time": int(origin.scheduled.timestamp() * 1000) if origin.scheduled else None,
        "trigger_event": origin.event.as_json() if origin.event else None,
        "parent_run_id": origin.parent,
        "settings": {**job.settings, **({"run_type": RUN_TYPE} if job.is_update else {})},
        "only_tasks": sorted(only) if only is not None else None,
        "signs_commits": 1,
    }
