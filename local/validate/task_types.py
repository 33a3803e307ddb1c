"""What single task types ask for: for-each, run-job and SQL tasks, and files from the bundle or from Git."""

import json
from collections.abc import Iterator
from pathlib import Path

from local.bundle.documents import show
from local.bundle.model import WORKSPACE
from local.bundle.notebooks import find_notebook
from local.lakeflow.child_jobs import wrong_start
from local.validate.conditions import is_reference
from local.validate.findings import Finding
from local.validate.subject import Subject, TaskView

SQL_KINDS = ("query", "alert", "dashboard", "file")
GIT_REFERENCES = ("git_branch", "git_tag", "git_commit")
# The field that names the file of a task, below its type.
FILES = {"spark_python_task": ("python_file",), "sql_task": ("file", "path")}


def check_for_each(subject: Subject) -> Iterator[Finding]:
    """Inputs, and what is inside."""
    for task in subject.all_tasks:
        if task.kind != "for_each_task":
            continue
        inputs = str(task.inner.get("inputs", "[]"))
        if not is_reference(inputs) and not _is_array(inputs):
            yield subject.finding(
                "for-each-inputs",
                f"`{inputs}` as `inputs`",
                'a JSON array, such as `["a", "b"]`, or a reference, such as `{{tasks.T.values.K}}`',
                "Correct the text.",
                task=task,
                path=("for_each_task", "inputs"),
            )
        nested = task.inner.get("task") or {}
        if nested.get("for_each_task"):
            found, expected = f"a for_each_task (`{nested.get('task_key')}`) inside", "any other task type inside"
            action, path = "Flatten the inputs into one list, or start a job with a run_job_task.", (task.kind, "task")
            yield subject.finding("for-each-nested", found, expected, action, task=task, path=path)
        if nested.get("depends_on"):
            found, expected = "`depends_on` in the task of a for-each task", "dependencies of the for-each task itself"
            path = ("for_each_task", "task", "depends_on")
            yield subject.finding("useless-setting", found, expected, "Move them up.", task=task, path=path)


def check_job_levels(subject: Subject) -> Iterator[Finding]:
    """Jobs start each other in no circle, and at most three levels deep."""
    for task in subject.all_tasks:
        child = subject.job_started_by(task)
        if child is not None and (wrong := wrong_start(subject.bundle, subject.job, child)):
            yield subject.finding(*wrong, task=task, path=(task.kind, "job_id"))


def check_sql_kind(subject: Subject) -> Iterator[Finding]:
    """One of query, alert, dashboard and file."""
    for task in subject.all_tasks:
        given = [name for name in SQL_KINDS if task.inner.get(name) is not None]
        if task.kind == "sql_task" and len(given) != 1:
            found, expected = f"{' and '.join(given) or 'nothing to run'}", f"one of {', '.join(SQL_KINDS)}"
            yield subject.finding("sql-task", found, expected, "Name one of them.", task=task, path=("sql_task",))


def check_git(subject: Subject) -> Iterator[Finding]:
    """`source: GIT` and git_source belong together; one branch, tag or commit."""
    source = subject.source.get("git_source")
    if source is not None:
        given = [name for name in GIT_REFERENCES if source.get(name)]
        if len(given) != 1:
            found = f"{' and '.join(given) or 'no reference'} in git_source"
            expected = f"one of {', '.join(GIT_REFERENCES)}"
            yield subject.finding("git-source", found, expected, "Name one of them.", path=("git_source",))
        return
    for task in subject.all_tasks:
        if subject.comes_from_git(task):
            found, expected = "`source: GIT` in a job without `git_source`", "a git_source"
            action = f"Add it to the job, or write `source: {WORKSPACE}`."
            yield subject.finding("git-source", found, expected, action, task=task, path=(task.kind, "source"))


def check_files(subject: Subject) -> Iterator[Finding]:
    """Python and SQL files, and the notebooks of for-each tasks (those of other tasks: `local.bundle.jobs`)."""
    for task in subject.all_tasks:
        if task.outer and task.kind == "notebook_task":
            yield from _check_nested_notebook(subject, task)
        steps = FILES.get(task.kind, ())
        block = task.inner if len(steps) < 2 else task.inner.get(steps[0]) or {}
        named = block.get(steps[-1]) if steps else None
        if not isinstance(named, str) or subject.comes_from_git(task) or not is_local(named):
            continue
        path = (task.kind, *steps)
        file = (subject.folder_of(task, path) / named).resolve()
        if not any(file.is_relative_to(folder.resolve()) for folder in subject.bundle.folders):
            found, expected = (
                f"`{named}`, outside of the bundle",
                "a file inside it, or inside a folder of `sync.paths`",
            )
            action = "Move it into the bundle."
        elif not file.is_file():
            found = f"no file `{named}` (`{show(file, subject.bundle.root)}`)"
            expected, action = "a file, relative to the one that names it", "Correct the path."
        else:
            continue
        yield subject.finding("missing-file", found, expected, action, task=task, path=path)


def is_local(path: str) -> bool:
    """Is *path* one of the bundle, and not of the workspace, of a volume or of cloud storage?"""
    return not path.startswith("/") and ":/" not in path and not is_reference(path)


def _check_nested_notebook(subject: Subject, task: TaskView) -> Iterator[Finding]:
    named = task.inner.get("notebook_path")
    if not isinstance(named, str) or subject.comes_from_git(task) or is_reference(named):
        return
    path = ("notebook_task", "notebook_path")
    if notebook_of(subject, task) is None:
        found = f"no notebook `{named}`"
        expected = "a notebook of the bundle, relative to the file that names it"
        yield subject.finding("missing-file", found, expected, "Correct the path.", task=task, path=path)


def notebook_of(subject: Subject, task: TaskView) -> Path | None:
    """The file of the notebook task *task*, None where there is none in the bundle."""
    named = task.inner.get("notebook_path")
    if task.kind != "notebook_task" or not isinstance(named, str):
        return None
    try:
        folder = subject.folder_of(task, ("notebook_task", "notebook_path"))
        return find_notebook(named, folder, subject.bundle.folders)
    except LookupError:
        return None


def _is_array(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False
