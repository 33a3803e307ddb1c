"""What is imported ahead of time, and whether a process may be forked after it."""

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

QUIET = "PYDEVD_DISABLE_FILE_VALIDATION"  # else the debugger of each kernel warns of frozen modules
# For the import alone: Arrow's allocator would start a thread; pyspark is imported as in a kernel of a project.
SETTINGS = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "SPARK_CONNECT_MODE_ENABLED": "1", QUIET: "1"}

_LEAVING_SECONDS = 0.5

KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "local.kernel.startup",
    "local.kernel.dbutils",
    "local.kernel.magics",
    "local.kernel.failures",
)
ATTEMPT = ("papermill", "nbclient", "local.jobs.attempt", *KERNEL)
# Not matplotlib: it reads `matplotlibrc` in the notebook's folder when it is imported.
SPARK = (
    "pandas",
    "pyarrow",
    "pyspark.sql.connect.session",
    "pyspark.sql.functions",
    "local.kernel.session",
    "local.dialect",
)


def load(names: Iterable[str]) -> Iterator[str]:
    """Import *names*, one a step; gives each name after its import.

    What is missing is left out: the notebook that needs it says so.
    """
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
        yield name


def why_no_fork() -> str:
    """Why a fork of this process is not safe, "" where it is: a thread's locks live on in the fork, the thread not.

    OpenBLAS starts threads when it is loaded, ends them before any fork, and starts them again for its next work: a
    fork whose child ends at once leaves a process without them.
    """
    if threading.active_count() > 1:
        return f"it has the threads {', '.join(thread.name for thread in threading.enumerate()[1:])}"
    if _tasks() > 1:
        _fork_once()
    deadline = time.monotonic() + _LEAVING_SECONDS
    while _tasks() > 1:  # one that has ended is listed a moment longer
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
    """The threads of this process, those of libraries too."""
    return len(os.listdir("/proc/self/task"))


def _names() -> list[str]:
    return [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
