"""`notebook_task`: a notebook of the bundle. Source: Jobs API 2.2, `NotebookTask`."""

from lakelocal.lakeflow.task_types.task_type import VALUES, TaskType
from lakelocal.lakeflow.verdicts import COMPUTE, HONOURED, IGNORED, source_of_file

NOTEBOOK = TaskType(
    "notebook_task",
    fields={
        "": (HONOURED, ""),
        "notebook_path": (HONOURED, ".ipynb, and Databricks source files .py and .sql"),
        "base_parameters": (HONOURED, ""),
        "warehouse_id": (IGNORED, COMPUTE),
        **source_of_file(""),
    },
    file=("notebook_path",),
    notebook=True,
    parameters=("base_parameters",),
    leaves=frozenset({VALUES}),
    shown=lambda path, parameters, details: {"notebook_path": path, "base_parameters": parameters},
)
