"""One attempt of a notebook task, in a process of its own: `python -m local.jobs.attempt CONTEXT.json OUTPUT.ipynb`.

papermill runs the notebook (of a source file the notebook that it stands for) in the kernel `python3`, in the folder
that the context names. What happens is told to the runner as JSON lines on standard output; everything else that is
printed goes to standard error, the attempt's log.

| event    | fields                                                             |
| -------- | ------------------------------------------------------------------ |
| kernel   | pid                                                                |
| cell     | index and total (code cells, from 1), heading                      |
| printed  | line                                                               |
| finished | result (SUCCESS, FAILED, CANCELED); error, trace where it failed   |

The output notebook is written at every cell, so it exists however the attempt ends. SIGTERM, or the end of the
runner (end of standard input), kills the kernel with all its children; the notebook is still saved.
"""

import json
import logging
import os
import shutil
import signal
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

from local.context import TaskContext, current_context
from local.jobs.engine import Stopped, Watcher, register
from local.jobs.failures import failure_of
from local.jobs.parameters import injected, read_notebook_parameters
from local.jobs.processes import kill_all
from local.sources import as_jupyter

AUTOSAVE_SECONDS = 5
KERNEL_START_SECONDS = 120
PARENT_POLL_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Run the attempt; 0 where the notebook succeeded."""
    os.environ["LOCAL_CONTEXT"] = arguments[0]
    context = current_context()
    assert context is not None, "the variable is set above"
    attempt = _Attempt(context, arguments[0], Path(arguments[1]), _take_stdout())
    threading.Thread(target=attempt.watch_runner, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: attempt.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides what Ctrl-C means
    return attempt.run()


def _take_stdout() -> Any:
    """The stream for events; file descriptor 1 becomes the log, for everything that prints."""
    events = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    return events


class _Attempt:
    """The state of this process: what it runs, and whether it was told to stop."""

    def __init__(self, context: TaskContext, context_file: str, output: Path, events: Any) -> None:
        self.context = context
        self.context_file = context_file
        self.output = output
        self.events = events
        self.kernel_pid = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def tell(self, event: str, **fields: Any) -> None:
        """Send one event; a runner that is gone does not matter here."""
        if event == "kernel":
            self.kernel_pid = fields["pid"]
        try:
            with self._lock:
                self.events.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
        except (BrokenPipeError, ValueError):
            self.stopped.set()
        if event == "kernel" and self.stopped.is_set():
            self.stop()  # told to stop while the kernel was starting

    def stop(self) -> None:
        """End the kernel and its children; papermill then sees a dead kernel and saves the notebook."""
        self.stopped.set()
        # In a thread: a signal handler must not wait, and nothing of this process may be killed.
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        kill_all(self.context_file, [self.kernel_pid])

    def watch_runner(self) -> None:
        """Stop when the runner ends: it holds the other end of standard input, or else is the parent process."""
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            while os.read(0, 4096):
                pass
        else:
            parent = os.getppid()
            while os.getppid() == parent:
                time.sleep(PARENT_POLL_SECONDS)
        self.stop()

    def run(self) -> int:
        """Execute the notebook and tell how it ended; 0 for success."""
        import papermill

        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        notebook = Path(self.context.notebook)
        register(Watcher(self.tell, self.stopped.is_set))
        failure: dict[str, Any] = {}
        try:
            papermill.execute_notebook(
                str(self._source(notebook)),
                str(self.output),
                parameters=injected(self.context.parameters, read_notebook_parameters(notebook).defaults),
                engine_name="local",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=str(self.context.folder),
                start_timeout=KERNEL_START_SECONDS,
                autosave_cell_every=AUTOSAVE_SECONDS,
            )
        except Stopped:
            failure = {"error": "stopped before it ended"}
        except Exception as error:
            logging.getLogger("local.jobs").exception("the notebook failed")
            failure = failure_of(error, self.output)
        finally:
            kill_all(self.context_file, [self.kernel_pid])
            shutil.rmtree(self.context.packages, ignore_errors=True)
        return self._finish(failure)

    def _source(self, notebook: Path) -> Path:
        """What papermill runs: *notebook*, or what it stands for, beside the context."""
        converted = Path(self.context_file).with_suffix(".source.ipynb")
        return as_jupyter(notebook, converted, installs=self.context.installs)

    def _finish(self, failure: dict[str, Any]) -> int:
        result = "CANCELED" if self.stopped.is_set() and failure else "FAILED" if failure else "SUCCESS"
        self.tell("finished", result=result, **failure)
        return 0 if result == "SUCCESS" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
