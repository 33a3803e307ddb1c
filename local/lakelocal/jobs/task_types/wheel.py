"""`python_wheel_task`: a cell that calls the entry point, with the parameters as `sys.argv[1:]`."""

from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import Cells, Parameters, command_line, run_cells
from lakelocal.lakeflow.model import Task
from lakelocal.lakeflow.parameters import notebook_parameters
from lakelocal.sources.read import code_cell, markdown_cell


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the entry point; it also gets the job's parameters if the task's own are named."""
    parameters = attempt.resolved(attempt.task.parameters, "parameters")
    widgets = None
    if attempt.task.inner.get("named_parameters"):
        parameters = widgets = notebook_parameters(dict(parameters), attempt.run.parameters)
    return run_cells(attempt, stop, cells(attempt.task, parameters), parameters, widgets=widgets)


def cells(task: Task, parameters: Parameters) -> Cells:
    """Cells that call the task's entry point."""
    package, entry_point = str(task.inner["package_name"]), str(task.inner["entry_point"])
    yield markdown_cell(f"# {package}: {entry_point}")
    yield code_cell(
        "from lakelocal.kernel.programs import run_entry_point\n\n"
        f"run_entry_point({package!r}, {entry_point!r}, {command_line(parameters)!r})"
    )
