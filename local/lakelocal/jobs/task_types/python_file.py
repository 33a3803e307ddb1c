"""`spark_python_task`: a cell that runs the file, with the parameters as `sys.argv[1:]`."""

from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import Cells, Parameters, command_line, run_cells
from lakelocal.lakeflow.model import Task
from lakelocal.sources.read import code_cell, markdown_cell


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the file."""
    parameters = attempt.resolved(attempt.task.parameters, "parameters")
    return run_cells(attempt, stop, cells(attempt.task, parameters), parameters)


def cells(task: Task, parameters: Parameters) -> Cells:
    """Cells that run the task's file."""
    assert task.file is not None, "checked when the bundle was read"
    yield markdown_cell(f"# {task.file.name}")
    yield code_cell(
        "from lakelocal.kernel.programs import run_script\n\n"
        f"run_script({str(task.file)!r}, {command_line(parameters)!r})"
    )
