"""How the tasks of each type run: one module and one entry of `RUNNERS` per type. What is known of the type without
running it is in `lakelocal.lakeflow.task_types`, under the same name.

A type that is not listed here is refused before the run, or passed over on request.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types import condition, for_each, notebook, pipeline, python_file, run_job, sql, wheel

Runner: TypeAlias = Callable[[TaskAttempt, Stop], Outcome]

RUNNERS: Mapping[str, Runner] = {
    "notebook_task": notebook.run,
    "spark_python_task": python_file.run,
    "python_wheel_task": wheel.run,
    "sql_task": sql.run,
    "pipeline_task": pipeline.run,
    "run_job_task": run_job.run,
    "condition_task": condition.run,
    "for_each_task": for_each.run,
}
