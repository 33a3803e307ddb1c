"""What single task types ask for: for-each, run-job and SQL tasks, and files from Git."""

from collections.abc import Iterator
from pathlib import Path

from lakelocal.bundle.notebooks import find_notebook
from lakelocal.lakeflow.child_jobs import wrong_start
from lakelocal.lakeflow.findings import Finding, FindingError
from lakelocal.lakeflow.model import WORKSPACE
from lakelocal.lakeflow.references import literal_inputs
from lakelocal.validate.conditions import is_reference
from lakelocal.validate.job_view import JobView, TaskView

SQL_KINDS = ("query", "alert", "dashboard", "file")
GIT_REFERENCES = ("git_branch", "git_tag", "git_commit")


def check_for_each(view: JobView) -> Iterator[Finding]:
    """Inputs, and dependencies inside."""
    for task in view.all_tasks:
        if task.kind != "for_each_task":
            continue
        inputs = str(task.inner.get("inputs", "[]"))
        if not is_reference(inputs) and literal_inputs(inputs) is None:
            yield view.finding(
                "for-each-inputs",
                f"`{inputs}` as `inputs`",
                'a JSON array, such as `["a", "b"]`, or a reference, such as `{{tasks.T.values.K}}`',
                "Correct the text.",
                task=task,
                path=("for_each_task", "inputs"),
            )
        nested = task.inner.get("task") or {}
        if nested.get("depends_on"):
            found, expected = "`depends_on` in the task of a for-each task", "dependencies of the for-each task itself"
            place = ("for_each_task", "task", "depends_on")
            yield view.finding("useless-setting", found, expected, "Move them up.", task=task, path=place)


def check_job_levels(view: JobView) -> Iterator[Finding]:
    """Jobs start each other in no circle, and at most three levels deep."""
    for task in view.all_tasks:
        child = view.job_started_by(task)
        where = view.where(task, (task.kind, "job_id"))
        if child is not None and (finding := wrong_start(view.bundle, view.job, child, where)):
            yield finding


def check_sql_kind(view: JobView) -> Iterator[Finding]:
    """One of query, alert, dashboard and file."""
    for task in view.all_tasks:
        given = [name for name in SQL_KINDS if task.inner.get(name) is not None]
        if task.kind == "sql_task" and len(given) != 1:
            found, expected = f"{' and '.join(given) or 'nothing to run'}", f"one of {', '.join(SQL_KINDS)}"
            yield view.finding("sql-task", found, expected, "Name one of them.", task=task, path=("sql_task",))


def check_git(view: JobView) -> Iterator[Finding]:
    """`source: GIT` and git_source belong together; one branch, tag or commit."""
    source = view.source.get("git_source")
    if source is not None:
        given = [name for name in GIT_REFERENCES if source.get(name)]
        if len(given) != 1:
            found = f"{' and '.join(given) or 'no reference'} in git_source"
            expected = f"one of {', '.join(GIT_REFERENCES)}"
            yield view.finding("git-source", found, expected, "Name one of them.", path=("git_source",))
        return
    for task in view.all_tasks:
        if view.comes_from_git(task):
            found, expected = "`source: GIT` in a job without `git_source`", "a git_source"
            action = f"Add it to the job, or write `source: {WORKSPACE}`."
            yield view.finding("git-source", found, expected, action, task=task, path=(task.kind, "source"))


def notebook_of(view: JobView, task: TaskView) -> Path | None:
    """The file of the notebook task *task*, None where there is none in the bundle."""
    named = task.inner.get("notebook_path")
    if task.kind != "notebook_task" or not isinstance(named, str):
        return None
    try:
        folder = view.folder_of(task, ("notebook_task", "notebook_path"))
        return find_notebook(named, folder, view.bundle.folders)
    except FindingError:
        return None
