"""Which parameters a run, a task and a child job get, and what is reported if a notebook does not take them.

Precedence, strongest first: `--param` over the job's default; a job parameter over a task's parameter of the same name;
otherwise the notebook's own default. Values are always text. Job parameters are pushed down to every notebook and
child job. Source: Databricks documentation, "Parameterize jobs".
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.lakeflow.notebook_interface import parameters_not_taken
from lakelocal.near_names import next_step


def job_parameters(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a run that a person starts.

    Raises:
        UsageError: *given* has a name that the job does not declare; the message lists the declared ones.
    """
    if unknown := [name for name in given if name not in job.parameters]:
        legal = ", ".join(f"`{name}`" for name in job.parameters)
        known = f"its parameters are {legal}" if legal else "the job has no parameters"
        step = next_step(unknown[0], job.parameters) if legal else "Leave it out."
        raise UsageError(f"--param: job `{job.key}`: found `{unknown[0]}`; {known}. {step}")
    return {**job.parameters, **given}


def child_parameters(child: Job, task_parameters: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a run that a run-job task starts: its defaults, overridden by the task's, then by the parent's.

    The parent's parameters are pushed down even if the child does not declare them.
    """
    return {**child.parameters, **task_parameters, **parent}


def notebook_parameters(task_parameters: Mapping[str, str], job: Mapping[str, str]) -> dict[str, str]:
    """The values of `dbutils.widgets` in a notebook task: the task's own, overridden by the job's."""
    return {**task_parameters, **job}


def check_task_parameters(bundle: Bundle, task: Task) -> Iterator[Finding]:
    """Findings for the task's own parameters that its notebook does not take."""
    if task.kind == "notebook_task" and task.notebook is not None:
        for finding in parameters_not_taken(task.parameters, task.notebook, bundle.root):
            yield finding.moved(replace(task.where, path=finding.where.path))


def injected(parameters: Mapping[str, str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are injected into the executed notebook: those that its parameters cell has, in its types."""
    return {name: _typed(parameters[name], default) for name, default in defaults.items() if name in parameters}


def _typed(text: str, default: Any) -> Any:
    """*text* in the type of *default*; unchanged if it does not fit: the notebook then reports it."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}.get(text.lower(), text)
        if isinstance(default, (int, float)):
            return type(default)(text)
    except ValueError:
        return text
    return text
