"""The task types: what is particular to each, as rules that `run`, `validate` and the records share.

A task type is a file here, and an entry in `TYPES`. How the tasks of a type run is in `lakelocal.jobs.task_types`,
under the same name.
"""

from collections.abc import Mapping

from lakelocal.lakeflow.task_types.condition import CONDITION
from lakelocal.lakeflow.task_types.elsewhere import ELSEWHERE
from lakelocal.lakeflow.task_types.for_each import FOR_EACH
from lakelocal.lakeflow.task_types.notebook import NOTEBOOK
from lakelocal.lakeflow.task_types.pipeline import PIPELINE
from lakelocal.lakeflow.task_types.python_file import PYTHON_FILE
from lakelocal.lakeflow.task_types.run_job import RUN_JOB
from lakelocal.lakeflow.task_types.sql import SQL
from lakelocal.lakeflow.task_types.task_type import ALERT, ROWS, VALUES, TaskType
from lakelocal.lakeflow.task_types.wheel import WHEEL

TYPES: Mapping[str, TaskType] = {
    each.name: each
    for each in (
        NOTEBOOK,
        PYTHON_FILE,
        WHEEL,
        SQL,
        PIPELINE,
        RUN_JOB,
        CONDITION,
        FOR_EACH,
        *ELSEWHERE,
    )
}

# Anything may be true of a task whose type is not known.
UNKNOWN = TaskType("", {}, leaves=frozenset({VALUES, ROWS, ALERT}))


def type_of(name: str) -> TaskType:
    """The task type *name*; `UNKNOWN` if there is none."""
    return TYPES.get(name, UNKNOWN)


__all__ = ["ALERT", "ROWS", "TYPES", "UNKNOWN", "VALUES", "TaskType", "type_of"]
