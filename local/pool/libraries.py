"""What is imported ahead of time, and whether a process may be forked after it."""

import contextlib
import importlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

# For the import alone. Arrow's allocator would start a thread, the debugger's modules would warn; pyspark is imported
# as in a kernel of a project.
SETTINGS = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "SPARK_CONNECT_MODE_ENABLED": "1",
}

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


def end_idle_threads() -> None:
    """End the waiting threads of OpenBLAS, which does so before any fork and starts them again for its next work."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def why_no_fork() -> str:
    """Why a fork of this process is not safe, "" where it is: a thread's locks live on in the fork, the thread not."""
    if threading.active_count() > 1:
        return f"it has the threads {', '.join(thread.name for thread in threading.enumerate()[1:])}"
    tasks = sorted(Path("/proc/self/task").iterdir())
    if len(tasks) > 1:
        return f"libraries have started threads: {', '.join((task / 'comm').read_text().strip() for task in tasks)}"
    return ""
