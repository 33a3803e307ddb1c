"""The context of a notebook: its path, its user, and the ids of the run that it belongs to.

Code gets it by `dbutils.notebook.entry_point.getDbutils().notebook().getContext()`. On Databricks, these are Scala
objects, so everything is a method, and what may be missing is an Option. The host, the API and the token exist in a
workspace only: asking for one of them is refused, and the JSON form has a text in its place that says so.

Databricks documents none of this. The names are those that public notebooks use, and the ids are those of the Jobs API:
the "current run" is the run of the task, "multitaskParentRunId" is the run of its job.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lakelocal.context import TaskContext
from lakelocal.errors import DbutilsError
from lakelocal.paths import WORKSPACE
from lakelocal.project import BundleFiles, State
from lakelocal.versions import DATABRICKS_RUNTIME, SCALA

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

CLUSTER, HOST, ORGANISATION = "local", "localhost", "0"
_NO_WORKSPACE = "there is no workspace on this machine, and so no API and no token"
# For the JSON form, where nothing can be refused: whatever uses these fails with an error that contains them.
_NO_API = "https://no-workspace-on-this-machine.invalid"
_NO_TOKEN = "no-workspace-on-this-machine"
_Value = TypeVar("_Value")


class NoSuchElement(DbutilsError):
    """Raised when an Option is empty, or a tag does not exist."""


class Option(Generic[_Value]):
    """Scala's Option: *value*, or nothing for *reason*."""

    def __init__(self, value: _Value | None, reason: str = "") -> None:
        self._value, self._reason = value, reason

    def get(self) -> _Value:
        """Return the value.

        Raises:
            NoSuchElement: there is none.
        """
        if self._value is None:
            raise NoSuchElement(f"java.util.NoSuchElementException: None.get: {self._reason}")
        return self._value

    value = get

    def getOrElse(self, default: Any) -> Any:
        return default if self._value is None else self._value

    def isDefined(self) -> bool:
        return self._value is not None

    nonEmpty = isDefined

    def isEmpty(self) -> bool:
        return self._value is None

    def toString(self) -> str:
        return "None" if self._value is None else f"Some({self._value})"

    __repr__ = __str__ = toString


class RunId:
    """The id of a run."""

    def __init__(self, number: int) -> None:
        self._number = number

    def id(self) -> int:
        return self._number

    def toString(self) -> str:
        return f"RunId({self._number})"

    __repr__ = __str__ = toString


class Tags:
    """The tags as a Scala map; all values are texts."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = tags

    def apply(self, name: str) -> str:
        """Return the tag *name*.

        Raises:
            NoSuchElement: there is no such tag.
        """
        return self.get(name).get()

    def get(self, name: str) -> Option[str]:
        known = ", ".join(f"`{each}`" for each in self._tags)
        return Option(self._tags.get(name), f"there is no tag `{name}`; the tags are {known}")

    def getOrElse(self, name: str, default: Any) -> Any:
        return self._tags.get(name, default)

    def contains(self, name: str) -> bool:
        return name in self._tags

    def toString(self) -> str:
        return f"Map({', '.join(f'{name} -> {value}' for name, value in self._tags.items())})"

    __repr__ = __str__ = toString


class NotebookContext:
    """The context of the notebook of *kernel*, which has `context`, `state` and `folder`."""

    def __init__(self, kernel: "Kernel") -> None:
        task = kernel.context
        self._task = task if task is not None and task.job_id else None
        self._path = _notebook_path(task, kernel.state)
        self._user = _user()

    def notebookPath(self) -> Option[str]:
        return Option(self._path, "this kernel does not know which notebook it runs; the kernel of a job does")

    def notebookId(self) -> Option[str]:
        return Option(_id_of(self._path) if self._path else None, "this kernel does not know which notebook it runs")

    def userName(self) -> Option[str]:
        return Option(self._user)

    def tags(self) -> Tags:
        return Tags(self._tags())

    def currentRunId(self) -> Option[RunId]:
        return Option(RunId(self._task.task_run_id) if self._task else None, _NO_JOB)

    def rootRunId(self) -> Option[RunId]:
        return self.currentRunId()

    def jobId(self) -> Option[str]:
        return self.tags().get("jobId")

    def jobGroup(self) -> Option[str]:
        return Option(self._group())

    def clusterId(self) -> Option[str]:
        return Option(CLUSTER)

    def browserHostName(self) -> Option[str]:
        return Option(HOST)

    def workspaceId(self) -> Option[str]:
        return Option(ORGANISATION)

    def apiUrl(self) -> Option[str]:
        return Option(None, f"apiUrl: {_NO_WORKSPACE}. Call the API on Databricks only, or if apiUrl().isDefined().")

    def apiToken(self) -> Option[str]:
        return Option(None, f"apiToken: {_NO_WORKSPACE}. Call the API on Databricks only, or use dbutils.secrets.")

    def toJson(self) -> str:
        """The whole context; in place of a value that only a workspace has, there is a text that says so."""
        run = {"id": self._task.task_run_id} if self._task else None
        extra = {"api_url": _NO_API, "api_token": _NO_TOKEN, **({"notebook_path": self._path} if self._path else {})}
        return json.dumps(
            {
                "rootRunId": run,
                "currentRunId": run,
                "jobGroup": self._group(),
                "tags": self._tags(),
                "extraContext": extra,
                "credentialKeys": [],
            }
        )

    def safeToJson(self) -> str:
        """The same as one object of texts, without anything secret, as for shared and serverless compute."""
        found = {**self._tags(), "jobGroup": self._group()}
        if self._path:
            found |= {"notebook_path": self._path, "notebook_id": _id_of(self._path)}
        if self._task:
            found |= dict.fromkeys(("currentRunId", "rootRunId"), str(self._task.task_run_id))
        return json.dumps({"attributes": found})

    def _tags(self) -> dict[str, str]:
        found = {
            "user": self._user,
            "orgId": ORGANISATION,
            "clusterId": CLUSTER,
            "browserHostName": HOST,
            "sparkVersion": f"{DATABRICKS_RUNTIME}.x-scala{SCALA}",
            "notebookLanguage": "python",
        }
        if self._path:
            found["notebookId"] = _id_of(self._path)
        if task := self._task:
            found |= {
                "jobId": str(task.job_id),
                "jobName": task.job_name,
                "jobType": "NORMAL",
                "runId": str(task.task_run_id),
                "idInJob": str(task.task_run_id),
                "multitaskParentRunId": str(task.job_run_id),
                "taskKey": task.task_key,
            }
        return found

    def _group(self) -> str:
        task = self._task
        return f"job-{task.job_id}-run-{task.task_run_id}-action-1" if task else "interactive"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = ", ".join(f"`{each}`" for each in vars(NotebookContext) if not each.startswith("_"))
        raise DbutilsError(f"`getContext().{name}`: not available in a local kernel, which has {known}.")


_NO_JOB = "this kernel does not run a task of a job"


class EntryPoint:
    """The value of `dbutils.notebook.entry_point`: it stands for the `dbutils` of the JVM, whose modules are methods.

    Args:
        dbutils: The utilities of the kernel.
        context: The context of the notebook.
    """

    def __init__(self, dbutils: Any, context: NotebookContext) -> None:
        self._dbutils, self._context = dbutils, context

    def getDbutils(self) -> "EntryPoint":
        return self

    def notebook(self) -> "_NotebookOfJvm":
        return _NotebookOfJvm(self._dbutils.notebook, self._context)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("fs", "jobs", "secrets", "widgets"):
            return lambda: getattr(self._dbutils, name)
        raise DbutilsError(
            f"`dbutils.notebook.entry_point.{name}`: not available in a local kernel, which has no JVM behind it. It "
            "has `getDbutils()`, and that has `notebook()`, `widgets()`, `fs()`, `secrets()` and `jobs()`."
        )


class _NotebookOfJvm:
    def __init__(self, notebook: Any, context: NotebookContext) -> None:
        self._notebook, self._context = notebook, context

    def getContext(self) -> NotebookContext:
        return self._context

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._notebook, name)


def repl_context(context: NotebookContext) -> dict[str, Any]:
    """The attributes of `dbruntime.databricks_repl_context.get_context()`; None for those that are not known."""
    tags = context.tags()
    in_job = tags.contains("jobId")
    return {
        "isInJob": in_job,
        "jobId": tags.getOrElse("jobId", None),
        "jobType": tags.getOrElse("jobType", None),
        "idInJob": tags.getOrElse("idInJob", None),
        "taskKey": tags.getOrElse("taskKey", None),
        "multitaskParentRunId": tags.getOrElse("multitaskParentRunId", None),
        "currentRunId": tags.getOrElse("runId", None),
        "rootRunId": tags.getOrElse("runId", None),
        "isInNotebook": context.notebookPath().isDefined(),
        "notebookId": context.notebookId().getOrElse(None),
        "notebookPath": context.notebookPath().getOrElse(None),
        "user": context.userName().get(),
        "clusterId": CLUSTER,
        "isInCluster": True,
        "workspaceId": ORGANISATION,
        "workspaceUrl": HOST,
        "browserHostName": HOST,
        "apiUrl": None,
        "apiToken": None,
    }


def _notebook_path(task: TaskContext | None, state: State) -> str | None:
    """The path of the notebook in a workspace, without its extension; None if it is not known.

    It does not begin with `/Workspace`, just as on Databricks.
    """
    named = task.notebook if task else os.environ.get("JPY_SESSION_NAME", "")  # which JupyterLab sets
    if not named or (task is not None and task.working_folder):  # a notebook that was generated to run a file
        return None
    place = Path(named).absolute().with_suffix("")
    for files in (state.files, BundleFiles(WORKSPACE, state.workspace)):
        if files is not None and place.is_relative_to(files.folder):
            return f"{files.shown.removeprefix(WORKSPACE)}/{place.relative_to(files.folder).as_posix()}"
    return str(place)


def _user() -> str:
    from lakelocal.bundle.workspace import user_name  # imported late, since it brings the reading of bundles

    return user_name()


def _id_of(path: str) -> str:
    """An id for the notebook at *path*, the same in each run."""
    return str(int.from_bytes(hashlib.sha256(path.encode()).digest()[:6], "big"))
