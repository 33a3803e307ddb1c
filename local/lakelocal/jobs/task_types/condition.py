"""`condition_task`: its outcome is computed here, without a process."""

from lakelocal.errors import RunError
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow import conditions
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.task_types.condition import SIDES


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Compare the operands, and record the outcome for the tasks that depend on it."""
    given = attempt.task.inner
    left, right = (as_text(attempt.resolved(given.get(side), side)) for side in SIDES)
    attempt.record(details={"left": left, "op": given.get("op"), "right": right})
    try:
        found = conditions.outcome(str(given.get("op")), left, right)
    except ValueError as error:
        raise RunError(f"condition_task: {error.args[0]}. Correct the operand.") from error
    attempt.record(details={"left": left, "op": given.get("op"), "right": right, "outcome": found})
    attempt.run.progress.outcomes[attempt.task.key] = found
    return Outcome("SUCCESS")
