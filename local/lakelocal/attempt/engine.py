"""The papermill engine of the runner: uses a kernel that is already running, and reports each cell and printed line.

The notebook is saved at the start of each code cell, every few seconds while a long one runs, and at the end.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_output
from nbformat.validator import get_validator
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from lakelocal.attempt.kernels import KernelProcess
from lakelocal.attempt.outputs import OutputLimit
from lakelocal.kernel import messages
from lakelocal.sources import headings

AUTOSAVE_SECONDS = 5
PRINT_EVERY_SECONDS = 0.05  # a notebook that floods its output must not flood the runner
RELEASE_SECONDS = 5.0
RECONNECT_MILLISECONDS = 5  # the kernel opens its sockets while the client connects; a lost answer costs 0.3 s
_RELEASE = "(session := __import__('sys').modules.get('lakelocal.compute.session')) and session.release()"
LINE_LENGTH = 200
LINES = 20
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_JSON = ('{"', '[{"')  # what a logger writes for machines

get_validator(4, 5)  # compiles the schema of notebooks; otherwise each attempt forked after this import would do it


class Stopped(Exception):
    """Raised when the attempt was asked to stop, instead of the death of the kernel that results."""


@dataclass(frozen=True)
class Watcher:
    """Receives events, and knows whether the attempt was asked to stop."""

    tell: Callable[..., None]
    stopped: Callable[[], bool]


def register(watcher: Watcher, kernel: KernelProcess, connection: str) -> None:
    """Register papermill's engine `local`, which uses *kernel*, listening at *connection*, and reports to *watcher*."""

    class LocalEngine(NBClientEngine):
        """Runs the cells of a notebook in the given kernel."""

        @classmethod
        def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str, **settings: Any) -> Any:
            manager = _Saving(nb, output_path, progress_bar=False, autosave_cell_every=AUTOSAVE_SECONDS)
            manager.notebook_start()
            try:
                cls.execute_managed_notebook(manager, kernel_name, **settings)
            finally:
                manager.notebook_complete()
            return manager.nb

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
            client = _Client(
                nb_man,
                watcher=watcher,
                km=_manager(kernel_name, kernel, connection),
                kernel_name=kernel_name,
                startup_timeout=settings.get("start_timeout", 60),
                timeout=None,
                iopub_timeout=30,
            )
            try:
                executed = client.execute()
                client.release()
                return executed
            except (DeadKernelError, RuntimeError):
                if watcher.stopped():
                    raise Stopped from None
                raise

    papermill_engines.register("local", LocalEngine)


class _Saving(NotebookExecutionManager):
    """Saves at the start of each code cell; papermill would also save at Markdown cells and at the end of every cell.

    What a cell has left is saved at the start of the next cell or at the end of the notebook, a moment later. These
    saves are unvalidated JSON on one line, which takes a tenth of the time; the one at the end is papermill's.
    """

    saves = True
    ends = False

    def notebook_complete(self, **settings: Any) -> None:
        self.ends = True
        super().notebook_complete(**settings)

    def save(self, **settings: Any) -> None:
        if self.ends:
            super().save(**settings)
        elif self.saves:
            Path(self.output_path).write_text(json.dumps(self.nb), encoding="utf-8")
            self.last_save_time = self.now()

    def cell_start(self, cell: Any, cell_index: int | None = None, **settings: Any) -> None:
        with self._saving(cell.cell_type == "code"):
            super().cell_start(cell, cell_index, **settings)

    def cell_complete(self, cell: Any, cell_index: int | None = None, **settings: Any) -> None:
        with self._saving(False):
            super().cell_complete(cell, cell_index, **settings)

    @contextlib.contextmanager
    def _saving(self, wanted: bool) -> Iterator[None]:
        self.saves = wanted
        try:
            yield
        finally:
            self.saves = True


def _manager(kernel_name: str, kernel: KernelProcess, connection: str) -> AsyncKernelManager:
    """A kernel manager for *kernel*, which is already running."""
    manager = AsyncKernelManager(kernel_name=kernel_name, connection_file=connection)
    manager.load_connection_file()
    manager.client_factory = _PromptClient
    manager.provisioner = LocalProvisioner(parent=manager)
    manager.provisioner.process = kernel  # type: ignore[assignment]  # has what is asked of a Popen
    return manager


class _PromptClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel is; its parent class would then wait for 0.2 s of silence."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels, at most *timeout* seconds.

        Raises:
            RuntimeError: the kernel died, or did not answer in time.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while True:
            asked = self.kernel_info()
            try:
                while _parent(await self.shell_channel.get_msg(timeout=1)) != asked:
                    pass
                while _parent(await self.iopub_channel.get_msg(timeout=0.2)) != asked:
                    pass
                return
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before it answered") from None
                if time.monotonic() > deadline:
                    raise RuntimeError(f"The kernel did not answer within {timeout:.0f} seconds") from None


def _parent(message: dict[str, Any]) -> str | None:
    parent: str | None = message["parent_header"].get("msg_id")
    return parent


class _Client(PapermillNotebookClient):
    """papermill's client; reports cells and printed lines, and keeps the output within Databricks' limits."""

    def __init__(self, nb_man: Any, *, watcher: Watcher, **settings: Any) -> None:
        super().__init__(nb_man, **settings)
        self.watcher = watcher
        self.headings = headings(self.nb.cells)
        self.total = sum(cell.cell_type == "code" for cell in self.nb.cells)
        self.printed_at = 0.0
        self.limit = OutputLimit()
        self.on_cell_execute = self._cell

    def papermill_execute_cells(self) -> None:
        if self.watcher.stopped():
            raise Stopped
        super().papermill_execute_cells()

    def execute_cell(self, cell: Any, cell_index: int, **settings: Any) -> Any:
        """Execute a cell as papermill does, but mark it if the kernel died in it, which papermill calls completed."""
        try:
            return super().execute_cell(cell, cell_index, **settings)
        except DeadKernelError:
            dead = self.nb.cells[cell_index]
            self.nb_man.cell_exception(dead, cell_index=cell_index)
            dead.outputs.append(new_output("error", ename="DeadKernelError", evalue="Kernel died", traceback=[]))
            raise

    async def _async_release(self) -> None:
        """Release the kernel's Spark session, which the server would keep for a day: the kernel will be killed."""
        asked = self.kc.execute(_RELEASE, silent=True)
        with contextlib.suppress(Empty):
            while _parent(await self.kc.shell_channel.get_msg(timeout=RELEASE_SECONDS)) != asked:
                pass

    release = run_sync(_async_release)

    def _cell(self, cell: Any, cell_index: int) -> None:
        if self.watcher.stopped():
            raise Stopped
        self.limit.ask(cell.source)
        number = sum(each.cell_type == "code" for each in self.nb.cells[: cell_index + 1])
        self.watcher.tell("cell", index=number, total=self.total, heading=self.headings[cell_index])

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Handle output as nbclient does, with the part of the message that fits."""
        if self.clear_before_next_output or not outs:
            self.limit.clear(cell_index)
        fitting, note = self.limit.fit(msg, cell_index)
        output = super().output(outs, fitting, display_id, cell_index) if fitting else None
        if note:
            outs.append(new_output("stream", name="stderr", text=note))
        return output

    def process_message(self, msg: dict[str, Any], *cell: Any, **settings: Any) -> Any:
        if msg["msg_type"] == messages.PROGRESS:
            self.watcher.tell("progress", **msg["content"])
            return None
        if msg["msg_type"] == messages.WAITING:
            self.watcher.tell("printed", line=f"{msg['content']['what']} ...")
            return None
        if msg["msg_type"] == messages.UPDATE:
            self.watcher.tell("update", told=msg["content"])
            return None
        output = super().process_message(msg, *cell, **settings)
        if output and output.output_type == "stream" and time.monotonic() - self.printed_at > PRINT_EVERY_SECONDS:
            for line in lines_for_people("".join(output.text)):
                self.printed_at = time.monotonic()
                self.watcher.tell("printed", line=line)
        return output


def lines_for_people(text: str) -> list[str]:
    """The last lines of *text*, which a notebook has printed: from their beginnings, without colours and JSON."""
    lines = [_COLOURS.sub("", line).strip() for line in text.splitlines()[-LINES:]]
    return [line[:LINE_LENGTH] for line in lines if line and not line.startswith(_JSON)]
