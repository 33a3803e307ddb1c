"""The modules of Databricks' runtime in a worker: what the user's own modules import at the top must exist.

`spark` is the session of a foreachBatch function; other functions have none, as on Databricks, and using one raises an
error that says so.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from lakelocal.errors import DialectError, LocalError


class Absent:
    """Stands for something that a worker does not have; using it raises the reason."""

    def __init__(self, reason: LocalError) -> None:
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._reason

    def __call__(self, *_: object, **__: object) -> Any:
        raise self._reason


def provide_modules() -> None:
    """Let this process import these modules: some in any case, the others only if no installed package has them."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder(_OURS))
        sys.meta_path.append(_Finder(_ELSE))


def session() -> Any:
    """The session of this worker, or an object that says that there is none; a pickled session becomes this."""
    connect = sys.modules.get("pyspark.sql.connect.session")  # takes a second to import; a worker with a session has it
    found = connect.SparkSession.getActiveSession() if connect else None
    return found or Absent(
        DialectError(
            "A Python function that Spark runs for rows has no `spark`, neither here nor on Databricks. Read what it "
            "needs first, and join it or pass it as a value."
        )
    )


_NO_UTILITIES = Absent(
    DialectError(
        "`dbutils` of `databricks.sdk.runtime` does not exist inside a function that Spark runs. Call it outside "
        "and pass its result as a value."
    )
)


class _Builder:
    """`DatabricksSession.builder`: whatever its settings, the session is this worker's."""

    def getOrCreate(self) -> Any:
        return session()

    def __getattr__(self, name: str) -> Callable[..., "_Builder"]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: self


class _DatabricksSession:
    builder = _Builder()


class _Runtime(ModuleType):
    """`databricks.sdk.runtime`."""

    def __getattr__(self, name: str) -> Any:
        if name == "spark":
            return session()
        if name in ("dbutils", "display", "displayHTML", "getArgument"):
            return _NO_UTILITIES
        if name in ("sql", "table"):
            return getattr(session(), name)
        if name == "udf":
            from pyspark.sql import functions

            return functions.udf
        raise AttributeError(f"`databricks.sdk.runtime` has no `{name}` in a worker")


class _Connect(ModuleType):
    DatabricksSession = _DatabricksSession


class _ConnectSession(_Connect):
    def __getattr__(self, name: str) -> Any:
        if name == "SparkSession":
            from pyspark.sql import SparkSession

            return SparkSession
        raise AttributeError(f"`databricks.connect.session` has no `{name}` in a worker")


class _Utilities(ModuleType):
    @staticmethod
    def DBUtils(*_: object) -> Absent:
        return _NO_UTILITIES


_OURS = {"databricks.sdk.runtime": _Runtime, "pyspark.dbutils": _Utilities}
_ELSE = {
    "databricks": ModuleType,
    "databricks.sdk": ModuleType,
    "databricks.connect": _Connect,
    "databricks.connect.session": _ConnectSession,
}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds *modules*, each made by its class."""

    def __init__(self, modules: Mapping[str, type[ModuleType]]) -> None:
        self._modules = modules

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name not in self._modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=__name__, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._modules[spec.name](spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is complete as soon as it is made."""
