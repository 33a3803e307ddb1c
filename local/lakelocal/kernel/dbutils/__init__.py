"""`dbutils`: the utilities of a Databricks notebook, with their signatures and return types.

Source: Databricks documentation, "Databricks Utilities (dbutils) reference".
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from lakelocal.compute import WORKSPACE
from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.credentials import Credentials
from lakelocal.kernel.dbutils.data import Data
from lakelocal.kernel.dbutils.fs import FileSystem
from lakelocal.kernel.dbutils.help import show_modules
from lakelocal.kernel.dbutils.jobs import Jobs
from lakelocal.kernel.dbutils.library import Library
from lakelocal.kernel.dbutils.notebook import Notebook
from lakelocal.kernel.dbutils.notebook_context import EntryPoint
from lakelocal.kernel.dbutils.secrets import Secrets, SecretsFile
from lakelocal.kernel.dbutils.widgets import Widgets

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

MODULES = {
    "credentials": "credentials of cloud services, which do not exist here",
    "data": "summary statistics of a frame",
    "fs": "files in volumes, in DBFS and on this machine",
    "library": "restarting Python after `%pip install`",
    "jobs": "values that the tasks of a job pass on",
    "notebook": "run another notebook, or end this one with a value",
    "secrets": "values from `.secrets.yml` or from the workspace, which outputs never show",
    "widgets": "the parameters of the notebook",
}


class DBUtils:
    """The utilities of one kernel; if Spark runs in a workspace, `fs` and `secrets` are those of the workspace.

    Args:
        kernel: has `context` (the task, or None), `state` and `compute` (found on first use), `remote`, `folder`, `ip`.
    """

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel

    @cached_property
    def widgets(self) -> Widgets:
        context = self._kernel.context
        return Widgets(dict(context.parameters) if context else {})

    @cached_property
    def fs(self) -> FileSystem | Any:
        return self._elsewhere.fs if self._elsewhere else FileSystem(lambda: self._kernel.state)

    @cached_property
    def notebook(self) -> Notebook:
        return Notebook(self._kernel, self)

    @property
    def entry_point(self) -> EntryPoint:
        """The same as `dbutils.notebook.entry_point`."""
        return self.notebook.entry_point

    @cached_property
    def data(self) -> Data:
        return Data()

    @cached_property
    def credentials(self) -> Credentials:
        return Credentials()

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self._kernel.context)

    @cached_property
    def library(self) -> Library:
        return Library(self._kernel)

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self._kernel, self._elsewhere.secrets if self._elsewhere else SecretsFile(self._kernel))

    @cached_property
    def _elsewhere(self) -> Any:
        """The `dbutils` of the workspace; None if Spark does not run in a workspace."""
        return self._kernel.compute.utilities() if self._kernel.remote == WORKSPACE else None

    def help(self, module: str = "") -> None:
        """List the modules, or the commands of *module*."""
        if module:
            getattr(self, module).help()
        else:
            show_modules("dbutils", MODULES)

    def __reduce__(self) -> Any:
        """Pickle these utilities as what a Spark worker can have of them."""
        if self._kernel.remote == WORKSPACE:
            raise DbutilsError(
                "`dbutils` cannot be used inside a function that Spark runs. Call it before, and let the function use "
                "its result."
            )
        from lakelocal.kernel.dbutils import in_worker  # imported late: most kernels pickle no `dbutils`

        return in_worker.utilities, ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise DbutilsError(
            f"`dbutils.{name}`: not available in a local kernel, which has {', '.join(f'`{m}`' for m in MODULES)}. "
            "Use one of these, or run the notebook on Databricks."
        )

    def __dir__(self) -> list[str]:
        return sorted([*MODULES, "help"])

    def __repr__(self) -> str:
        return f"dbutils ({', '.join(MODULES)}); see dbutils.help()"
