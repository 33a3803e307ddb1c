"""The kernel: where it was started, the names of its notebook, and its Spark session, each made as late as possible.

`spark` costs a second of imports, so it is made just before the first cell that names it, or when anything imports
Spark's session class, so that a package which calls `SparkSession.builder.getOrCreate()` gets the same session. In a
process that was forked with Spark imported (`lakelocal.pool`), it exists from the start. It connects on first use.
"""

import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lakelocal.compute import REMOTE, WORKSPACE, Compute, compute_of
from lakelocal.context import TaskContext, current_context
from lakelocal.errors import LocalError, ProjectError
from lakelocal.imports import when_imported
from lakelocal.kernel import messages
from lakelocal.kernel.catalog import find_state
from lakelocal.project import Project, State
from lakelocal.roots.enter import IN_WORKSPACE, close, enter
from lakelocal.versions import DATABRICKS_RUNTIME

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql.connect.session import SparkSession

    from lakelocal.compute.catalog_names import CatalogNames

_SESSION_MODULE = "pyspark.sql.connect.session"
COMPLETION_TIMEOUT = 0.4  # s
_NAMES_SPARK = re.compile(r"\bspark\b")
_Part = TypeVar("_Part")


_current: "Kernel | None" = None


def current_kernel() -> "Kernel":
    """The kernel of this process, which `Kernel.start` has set."""
    assert _current is not None, "only cells call this"
    return _current


class Kernel:
    """The kernel of a notebook, with what it has made so far."""

    def __init__(self, ip: "InteractiveShell") -> None:
        self.ip = ip
        self.folder = Path.cwd()
        self.inline_folders: list[Path] = []  # the folders of the notebooks that %run is running, the innermost last
        # Removed from the environment, which notebooks may print or pass on, since it may contain a token.
        self.remote = os.environ.pop(REMOTE, "")
        self._session: SparkSession | None = None
        self._parts: dict[object, Any] = {}
        self._names: dict[str, Any] = {}

    @cached_property
    def context(self) -> TaskContext | None:
        """The task that this kernel runs; None in an interactive kernel."""
        return current_context()

    @cached_property
    def state(self) -> State:
        """The state of the kernel's catalog, with its folders created.

        Raises:
            ProjectError: the kernel is not inside a project.
            BundleError: the project's bundle cannot be read.
        """
        return find_state(self.folder).make()

    @cached_property
    def compute(self) -> Compute:
        """Where Spark runs for this kernel.

        Raises:
            ProjectError, BundleError: as for `state`.
            UsageError: the environment names a place that is not known.
        """
        return compute_of(self.state, self.remote, self._waits)

    def _waits(self, what: str) -> None:
        if self.context is not None:
            messages.send(self.ip, messages.WAITING, {"what": what})

    def part(self, maker: "Callable[[Kernel], _Part]") -> _Part:
        """The only instance that *maker*, such as `DBUtils`, makes for this kernel; it is made by the first call."""
        if maker not in self._parts:
            self._parts[maker] = maker(self)
        made: _Part = self._parts[maker]
        return made

    @property
    def spark(self) -> "SparkSession":
        """The Spark session of this kernel, which is the same at every call until it is stopped.

        Raises:
            ProjectError, BundleError: as for `state`.
        """
        if self._session is None or self._session.is_stopped:
            from pyspark.sql.connect.session import SparkSession

            # Importing the module registers the session, unless it was imported before the kernel started.
            if SparkSession._default_session is None:
                self._register()
            assert SparkSession._default_session is not None  # it has been registered, either way
            self._session = SparkSession._default_session
        return self._session

    @cached_property
    def names(self) -> "CatalogNames":
        """The names of catalogs, tables and columns, as far as they can be found while a person waits."""
        from lakelocal.compute.catalog_names import CatalogNames  # imported late: few kernels complete names

        return CatalogNames(self.connected_session, COMPLETION_TIMEOUT)

    def connected_session(self) -> "SparkSession | None":
        """The session, if using it starts no server and connects to none elsewhere; otherwise None."""
        if self.remote:
            link = getattr(self._session, "link", None)
            return self._session if link is None or link.connected else None
        from lakelocal.server import find_server  # imported late: few kernels complete names

        return self.spark if find_server(self.state) else None

    def start(self, names: dict[str, Any]) -> None:
        """Become the kernel of this process; its notebook gets *names*, and `spark` as soon as a cell names it."""
        global _current
        _current = self
        self._names = names
        self.ip.push(names, interactive=False)
        self.ip.events.register("pre_run_cell", self._before_cell)
        if self.in_project:
            self.ip.events.register("pre_execute", self._enter_roots)
            os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
            if self.remote != WORKSPACE:
                os.environ.setdefault("DATABRICKS_RUNTIME_VERSION", DATABRICKS_RUNTIME)
            os.environ.setdefault("SPARK_REMOTE", "sc://localhost")
            when_imported(_SESSION_MODULE, self._register)

    @cached_property
    def in_project(self) -> bool:
        """Does the kernel run inside a project?"""
        try:
            Project.find(self.folder)
        except ProjectError:
            return False
        return True

    def _register(self) -> None:
        from pyspark.errors import PySparkException
        from pyspark.sql import DataFrame as SparkDataFrame
        from pyspark.sql.connect.session import SparkSession

        from lakelocal.compute.session import register
        from lakelocal.kernel import failures
        from lakelocal.kernel.display import display
        from lakelocal.kernel.progress import send_progress

        if SparkSession._default_session is None:
            failures.install(PySparkException)
            session = self.compute.session()
            register(session)
            self._introduce(session)
            if self.context is not None:
                send_progress(self.ip, session)
        if not hasattr(SparkDataFrame, "display"):  # databricks-connect has its own
            SparkDataFrame.display = display  # type: ignore[attr-defined]  # `df.display()`
        self._name_spark()  # for code that is not in a cell, such as a file that is run by exec

    def _introduce(self, session: "SparkSession") -> None:
        """Let *session* print what `about` knows of it."""
        from lakelocal.compute.session import LinkedSession
        from lakelocal.kernel import about

        def printed(session: LinkedSession) -> tuple[str, str]:
            found = about.session_facts(self.compute, self.names, self.folder, connected=session.link.connected)
            return about.as_text(found), about.as_html(found)

        if isinstance(session, LinkedSession):  # the session of a workspace describes itself
            session.about = printed

    def namespace_for(self, code: str) -> dict[str, Any]:
        """The namespace of the notebook, with all names that *code* may use; `spark` only if *code* names it."""
        for name, value in self._names.items():  # %reset may have removed them
            self.ip.user_ns.setdefault(name, value)
        if _NAMES_SPARK.search(code):
            self._name_spark()
        names: dict[str, Any] = self.ip.user_ns
        return names

    def _enter_roots(self) -> None:
        """Make the roots of Databricks' paths available before the first code runs; see `lakelocal.roots`."""
        self.ip.events.unregister("pre_execute", self._enter_roots)
        if self.remote == WORKSPACE:
            close(IN_WORKSPACE)
            return
        try:
            enter(self.state)
        except LocalError as error:
            close(str(error))

    def _before_cell(self, info: Any) -> None:
        self.namespace_for(info.raw_cell or "")

    def _name_spark(self) -> None:
        names = self.ip.user_ns
        if "spark" not in names or isinstance(names["spark"], UnavailableName):
            names["spark"] = self.ip.user_ns_hidden["spark"] = self._spark_or_reason()

    def _spark_or_reason(self) -> "SparkSession | UnavailableName":
        try:
            return self.spark
        except (LocalError, ImportError) as error:
            return UnavailableName("spark", error)


class UnavailableName:
    """Stands for a name that is not available here; using it raises the reason."""

    def __init__(self, name: str, reason: Exception) -> None:
        self._name, self._reason = name, reason

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Jupyter asks every object for such names
            raise AttributeError(name)
        raise self._reason

    def __repr__(self) -> str:
        return f"<{self._name} is not available: {self._reason}>"
