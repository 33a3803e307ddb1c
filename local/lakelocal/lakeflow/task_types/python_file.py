"""`spark_python_task`: a Python file, with a command line. Source: Jobs API 2.2, `SparkPythonTask`."""

from lakelocal.lakeflow.task_types.task_type import VALUES, TaskType
from lakelocal.lakeflow.verdicts import HONOURED, for_fields, source_of_file

PYTHON_FILE = TaskType(
    "spark_python_task",
    fields={"": (HONOURED, ""), **for_fields("", "python_file parameters", HONOURED), **source_of_file("")},
    file=("python_file",),
    parameters=("parameters",),
    leaves=frozenset({VALUES}),
    needs_compute=True,
)
