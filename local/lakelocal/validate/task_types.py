"""Checks what task types require of their own fields, of files from Git, and of the jobs that run-job tasks start."""

from collections.abc import Iterator
from pathlib import Path

from lakelocal.bundle.notebooks import find_notebook
from lakelocal.lakeflow.child_jobs import wrong_start
from lakelocal.lakeflow.findings import Finding, FindingError
from lakelocal.lakeflow.model import WORKSPACE
from lakelocal.lakeflow.task_types import type_of
from lakelocal.validate.job_view import JobView, TaskView

GIT_REFERENCES = ("git_branch", "git_tag", "git_commit")


def check_types(view: JobView) -> Iterator[Finding]:
    """Check the fields of each task by the rules of its type."""
    for task in view.all_tasks:
        for finding in type_of(task.kind).check(task.inner):
            yield finding.moved(view.where(task, (task.kind, *finding.where.path)))
        for field in ("max_retries", "min_retry_interval_millis", "retry_on_timeout"):
            if task.kind == "for_each_task" and task.settings.get(field):
                found, expected = f"`{field}` on a for-each task", "it on the task inside of it"
                yield view.finding("for-each-retries", found, expected, "Move it there.", task=task, path=(field,))


def check_job_levels(view: JobView) -> Iterator[Finding]:
    """Check that jobs do not start each other in a cycle, nor more than three levels deep."""
    for task in view.all_tasks:
        child = view.job_started_by(task)
        where = view.where(task, (task.kind, "job_id"))
        if child is not None and (finding := wrong_start(view.bundle, view.job, child, where)):
            yield finding


def check_git(view: JobView) -> Iterator[Finding]:
    """Check that `source: GIT` comes with a git_source, which names exactly one branch, tag or commit."""
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
    """The file of the notebook task *task*; None if the bundle does not have it, or the task has another type."""
    named = task.inner.get("notebook_path")
    if not type_of(task.kind).notebook or not isinstance(named, str):
        return None
    try:
        folder = view.folder_of(task, (task.kind, "notebook_path"))
        return find_notebook(named, folder, view.bundle.folders)
    except FindingError:
        return None
