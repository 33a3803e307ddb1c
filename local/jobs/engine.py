"""The papermill engine of the runner: a kernel over IPC, and a word for each cell and each printed line.

Kernels over TCP warn, and race for ports when several start at once; a socket file does neither.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from local.sources import headings

PRINT_EVERY_SECONDS = 0.05  # a notebook that floods its output must not flood the runner
LINE_LENGTH = 200
LINES_LENGTH = 2000


class Stopped(Exception):
    """Raised when the attempt was told to stop, in place of the kernel's death that this causes."""


@dataclass(frozen=True)
class Watcher:
    """Who hears of events, and who knows whether the attempt was told to stop."""

    tell: Callable[..., None]
    stopped: Callable[[], bool]


def register(watcher: Watcher) -> None:
    """Make the engine `local` known to papermill, telling *watcher*."""

    class LocalEngine(NBClientEngine):
        """Runs the cells of a notebook in one fresh kernel."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
            folder = Path(tempfile.mkdtemp(prefix="kernel-"))  # short: a socket's path has a limit of about 100
            manager = AsyncKernelManager(
                kernel_name=kernel_name, transport="ipc", connection_file=str(folder / "kernel.json")
            )
            try:
                return _Client(
                    nb_man,
                    watcher=watcher,
                    km=manager,
                    kernel_name=kernel_name,
                    startup_timeout=settings.get("start_timeout", 60),
                    timeout=None,
                    iopub_timeout=30,
                ).execute()
            except (DeadKernelError, RuntimeError):
                if watcher.stopped():
                    raise Stopped from None
                raise
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    papermill_engines.register("local", LocalEngine)


class _Client(PapermillNotebookClient):
    """papermill's client; tells of the kernel, of cells and of printed lines."""

    def __init__(self, nb_man: Any, *, watcher: Watcher, **settings: Any) -> None:
        super().__init__(nb_man, **settings)
        self.watcher = watcher
        self.headings = headings(self.nb.cells)
        self.total = sum(cell.cell_type == "code" for cell in self.nb.cells)
        self.printed_at = 0.0
        self.on_cell_execute = self._cell

    async def async_start_new_kernel(self, **settings: Any) -> None:
        await super().async_start_new_kernel(**settings)
        self.watcher.tell("kernel", pid=self.km.provisioner.pid)

    def papermill_execute_cells(self) -> None:
        if self.watcher.stopped():
            raise Stopped
        super().papermill_execute_cells()

    def execute_cell(self, cell: Any, cell_index: int, **settings: Any) -> Any:
        """As papermill does; a cell in which the kernel died is marked, which papermill calls completed."""
        try:
            return super().execute_cell(cell, cell_index, **settings)
        except DeadKernelError:
            dead = self.nb.cells[cell_index]
            self.nb_man.cell_exception(dead, cell_index=cell_index)
            dead.outputs.append(new_output("error", ename="DeadKernelError", evalue="Kernel died", traceback=[]))
            raise

    def _cell(self, cell: Any, cell_index: int) -> None:
        if self.watcher.stopped():
            raise Stopped
        number = sum(each.cell_type == "code" for each in self.nb.cells[: cell_index + 1])
        self.watcher.tell("cell", index=number, total=self.total, heading=self.headings[cell_index])

    def process_message(self, *message: Any, **settings: Any) -> Any:
        output = super().process_message(*message, **settings)
        if output and output.output_type == "stream" and time.monotonic() - self.printed_at > PRINT_EVERY_SECONDS:
            lines = [line.strip() for line in "".join(output.text)[-LINES_LENGTH:].splitlines() if line.strip()]
            for line in lines:
                self.printed_at = time.monotonic()
                self.watcher.tell("printed", line=line[:LINE_LENGTH])
        return output
