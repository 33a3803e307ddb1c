"""`python_wheel_task`: an entry point of a package, with a command line. Source: Jobs API 2.2, `PythonWheelTask`."""

from lakelocal.lakeflow.task_types.task_type import VALUES, TaskType
from lakelocal.lakeflow.verdicts import HONOURED, for_fields

WHEEL = TaskType(
    "python_wheel_task",
    fields={
        "": (HONOURED, "a wheel that is not built is imported from its source tree"),
        **for_fields("", "entry_point package_name parameters named_parameters", HONOURED),
    },
    parameters=("named_parameters", "parameters"),
    leaves=frozenset({VALUES}),
    needs_compute=True,
)
