"""What is imported ahead of time, and whether a process may be forked after it."""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

QUIET = "PYDEVD_DISABLE_FILE_VALIDATION"  # otherwise the debugger of each kernel warns about frozen modules
# Only for the import: Arrow's allocator would start a thread; pyspark is imported as in a kernel of a project.
SETTINGS = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "SPARK_CONNECT_MODE_ENABLED": "1", QUIET: "1"}

_LEAVING_SECONDS = 0.5
_GRAMMAR = "rfc3987_syntax"

# Modules that a kernel imports while it starts are listed too, such as its debugger (0.1 s in each kernel).
KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "sqlite3",
    "tornado.platform.asyncio",
    "lakelocal.kernel.startup",
    "lakelocal.kernel.runtime",
    "lakelocal.kernel.dbutils",
    "lakelocal.kernel.magics",
    "lakelocal.kernel.failures",
)
ATTEMPT = (
    "papermill",
    "nbclient",
    "lakelocal.lakeflow.parameters",
    *KERNEL,
)
# Not matplotlib: it reads `matplotlibrc` in the notebook's folder when it is imported.
SPARK = (
    "pandas",
    "pyarrow",
    "pyspark.sql.connect.session",
    "pyspark.sql.functions",
    "packaging.specifiers",
    "sqlglot.dialects.databricks",
    "lakelocal.compute.functions",
    "lakelocal.compute.local_server",
    "lakelocal.compute.session",
    "lakelocal.dialect.interceptor",
    "lakelocal.dialect.plans",
    "lakelocal.pipelines.standalone",
)


def load(names: Iterable[str]) -> None:
    """Import *names*; missing modules are ignored: the notebook that needs one reports it."""
    for name in names:
        with contextlib.suppress(ImportError), _grammar_when_used():
            importlib.import_module(name)


@contextlib.contextmanager
def _grammar_when_used() -> Iterator[None]:
    """Let `jsonschema`, which nbformat imports, load its IRI check without building the grammar for it.

    `rfc3987_syntax` builds a parser when it is imported: 0.9 s, two fifths of all that is imported ahead of time,
    although no notebook schema contains an IRI. The parser is built when one is checked.
    """
    if _GRAMMAR in sys.modules or "jsonschema" in sys.modules or importlib.util.find_spec(_GRAMMAR) is None:
        yield
        return
    stand_in = ModuleType(_GRAMMAR)
    vars(stand_in)["is_valid_syntax"] = lambda term, value: importlib.import_module(_GRAMMAR).is_valid_syntax(
        term, value
    )
    sys.modules[_GRAMMAR] = stand_in
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]


def why_no_fork() -> str:
    """Why forking this process is not safe; "" if it is. A fork inherits the locks of threads, but not the threads.

    OpenBLAS starts threads when it is loaded, ends them before any fork, and starts them again for its next work: a
    fork whose child ends at once leaves a process without them.
    """
    if threading.active_count() > 1:
        return f"it has the threads {', '.join(thread.name for thread in threading.enumerate()[1:])}"
    if _tasks() > 1:
        _fork_once()
    deadline = time.monotonic() + _LEAVING_SECONDS
    while _tasks() > 1:  # a thread that has ended is listed a moment longer
        if time.monotonic() > deadline:
            return f"libraries have started threads: {', '.join(_names())}"
        time.sleep(0.001)
    return ""


def _fork_once() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _tasks() -> int:
    """The number of threads of this process, including those of libraries."""
    return len(os.listdir("/proc/self/task"))


def _names() -> list[str]:
    return [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
