"""An update of a pipeline by itself, as `bundle run PIPELINE` starts one: a job of one task."""

from collections.abc import Mapping
from typing import Any

from lakelocal.lakeflow.model import Job, Task, TaskLibrary
from lakelocal.lakeflow.pipelines import Pipeline

TASK = "update"
RUN_TYPE = "PIPELINE_UPDATE"  # of the run, in its recorded settings: Databricks has no such runs of jobs


def update_job(pipeline: Pipeline, fields: Mapping[str, Any] | None = None) -> Job:
    """The job that updates *pipeline* and does nothing else; *fields* are those of its `pipeline_task`.

    `validate_only` is one of them, which a task of a job does not have. Its parameters are those of the pipeline, and
    the `parameters` of *fields*.
    """
    inner = {"pipeline_id": pipeline.id, **(fields or {})}
    given = inner.pop("parameters", None) or {}
    task = Task(
        key=TASK,
        kind="pipeline_task",
        settings={"task_key": TASK, "pipeline_task": inner},
        libraries=tuple(TaskLibrary(text, folder) for text, folder in pipeline.dependencies),
        pipeline=pipeline.key,
        elsewhere=pipeline.fault,
        where=pipeline.where,
    )
    return Job(
        key=pipeline.key,
        id=run_job_id(pipeline.id),
        name=pipeline.name,
        settings={"name": pipeline.name, "tasks": [task.settings]},
        tasks=(task,),
        parameters={**pipeline.parameters, **{name: str(value) for name, value in given.items()}},
        is_update=True,
        where=pipeline.where,
    )


def run_job_id(pipeline_id: str) -> int:
    """The id that the runs have which update a pipeline by itself: stable, and in the form of a job's."""
    return 10**14 + int(pipeline_id.replace("-", ""), 16) % (9 * 10**14)
