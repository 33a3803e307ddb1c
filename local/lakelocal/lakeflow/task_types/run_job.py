"""`run_job_task`: a run of another job of the bundle. Source: Jobs API 2.2, `RunJobTask`."""

from lakelocal.lakeflow.task_types.task_type import TaskType
from lakelocal.lakeflow.verdicts import HONOURED, IGNORED

RUN_JOB = TaskType(
    "run_job_task",
    fields={
        "": (HONOURED, ""),
        "job_parameters": (HONOURED, ""),
        "job_id": (HONOURED, "a job of the bundle"),
        "pipeline_params": (IGNORED, "give them to the pipeline task of the other job"),
    },
    parameters=("job_parameters",),
    shown=lambda path, parameters, details: {"job_parameters": parameters},
)
