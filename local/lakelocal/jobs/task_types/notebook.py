"""`notebook_task`: the notebook, run with the task's parameters; those of the job take precedence."""

from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import run_in_kernel
from lakelocal.lakeflow.parameters import notebook_parameters


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the notebook."""
    own = attempt.resolved(attempt.task.parameters, "base_parameters")
    parameters = notebook_parameters({name: str(value) for name, value in own.items()}, attempt.run.parameters)
    return run_in_kernel(attempt, stop, notebook=str(attempt.task.notebook), parameters=parameters)
