"""`dbutils.library`: what a notebook calls after `%pip install`.

Source: Databricks documentation, "Library utility (dbutils.library)".
"""

from typing import TYPE_CHECKING

from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.kernel.packages import Packages

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

_REMOVED = "removed in Databricks Runtime 11: use `%pip install`"


class Library(HasHelp):
    """Python packages of the notebook."""

    _name = "dbutils.library"
    _refused = dict.fromkeys(("install", "installPyPI", "list", "updateCondaEnv"), _REMOVED)

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel

    def restartPython(self) -> None:
        """Let the next imports use what `%pip install` has installed; the kernel itself keeps running."""
        self._kernel.part(Packages).forget_replaced()
        print("dbutils.library.restartPython: nothing is restarted here. On Databricks, all variables would be lost.")
