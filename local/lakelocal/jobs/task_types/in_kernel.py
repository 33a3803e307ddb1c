"""Running in a kernel: the notebook of a task, or one that is generated for a task without a notebook.

In this way every task runs isolated, and is logged, retried and recorded alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from lakelocal.context import TaskContext
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome, run_notebook
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.selection import upstream_of
from lakelocal.jobs.stop import Stop
from lakelocal.kernel.dbutils.secrets import SecretsFile
from lakelocal.lakeflow.environment_variables import environment_variables, with_secrets
from lakelocal.lakeflow.model import Task
from lakelocal.lakeflow.session_settings import session_settings
from lakelocal.sources import write_notebook
from lakelocal.sources.read import notebook_of

Parameters: TypeAlias = Sequence[str] | Mapping[str, str]
Cells: TypeAlias = Iterator[dict[str, Any]]
Hear: TypeAlias = Callable[[Mapping[str, Any]], None]


def run_in_kernel(attempt: TaskAttempt, stop: Stop, hear: Hear | None = None, **given: Any) -> Outcome:
    """Run a notebook in a process of its own, after cells that install the libraries of the task.

    *given* are the fields of its context that depend on the task type. *hear* gets the events of its process; by
    default, its owner does.

    Raises:
        RunError: a wheel is missing.
    """
    run, places = attempt.run, attempt.places
    attempt.record(parameters=given["parameters"])
    for left in ("json", "rows.json"):  # what an earlier attempt left no longer counts
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
        installs=[each.cell for each in installs_of(attempt.task, attempt.owner.engine.bundle)],
        settings=_with_secrets(attempt, session_settings(run.job, attempt.task)),
        **given,
    )
    engine = attempt.owner.engine
    own = _with_secrets(attempt, environment_variables(run.job, attempt.task))
    environment = {**own, **engine.environment}
    return run_notebook(engine.pool, context, places, environment, stop, hear or attempt.owner.hear)


def _with_secrets(attempt: TaskAttempt, given: Mapping[str, str]) -> dict[str, str]:
    """What the task's cluster or job gives it, with the secrets that it refers to.

    Raises:
        DbutilsError: there is no such secret.
    """
    secrets = SecretsFile(attempt.owner.engine)
    return {name: with_secrets(value, secrets.get) for name, value in given.items()}


def run_cells(
    attempt: TaskAttempt,
    stop: Stop,
    cells: Iterable[dict[str, Any]],
    parameters: Parameters,
    *,
    widgets: Mapping[str, Any] | None = None,
    rows_file: str = "",
    hear: Hear | None = None,
) -> Outcome:
    """Run a notebook of *cells*.

    Args:
        parameters: the parameters of the task, as they are recorded.
        widgets: the parameters by name, if the cells may ask for them.
        rows_file: the file for the rows of the last statement.
        hear: gets the events of its process, in place of the task.
    """
    notebook, folder = write_cells(attempt.task, cells, attempt.places.inner("task.ipynb"))
    attempt.record(details={attempt.task.parameters_field: parameters} if parameters else {})
    return run_in_kernel(
        attempt,
        stop,
        hear,
        notebook=str(notebook),
        working_folder=str(folder),
        parameters={name: str(value) for name, value in (widgets or {}).items()},
        rows_file=rows_file,
    )


def write_cells(task: Task, cells: Iterable[dict[str, Any]], place: Path) -> tuple[Path, Path]:
    """Write a notebook of *cells* to *place*, whose folder exists.

    Returns:
        The notebook, and the folder in which it runs: that of the task's file, or an empty one of its own.
    """
    folder = task.file.parent if task.file else place.with_suffix(".folder")
    folder.mkdir(exist_ok=True)
    return write_notebook(notebook_of(list(cells)), place), folder


def command_line(parameters: Parameters) -> list[str]:
    """*parameters* as the words of a command line: a list unchanged, named parameters as `--name=value`."""
    if isinstance(parameters, Mapping):
        return [f"--{name}={value}" for name, value in parameters.items()]
    return [str(word) for word in parameters]
