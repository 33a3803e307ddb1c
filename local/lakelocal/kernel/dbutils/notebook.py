"""`dbutils.notebook`: ends a notebook with a value, and runs another notebook as a run of its own."""

import dataclasses
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from lakelocal.context import VARIABLE, TaskContext
from lakelocal.errors import DbutilsError
from lakelocal.kernel.catalog import environment_of
from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.kernel.dbutils.notebook_context import EntryPoint, NotebookContext
from lakelocal.near_names import near_name
from lakelocal.paths import WORKSPACE, DatabricksPaths
from lakelocal.sources import find_source, why_no_notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from lakelocal.kernel.kernel import Kernel


class NotebookRunError(DbutilsError):
    """Raised when a notebook that was started by `dbutils.notebook.run` fails, or does not end in time."""


class NotebookExited(BaseException):
    """Ends an interactive notebook: the running cell, and those that *Run All* has queued after it."""


def end_without_traceback(ip: "InteractiveShell") -> None:
    """Let the kernel of *ip* show one sentence for `NotebookExited` instead of a traceback.

    It is sent as SystemExit with 0, which papermill treats as the regular end of a notebook.
    """

    def show(shell: Any, kind: object, error: object, trace: object, tb_offset: int | None = None) -> None:
        shell._showtraceback(SystemExit, SystemExit(0), ["The cells below were not run."])

    ip.set_custom_exc((NotebookExited,), show)


class Notebook(HasHelp):
    """Running and ending notebooks.

    Args:
        kernel: Has `context`, `state`, `remote` and `folder`.
        dbutils: The utilities that this module belongs to, for the entry point.
    """

    _name = "dbutils.notebook"

    def __init__(self, kernel: "Kernel", dbutils: Any = None) -> None:
        self._kernel, self._dbutils = kernel, dbutils

    def exit(self, value: str) -> None:
        """End the notebook with *value*; the remaining cells are not run, and the task succeeds."""
        text = str(value)
        context = self._kernel.context
        if context is not None:
            Path(context.exit_file).write_text(text, encoding="utf-8")
        print(f"Notebook exited: {text}")
        if context is None and self._kernel.ip is not None:
            raise NotebookExited(text)
        warnings.filterwarnings("ignore", message="To exit: use")
        # Papermill treats a plain SystemExit with 0 as the notebook's regular end, any other class as a failure.
        raise SystemExit(0)

    def run(self, path: str, timeout_seconds: int, arguments: dict[str, str] | None = None) -> str | None:
        """Run another notebook as a run of its own; returns the value that it exits with, or None."""
        notebook = find_notebook(to_local_path(self._kernel, path), self.folder)
        place = _free_place(self._records, notebook.stem)
        context = self._child(notebook, _strings(path, arguments or {}), place)
        status = _attempt(self._kernel, context, place, float(timeout_seconds))
        output = _output(notebook, place)
        if status is None:
            raise NotebookRunError(
                f"`{path}`: not finished after {timeout_seconds} seconds, and stopped. "
                f"Allow more time; the cells that have run are in `{output}`."
            )
        if status != 0:
            raise NotebookRunError(f"`{path}` failed: {_reason(place / 'log.txt')}; see `{output}`.")
        value = Path(context.exit_file)
        return value.read_text(encoding="utf-8") if value.exists() else None

    def getContext(self) -> NotebookContext:
        """The path of the notebook, its user, and the ids of its run, in the form of Databricks' own objects."""
        return NotebookContext(self._kernel)

    @property
    def entry_point(self) -> EntryPoint:
        """Stands for the `dbutils` of the JVM, which code uses to get the context."""
        return EntryPoint(self._dbutils, self.getContext())

    @property
    def folder(self) -> Path:
        """The folder of the current notebook, which relative paths start from."""
        context = self._kernel.context
        return context.folder if context else self._kernel.folder

    @property
    def _records(self) -> Path:
        context = self._kernel.context
        if context is None:
            return self._kernel.state.runs / "interactive"
        return Path(context.exit_file).parent / f"{context.task_key}-{context.attempt_number}-notebooks"

    def _child(self, notebook: Path, parameters: dict[str, str], place: Path) -> TaskContext:
        parent = self._kernel.context or TaskContext(
            job_id=0,
            job_name="interactive",
            job_run_id=0,
            task_run_id=0,
            task_key="interactive",
            attempt_number=0,
            notebook="",
            exit_file="",
            values_folder="",
        )
        return dataclasses.replace(
            parent,
            notebook=str(notebook),
            working_folder="",
            parameters=parameters,
            exit_file=str(place / "exit.txt"),
            values_folder=str(place / "values"),
            upstream=[],
        )


def to_local_path(kernel: "Kernel", path: str) -> str:
    """The path on this machine if *path* is one of the workspace (`/Workspace/...`, `/Users/...`), otherwise *path*."""
    first = path.split("/")[1] if path.startswith("/") and path.count("/") > 1 else ""
    if first in ("Users", "Shared", "Repos") and find_source(Path(path)) is None:  # macOS has a folder /Users
        path = f"{WORKSPACE}{path}"
    elif first != WORKSPACE[1:]:
        return path
    return str(DatabricksPaths(kernel.state).to_local(path))


def find_notebook(path: str, folder: Path) -> Path:
    """The file of the notebook *path*, which is relative to *folder* and may lack its extension.

    Raises:
        DbutilsError: there is no such file, or it is not a notebook.
        NotebookError: two notebooks have that name.
    """
    named = folder / path
    file = find_source(named) if named.name else None
    if file is None:
        there = named.parent.glob("*") if named.parent.is_dir() else ()
        near = near_name(named.stem, (each.stem for each in there if each.is_file() and why_no_notebook(each) is None))
        raise DbutilsError(
            f"`{path}`: found no notebook of this name in `{named.parent}`; expected an .ipynb, .py or .sql file. "
            + (f"Did you mean `{near}`?" if near else "Correct the path, which is relative to the calling notebook.")
        )
    if reason := why_no_notebook(file):
        raise DbutilsError(f"`{path}`: found `{file}`, {reason}")
    return file.resolve()


def _output(notebook: Path, place: Path) -> Path:
    return place / f"{notebook.stem}.ipynb"


def _strings(path: str, arguments: dict[str, Any]) -> dict[str, str]:
    for name, value in arguments.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise DbutilsError(
                f"`{path}`, argument `{name}`: found {value!r} ({type(value).__name__}); expected a string. "
                f"Write str({value!r})."
            )
    return dict(arguments)


def _free_place(records: Path, stem: str) -> Path:
    records.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        place = records / f"{stem}-{number}"
        try:
            place.mkdir()
        except FileExistsError:
            number += 1
        else:
            return place


def _attempt(kernel: "Kernel", context: TaskContext, place: Path, limit: float) -> int | None:
    """Run the attempt process; returns its exit status, or None if it took longer than *limit* seconds (0: no limit).

    Its standard input stays open as long as this kernel lives, so that the attempt ends when the kernel does.
    """
    file = context.save(place / "context.json")
    told = {**os.environ, **environment_of(kernel.state, kernel.remote), VARIABLE: str(file)}
    command = [sys.executable, "-m", "lakelocal", "attempt", str(file), str(_output(Path(context.notebook), place))]
    with (place / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=told,
            cwd=place,  # not beside the notebooks, of which one may have the name of a module that the attempt imports
            start_new_session=True,
        )
        assert process.stdin is not None  # it is a pipe
        try:
            return process.wait(timeout=limit or None)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:  # too late, or the cell was interrupted
                _kill_tree(process)
            process.stdin.close()


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    try:
        top = psutil.Process(process.pid)
        family = [*top.children(recursive=True), top]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5)
    process.wait(timeout=5)


def _reason(log: Path) -> str:
    """Why the attempt with this *log* failed: the error that it reported at its end, or else its last line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for line in reversed(lines):
        if line.startswith('{"event": "finished"'):
            return str(json.loads(line).get("error") or "it ended after its last cell")
    return next((line for line in reversed(lines) if line.strip()), "it gave no reason")
