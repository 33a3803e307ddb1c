"""Modules of Databricks that code imports: `databricks.sdk.runtime`, `databricks.connect`, `pyspark.dbutils`.

They exist in our kernels only, even if databricks-sdk and databricks-connect are not installed, so that a bundle's
packages can be imported unchanged and get this kernel's session. Of an installed databricks-sdk, only
`databricks.sdk.runtime` is replaced; of an installed databricks-connect, only the builder of `DatabricksSession`.

Source: databricks-sdk 0.162 `databricks/sdk/runtime/__init__.py` (the names); Databricks documentation,
"Databricks Connect for Python" (the builder).
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from lakelocal.compute import client
from lakelocal.errors import DialectError
from lakelocal.imports import when_imported
from lakelocal.kernel.dbutils import DBUtils
from lakelocal.kernel.dbutils.notebook_context import repl_context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

    from lakelocal.kernel.kernel import Kernel

_CONNECT_SESSION = "databricks.connect.session"
_NO_CONTEXT = "Spark Connect does not have it, neither here nor on serverless compute. Use `spark`."


def notebook_names(kernel: "Kernel") -> dict[str, Any]:
    """The names that every notebook has on Databricks, except `spark`; none of them imports Spark before it is used."""
    from lakelocal.kernel.display import display, display_html

    def sql(query: str, *arguments: Any, **named: Any) -> "DataFrame":
        """`spark.sql`."""
        return kernel.spark.sql(query, *arguments, **named)

    def table(name: str) -> "DataFrame":
        """`spark.table`."""
        return kernel.spark.table(name)

    def udf(*arguments: object, **named: Any) -> Any:
        """`pyspark.sql.functions.udf`."""
        from pyspark.sql import functions

        return functions.udf(*arguments, **named)

    dbutils = kernel.part(DBUtils)
    return {
        "dbutils": dbutils,
        "display": display,
        "displayHTML": display_html,
        "getArgument": dbutils.widgets.getArgument,
        "sql": sql,
        "table": table,
        "udf": udf,
    }


def legacy_contexts(kernel: "Kernel") -> dict[str, Any]:
    """The names from the time before `spark`: `sqlContext`, which uses the session, and `sc`, which is refused."""
    return {"sqlContext": _SqlContext(kernel), "sc": _NoSparkContext()}


class _SqlContext:
    """The methods of `sqlContext`, which use the session of *kernel*."""

    _METHODS = frozenset(
        {"sql", "table", "read", "readStream", "createDataFrame", "range", "udf", "streams", "newSession"}
    )

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel

    def tables(self, dbName: str | None = None) -> "DataFrame":
        return self._kernel.spark.sql(f"SHOW TABLES IN {dbName}" if dbName else "SHOW TABLES")

    def tableNames(self, dbName: str | None = None) -> list[str]:
        return [table.name for table in self._kernel.spark.catalog.listTables(dbName)]

    def getConf(self, key: str, *default: str) -> str | None:
        return self._kernel.spark.conf.get(key, *default)

    def setConf(self, key: str, value: str) -> None:
        self._kernel.spark.conf.set(key, value)

    def registerDataFrameAsTable(self, df: "DataFrame", tableName: str) -> None:
        df.createOrReplaceTempView(tableName)

    def dropTempTable(self, tableName: str) -> None:
        self._kernel.spark.catalog.dropTempView(tableName)

    def __getattr__(self, name: str) -> Any:
        if name in self._METHODS:
            return getattr(self._kernel.spark, name)
        if name.startswith("_"):
            raise AttributeError(name)
        raise DialectError(f"`sqlContext.{name}`: not available in Spark Connect. Use `spark`.")


class _NoSparkContext:
    """Stands for `sc`; using it raises an error that says what to use instead."""

    _INSTEAD: ClassVar[dict[str, str]] = {
        "parallelize": "spark.createDataFrame(rows, schema)",
        "range": "spark.range(...)",
        "textFile": "spark.read.text(path)",
        "wholeTextFiles": "spark.read.text(path, wholetext=True)",
        "binaryFiles": "spark.read.format('binaryFile')",
        "broadcast": "a plain variable in the function, or pyspark.sql.functions.broadcast(frame) for a join",
        "accumulator": "an aggregation of the frame",
        "addFile": "spark.addArtifacts(path, file=True)",
        "addPyFile": "spark.addArtifacts(path, pyfile=True)",
        "version": "spark.version",
        "getConf": "spark.conf.get(key)",
        "setJobGroup": "spark.addTag(tag)",
        "setLogLevel": "nothing: Spark's log is not shown here",
        "defaultParallelism": "spark.conf.get('spark.sql.shuffle.partitions')",
    }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Jupyter asks every object for such names
            raise AttributeError(name)
        raise DialectError(
            f"`sc.{name}`: Spark Connect has no SparkContext, neither here nor on serverless compute. "
            f"Use {self._INSTEAD.get(name, '`spark`')}."
        )

    def __repr__(self) -> str:
        return f"<sc is not available: {_NO_CONTEXT}>"


def provide_modules(kernel: "Kernel") -> None:
    """Let this process import the modules that the docstring of this module names."""
    makers = {
        "databricks.sdk.runtime": lambda name: _Runtime(name, kernel),
        "pyspark.dbutils": lambda name: _with_attributes(ModuleType(name), DBUtils=_dbutils_class(kernel)),
        "dbruntime": ModuleType,
        "dbruntime.databricks_repl_context": lambda name: _with_attributes(
            ModuleType(name), get_context=_repl_context_of(kernel)
        ),
    }
    if client.DATABRICKS in client.installed():
        when_imported(_CONNECT_SESSION, lambda: _replace_session_of_databricks_connect(kernel))
    else:
        session = databricks_session(kernel)
        makers |= {
            "databricks.connect": lambda name: _with_attributes(ModuleType(name), DatabricksSession=session),
            _CONNECT_SESSION: lambda name: _with_attributes(_ConnectSession(name), DatabricksSession=session),
        }
    sys.meta_path.insert(0, _Provided(makers))
    # After all other finders, so that an installed package takes precedence.
    sys.meta_path.append(_Provided({"databricks": ModuleType, "databricks.sdk": _NotInstalled}))


class _Provided(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of *makers*, which are made by these functions on import; all may have submodules."""

    def __init__(self, makers: dict[str, Callable[[str], ModuleType]]) -> None:
        self._makers = makers

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name not in self._makers:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="lakelocal.kernel.runtime", is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._makers[spec.name](spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is complete as soon as it is made."""


class _Runtime(ModuleType):
    """`databricks.sdk.runtime`; `spark` is looked up at each access, since there is a new session after `stop()`."""

    is_local_implementation = False

    def __init__(self, name: str, kernel: "Kernel") -> None:
        super().__init__(name)
        names = notebook_names(kernel)
        self.__dict__.update(names, __all__=["spark", *names], **dict.fromkeys(_AUTHENTICATION))
        self._kernel = kernel

    def __getattr__(self, name: str) -> Any:
        if name == "spark":
            return self._kernel.spark
        if name in ("sc", "sqlContext"):
            raise DialectError(f"`databricks.sdk.runtime.{name}`: {_NO_CONTEXT}")
        raise AttributeError(f"`databricks.sdk.runtime` has no `{name}`; it has {', '.join(self.__all__)}")


class _ConnectSession(ModuleType):
    """`databricks.connect.session`; it also has Spark's session class, which is imported late as it takes a second."""

    def __getattr__(self, name: str) -> Any:
        if name == "SparkSession":
            from pyspark.sql import SparkSession

            return SparkSession
        raise AttributeError(f"`databricks.connect.session` has no `{name}` here")


# The functions by which the SDK authenticates in Databricks' runtime; None lets it try other ways.
_AUTHENTICATION = ("init_runtime_legacy_auth", "init_runtime_native_auth", "init_runtime_repl_auth")


class _NotInstalled(ModuleType):
    """`databricks.sdk` if the package is not installed: it has nothing but `databricks.sdk.runtime`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(
            f"`databricks.sdk.{name}`: the package databricks-sdk is not installed; only `databricks.sdk.runtime` is "
            "provided here. Install it in the notebook: `%pip install databricks-sdk`."
        )


def _replace_session_of_databricks_connect(kernel: "Kernel") -> None:
    """Let the imported databricks-connect return the session of *kernel*."""
    module = sys.modules[_CONNECT_SESSION]
    session = databricks_session(kernel, module.DatabricksSession)
    for each in (module, sys.modules.get("databricks.connect")):  # which may be imported already, or is about to be
        if each is not None and hasattr(each, "DatabricksSession"):
            vars(each)["DatabricksSession"] = session


def databricks_session(kernel: "Kernel", real: Any = None) -> type:
    """A class `DatabricksSession` whose builder returns the session of *kernel*, whatever workspace is named.

    If the *real* class is installed, it is the base of this one, and its `__wrapped__`, which makes workspace sessions.
    """

    class Builder(real.Builder if real else object):  # type: ignore[misc]  # known only if it is installed
        """Accepts the settings of the real builder; those that name a workspace or its compute have no effect here."""

        def __init__(self) -> None:
            super().__init__()
            self._settings: dict[str, Any] = {}

        def config(self, key: str, value: object) -> "Builder":
            self._settings[key] = value
            return self

        def getOrCreate(self) -> "SparkSession":
            for key, value in self._settings.items():
                kernel.spark.conf.set(key, value)
            return kernel.spark

        def create(self) -> "SparkSession":
            return kernel.compute.session()

    for name, silent in _IGNORED_SETTINGS.items():
        setattr(Builder, name, _unused(name, silent=silent))

    class Session(type):
        @property
        def builder(cls) -> Builder:
            return Builder()

    bases = (real,) if real else ()
    names = {"Builder": Builder, "__wrapped__": real, "__doc__": "The session of this kernel."}
    return Session("DatabricksSession", bases, names)


# Settings of a builder that are ignored; True for those that are ignored silently, since nothing is lost.
_IGNORED_SETTINGS = {
    **dict.fromkeys(("serverless", "validateSession", "userAgent", "appName"), True),
    **dict.fromkeys(("clusterId", "header", "headers", "host", "profile", "remote", "sdkConfig", "token"), False),
    "withEnvironment": False,
}


def _unused(name: str, *, silent: bool) -> Callable[..., Any]:
    def method(self: Any, *_: object, **__: object) -> Any:
        if not silent:
            print(f"DatabricksSession.builder.{name}: ignored in this kernel; the session is the kernel's own.")
        return self

    method.__name__ = name
    return method


def _dbutils_class(kernel: "Kernel") -> type:
    dbutils = kernel.part(DBUtils)

    class Utilities:
        """`DBUtils(spark)` returns the `dbutils` of this kernel."""

        def __new__(cls, spark: object = None) -> Any:
            return dbutils

    Utilities.__name__ = Utilities.__qualname__ = "DBUtils"
    return Utilities


def _repl_context_of(kernel: "Kernel") -> Callable[[], SimpleNamespace]:
    def get_context() -> SimpleNamespace:
        """The ids and the path of the notebook, as attributes."""
        return SimpleNamespace(**repl_context(kernel.part(DBUtils).notebook.getContext()))

    return get_context


def _with_attributes(module: ModuleType, **attributes: Any) -> ModuleType:
    module.__dict__.update(attributes, __all__=list(attributes))
    return module
