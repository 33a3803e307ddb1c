"""How a task of each type runs: a table of task type to function, and those functions.

These are the task types that `lakelocal.lakeflow.fields` does not refuse. A task of another type is refused before the
run, or passed over.
"""

from collections.abc import Callable
from typing import Any

from lakelocal.bundle.text_values import as_text
from lakelocal.context import TaskContext
from lakelocal.errors import RunError
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.foreach import run_iterations
from lakelocal.jobs.launch import Outcome, run_notebook
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.scripts import KINDS, write_task_notebook
from lakelocal.jobs.selection import upstream_of
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow import conditions
from lakelocal.lakeflow.parameters import child_parameters, notebook_parameters
from lakelocal.lakeflow.results import meaning


def _notebook(attempt: TaskAttempt, stop: Stop) -> Outcome:
    own = attempt.resolved(attempt.task.parameters, "base_parameters")
    parameters = notebook_parameters({name: str(value) for name, value in own.items()}, attempt.run.parameters)
    installs = [each.arguments for each in installs_of(attempt.task, attempt.owner.engine.bundle)]
    return _in_a_kernel(attempt, stop, notebook=str(attempt.task.notebook), parameters=parameters, installs=installs)


def _script(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """A Python file, a wheel or an SQL file, as a generated notebook; job parameters reach those that have names."""
    own = attempt.resolved(attempt.task.parameters, "parameters")
    named = attempt.task.kind == "sql_task" or bool(attempt.task.inner.get("named_parameters"))
    parameters = notebook_parameters(dict(own), attempt.run.parameters) if named else own
    bundle = attempt.owner.engine.bundle
    made = write_task_notebook(attempt.task, parameters, attempt.places.inner("task.ipynb"), bundle=bundle)
    attempt.record(details={"parameters": parameters})
    widgets = {name: str(value) for name, value in parameters.items()} if named else {}
    rows = attempt.places.values / f"{attempt.name}.rows.json" if attempt.task.kind == "sql_task" else ""
    return _in_a_kernel(
        attempt,
        stop,
        notebook=str(made.notebook),
        working_folder=str(made.folder),
        parameters=widgets,
        rows_file=str(rows),
    )


def _in_a_kernel(attempt: TaskAttempt, stop: Stop, **given: Any) -> Outcome:
    """Run a notebook in a process of its own; *given* are the fields of its context that depend on the task's type."""
    run, places = attempt.run, attempt.places
    attempt.record(parameters=given["parameters"])
    for left in ("json", "rows.json"):  # what an earlier attempt left counts no more
        (places.values / f"{attempt.name}.{left}").unlink(missing_ok=True)
    context = TaskContext(
        job_id=run.job.id,
        job_name=run.job.name,
        job_run_id=run.run_id,
        task_run_id=attempt.run_id,
        task_key=attempt.task.key,
        attempt_number=attempt.number,
        exit_file=str(places.inner("exit")),
        values_folder=str(places.values),
        upstream=upstream_of(run.job, attempt.owner.place),
        **given,
    )
    engine = attempt.owner.engine
    return run_notebook(engine.pool, context, places, engine.environment, stop, attempt.owner.hear)


def _child_job(attempt: TaskAttempt, stop: Stop) -> Outcome:
    assert attempt.task.child is not None, "checked when the bundle was read"
    job = attempt.owner.engine.bundle.job(attempt.task.child)
    own = attempt.resolved(attempt.task.parameters, "job_parameters")
    parameters = child_parameters(job, {name: str(value) for name, value in own.items()}, attempt.run.parameters)
    child = attempt.run.child(job, parameters, attempt.owner.path)
    attempt.record(child_run_id=child.run_id, parameters=parameters)
    result = child.execute(stop)
    if stop.reason is not None:
        return Outcome(stop.reason)
    if meaning(result).succeeded:
        return Outcome("SUCCESS")
    return Outcome("FAILED", f"Run {child.run_id} of job `{job.key}` ended with {result}.")


def _condition(attempt: TaskAttempt, stop: Stop) -> Outcome:
    given = attempt.task.inner
    left, right = (as_text(attempt.resolved(given.get(side), side)) for side in ("left", "right"))
    attempt.record(details={"left": left, "op": given.get("op"), "right": right})
    try:
        found = conditions.outcome(str(given.get("op")), left, right)
    except ValueError as error:
        raise RunError(f"condition_task: {error.args[0]}. Correct the operand.") from error
    attempt.record(details={"left": left, "op": given.get("op"), "right": right, "outcome": found})
    attempt.run.progress.outcomes[attempt.task.key] = found
    return Outcome("SUCCESS")


Runner = Callable[[TaskAttempt, Stop], Outcome]
RUNNERS: dict[str, Runner] = {
    "notebook_task": _notebook,
    "run_job_task": _child_job,
    "condition_task": _condition,
    "for_each_task": run_iterations,
    **dict.fromkeys(KINDS, _script),
}
