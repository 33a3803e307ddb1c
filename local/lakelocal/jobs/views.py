"""Views of a run: the events that the engine reports, and the view that prints a line for each of them.

A *path* locates a task: the keys of the run-job tasks above it, then its own key.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from lakelocal.lakeflow.results import attempt_name
from lakelocal.lakeflow.update_progress import FLOW_ENDS, Event, Progress

Path = tuple[str, ...]


class View(Protocol):
    """Receives everything that happens in a run, from several threads."""

    def run_started(self, path: Path, run_id: int, name: str, tasks: list[str], usual_seconds: float = 0.0) -> None:
        """A run began: the whole run (empty *path*), or the one that the task at *path* starts.

        *usual_seconds* is how long such a run usually takes; 0 if that is not known.
        """

    def preparing(self, what: str) -> None:
        """Before the first task, *what* is being done."""

    def backfill_started(self, name: str, labels: list[str]) -> None:
        """A backfill of the job *name* began; each of its runs has one of *labels* as its path."""

    def iterations_started(self, path: Path, names: list[str], inputs: Sequence[str], concurrency: int) -> None:
        """The for-each task at *path* runs the iterations *names* for *inputs*, *concurrency* at a time."""

    def task_started(self, path: Path, attempt: int) -> None:
        """An attempt began."""

    def cell(self, path: Path, heading: str, index: int, total: int) -> None:
        """The task began to run code cell *index* of *total*, under *heading* (which may be empty)."""

    def printed(self, path: Path, line: str) -> None:
        """The task printed *line*."""

    def progress(self, path: Path, done: int, total: int) -> None:
        """Spark has done *done* of *total* tasks of the statement that a task is executing."""

    def update_changed(self, path: Path, progress: Progress, event: Event) -> None:
        """*event* has brought the update of a pipeline that the task does to *progress*."""

    def task_ended(self, path: Path, result: str, seconds: float, message: str) -> None:
        """The task ended, or was recorded without having run."""

    def retrying(self, path: Path, attempt: int, seconds: float) -> None:
        """The attempt whose number is *attempt*, counted from 0, begins in *seconds* seconds."""

    def note(self, text: str) -> None:
        """There is something that the user should know."""

    def close(self) -> None:
        """The run is over; no more events follow."""


class Silent:
    """Prints nothing: for `--json`, where standard output contains only the run."""

    def run_started(self, path: Path, run_id: int, name: str, tasks: list[str], usual_seconds: float = 0.0) -> None: ...
    def preparing(self, what: str) -> None: ...
    def backfill_started(self, name: str, labels: list[str]) -> None: ...
    def iterations_started(self, path: Path, names: list[str], inputs: Sequence[str], concurrency: int) -> None: ...
    def task_started(self, path: Path, attempt: int) -> None: ...
    def cell(self, path: Path, heading: str, index: int, total: int) -> None: ...
    def printed(self, path: Path, line: str) -> None: ...
    def progress(self, path: Path, done: int, total: int) -> None: ...
    def update_changed(self, path: Path, progress: Progress, event: Event) -> None: ...
    def task_ended(self, path: Path, result: str, seconds: float, message: str) -> None: ...
    def retrying(self, path: Path, attempt: int, seconds: float) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...


class Lines:
    """One line per event, with the time of day (local): for logs and pipes."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write = write
        self._lock = threading.Lock()
        self._headings: dict[Path, str] = {}

    def run_started(self, path: Path, run_id: int, name: str, tasks: list[str], usual_seconds: float = 0.0) -> None:
        usual = f" (usually {duration(usual_seconds)})" if usual_seconds else ""
        self._line(path, f"run {run_id} of {name} started{usual}: {', '.join(tasks)}")

    def preparing(self, what: str) -> None:
        self._line((), f"{what} ...")

    def backfill_started(self, name: str, labels: list[str]) -> None:
        self._line((), f"backfill of {name}: {len(labels)} runs, for {labels[0]} to {labels[-1]}")

    def iterations_started(self, path: Path, names: list[str], inputs: Sequence[str], concurrency: int) -> None:
        self._line(path, f"{len(names)} iterations, {concurrency} at a time")

    def task_started(self, path: Path, attempt: int) -> None:
        self._line(path, f"started{f' ({attempt_name(attempt)})' if attempt else ''}")

    def cell(self, path: Path, heading: str, index: int, total: int) -> None:
        if heading and self._headings.get(path) != heading:
            self._headings[path] = heading
            self._line(path, heading)

    def printed(self, path: Path, line: str) -> None:
        self._line(path, f"  {line}")

    def progress(self, path: Path, done: int, total: int) -> None: ...

    def update_changed(self, path: Path, progress: Progress, event: Event) -> None:
        flow = progress.flows.get(event.flow_name)
        if flow is not None and event.event_type == "flow_progress" and flow.state in FLOW_ENDS:
            said = flow.said or flow.error
            self._line(path, f"  {flow.name}: {flow.state}{f': {said}' if said else ''}")
        elif event.event_type == "update_progress":
            self._line(path, f"  update {progress.state}{f': {progress.said}' if progress.said else ''}")

    def task_ended(self, path: Path, result: str, seconds: float, message: str) -> None:
        self._line(path, f"{result} after {duration(seconds)}{f': {message}' if message else ''}")

    def retrying(self, path: Path, attempt: int, seconds: float) -> None:
        self._line(path, f"{attempt_name(attempt)} begins in {duration(seconds)}")

    def note(self, text: str) -> None:
        self._line((), text)

    def close(self) -> None: ...

    def _line(self, path: Path, text: str) -> None:
        name = f"{' > '.join(path)}: " if path else ""
        with self._lock:
            self.write(f"{datetime.now():%H:%M:%S}  {name}{text}")


def duration(seconds: float) -> str:
    """*seconds* for people: `0.4 s`, `12 s`, `3 min 05 s` or `1 h 02 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
