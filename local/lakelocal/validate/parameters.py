"""Checks the parameters of notebook tasks: those that the notebook does not take, and those that it needs but lacks.

Source: Databricks documentation, "Parameterize jobs" (job parameters are pushed down to notebooks and child jobs) and
"Databricks widgets" (`dbutils.widgets.get` fails with InputWidgetNotDefined where there is no such widget).
"""

from collections.abc import Iterator

from lakelocal.lakeflow.findings import Finding, show
from lakelocal.lakeflow.notebook_interface import parameters_not_taken, read_interface
from lakelocal.validate.job_view import JobView
from lakelocal.validate.task_types import notebook_of


def check_parameters(view: JobView) -> Iterator[Finding]:
    """Check that each notebook takes the parameters that its task sets, and gets those that it needs."""
    pushed = set(view.job.parameters)
    pushed_by_parents = _of_parents(view)
    for task in view.all_tasks:
        file = notebook_of(view, task)
        if file is None:
            continue
        own = task.inner.get("base_parameters") or {}
        notebook = read_interface(file)
        name = show(file, view.bundle.root)
        for finding in parameters_not_taken(own, file, view.bundle.root):
            yield finding.moved(view.where(task, finding.where.path))
        for parameter in sorted(notebook.needs - own.keys() - pushed - pushed_by_parents):
            found = f"no parameter `{parameter}`, which `{name}` reads without a default"
            expected, action = "it in base_parameters or in the job's parameters", "Add it, or declare the widget."
            place = ("notebook_task", "base_parameters" if own else "notebook_path")
            yield view.finding("parameter-missing", found, expected, action, task=task, path=place)


def _of_parents(view: JobView) -> set[str]:
    """The parameters that jobs of the bundle push down when they start this one."""
    return {
        name
        for parent in view.bundle.jobs.values()
        for task in parent.every_task()
        if task.child == view.job.key
        for name in (*parent.parameters, *task.parameters)
    }
