"""One attempt of a notebook task, in its own process: `run_attempt` is called by a program that waited for an order.

papermill runs the notebook (for a source file, the notebook that it represents) in a fresh kernel, in the folder that
the context names. Events are sent to the runner as JSON lines on standard output; everything else that is printed goes
to standard error, the log of the attempt.

| event    | fields                                                           |
| -------- | ---------------------------------------------------------------- |
| kernel   | pid                                                              |
| cell     | index and total (code cells, from 1), heading                    |
| printed  | line                                                             |
| progress | done, total: Spark tasks of the running statement                |
| update   | told: an event of an update of a pipeline                        |
| finished | result (SUCCESS, FAILED, CANCELED); error and trace if it failed |

The output notebook is written at every code cell, so it exists however the attempt ends. SIGTERM, or the end of the
runner (end of standard input), kills the kernel with all its children; the notebook is still saved.

`python -m lakelocal attempt CONTEXT.json OUTPUT.ipynb` is an attempt without a runner, for `dbutils.notebook.run`.
"""

import json
import logging
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from lakelocal.attempt.kernels import KernelProcess, Kernels, SpareKernel
from lakelocal.attempt.libraries import ATTEMPT, load
from lakelocal.context import VARIABLE, TaskContext, current_context
from lakelocal.processes import adopt_orphans, kill_all
from lakelocal.sources import as_jupyter

KERNEL_START_SECONDS = 120
PARENT_POLL_SECONDS = 0.5


def import_ahead() -> None:
    """Import what an attempt would otherwise import while it runs."""
    load([*ATTEMPT, "lakelocal.attempt.engine", "lakelocal.attempt.failures"])


def run_alone(context: str, output: str) -> int:
    """Run the attempt of the file *context*, for which nothing was prepared; return 0 if the notebook succeeded."""
    os.environ[VARIABLE] = context
    kernel = SpareKernel()  # imports while this process does
    load(["papermill"])
    return run_attempt(output, mark=context, kernels=kernel)


def run_attempt(output: str, *, mark: str, kernels: Kernels) -> int:
    """Run the attempt whose context the environment names; return 0 if the notebook succeeded.

    *output* is the notebook to write, *mark* identifies the attempt's processes. *kernels* starts the kernel; it may
    fork, so before it nothing is done that a fork must not inherit: a thread, a socket, an open file.
    """
    adopt_orphans()
    context = current_context()
    assert context is not None, "whoever starts an attempt names its context"
    folder = Path(tempfile.mkdtemp(prefix="kernel-"))  # short: the path of a socket is limited to about 100 characters
    connection = _connection(folder)
    os.chdir(context.folder)
    kernel = kernels(connection)
    attempt = _Attempt(context, Path(output), mark, _take_stdout(), kernel)
    threading.Thread(target=attempt.watch_runner, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: attempt.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides what Ctrl-C means
    return attempt.run(connection)


def _connection(folder: Path) -> str:
    """Write the file by which kernel and client find their connection, sockets in *folder*, and return it.

    Kernels over TCP warn, and race for ports when several start at the same time; socket files avoid both.
    """
    from jupyter_client.connect import write_connection_file

    file, _ = write_connection_file(
        str(folder / "kernel.json"), transport="ipc", ip=str(folder / "kernel"), key=os.urandom(16).hex().encode()
    )
    return file


def _take_stdout() -> TextIO:
    """The stream for events; file descriptor 1 becomes the log, for everything that prints."""
    events = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    return events


class _Attempt:
    """The state of this process: what it runs, and whether it was asked to stop."""

    def __init__(self, context: TaskContext, output: Path, mark: str, events: TextIO, kernel: KernelProcess) -> None:
        self.context = context
        self.output = output
        self.mark = mark
        self.events = events
        self.kernel = kernel
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def tell(self, event: str, **fields: object) -> None:
        """Send one event; it does not matter here if the runner is gone."""
        try:
            with self._lock:
                self.events.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
        except (BrokenPipeError, ValueError):
            self.stopped.set()

    def stop(self) -> None:
        """End the kernel and its children; papermill then sees a dead kernel and saves the notebook."""
        self.stopped.set()
        # In a thread: a signal handler must not wait, and nothing of this process may be killed.
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        kill_all(self.mark, [os.getpid(), self.kernel.pid])

    def watch_runner(self) -> None:
        """Stop when the runner ends: it holds the other end of standard input, or it is the parent process."""
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            while os.read(0, 4096):
                pass
        else:
            parent = os.getppid()
            while os.getppid() == parent:
                time.sleep(PARENT_POLL_SECONDS)
        self.stop()

    def run(self, connection: str) -> int:
        """Execute the notebook and report how it ended; return 0 for success."""
        import papermill

        from lakelocal.attempt.engine import Stopped, Watcher, register
        from lakelocal.attempt.failures import failure_of
        from lakelocal.lakeflow.notebook_interface import read_interface
        from lakelocal.lakeflow.parameters import injected

        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        self.tell("kernel", pid=self.kernel.pid)
        notebook = Path(self.context.notebook)
        register(Watcher(self.tell, self.stopped.is_set), self.kernel, connection)
        failure: dict[str, Any] = {}
        try:
            papermill.execute_notebook(
                str(self._source(notebook)),
                str(self.output),
                parameters=injected(self.context.parameters, read_interface(notebook).defaults),
                engine_name="local",
                kernel_name="python3",
                language="python",
                cwd=str(self.context.folder),
                start_timeout=KERNEL_START_SECONDS,
            )
        except Stopped:
            failure = {"error": "stopped before it ended"}
        except Exception as error:
            logging.getLogger("lakelocal.attempt").exception("the notebook failed")
            failure = failure_of(error, self.output, self.kernel.poll())
        finally:
            self._kill()
            shutil.rmtree(Path(connection).parent, ignore_errors=True)
            shutil.rmtree(self.context.packages, ignore_errors=True)
        return self._finish(failure)

    def _source(self, notebook: Path) -> Path:
        """What papermill runs: *notebook*, or the notebook that it represents, written beside the context."""
        converted = Path(self.mark).with_suffix(".source.ipynb")
        return as_jupyter(notebook, converted, installs=self.context.installs)

    def _finish(self, failure: dict[str, Any]) -> int:
        result = "CANCELED" if self.stopped.is_set() and failure else "FAILED" if failure else "SUCCESS"
        self.tell("finished", result=result, **failure)
        return 0 if result == "SUCCESS" else 1
