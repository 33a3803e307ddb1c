"""Running one attempt of a notebook task: writes its context, gets it a process, follows its events, and can end it.

Files in the run's folder: `<task>[-<attempt>].ipynb` is the executed notebook; `.attempts/` holds the context, the
log, the events and the exit value of each attempt; `.values/` holds the task values of the run.
"""

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.attempt.failures import failed_cell
from lakelocal.context import VARIABLE, TaskContext
from lakelocal.jobs.event_log import EventLog
from lakelocal.jobs.stop import Stop
from lakelocal.order import Order
from lakelocal.pool.pool import AttemptProcess, Pool
from lakelocal.processes import ATTEMPT, kill_all
from lakelocal.project import State
from lakelocal.sources import read_notebook, write_notebook

GRACE_SECONDS = 10.0  # time for the attempt to save its notebook; its kernel is dead by then
EXIT_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. *exit_value* is the argument of `dbutils.notebook.exit`, None if it was not called."""

    result: str
    error: str = ""
    trace: str = ""
    exit_value: str | None = None
    output: Path | None = None
    child_run_id: int | None = None


@dataclass(frozen=True)
class AttemptFiles:
    """The files of one attempt."""

    folder: Path
    name: str

    @classmethod
    def of(cls, state: State, job_run_id: int, task_key: str, attempt: int) -> "AttemptFiles":
        """The files of attempt number *attempt*; creates their folders."""
        folder = state.runs / str(job_run_id)
        for each in (folder / ".attempts", folder / ".values"):
            each.mkdir(parents=True, exist_ok=True)
        return cls(folder, f"{task_key}-{attempt}" if attempt else task_key)

    @property
    def output(self) -> Path:
        return self.folder / f"{self.name}.ipynb"

    @property
    def values(self) -> Path:
        return self.folder / ".values"

    def inner(self, suffix: str) -> Path:
        """`.attempts/<name>.<suffix>`."""
        return self.folder / ".attempts" / f"{self.name}.{suffix}"


def run_notebook(
    pool: Pool,
    context: TaskContext,
    places: AttemptFiles,
    environment: Mapping[str, str],
    stop: Stop,
    told: Callable[[dict[str, Any]], None],
) -> Outcome:
    """Run the attempt that *context* describes, in a process of *pool*; return once no process of it is left.

    *environment* is added to this process's own environment. *told* is called with each event, on this thread.
    """
    file = str(context.save(places.inner("json")))
    order = Order(
        str(places.output),
        log=str(places.inner("log")),
        mark=file,
        environment={**environment, VARIABLE: file, ATTEMPT: file},
    )
    known: dict[str, Any] = {"kernel": 0}
    over = threading.Event()
    process = pool.start(order)
    ending = stop.calling(lambda: _end_in_time(process, known, over))
    with contextlib.closing(process), EventLog(places.inner("events")) as log, ending:
        for event in _events(process):
            log.add(event)
            if event["event"] == "kernel":
                known["kernel"] = event["pid"]
            if event["event"] == "finished":
                known["finished"] = event
            told(event)
        status = _ended(process, known)
        over.set()
    if not places.output.exists():
        write_notebook(read_notebook(Path(context.notebook)), places.output)  # it ended before its first cell
    return _outcome(context, places, known.get("finished"), stop, status)


def _events(process: AttemptProcess) -> Iterator[dict[str, Any]]:
    for line in process.events:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                yield event


def _ended(process: AttemptProcess, known: Mapping[str, Any]) -> int | None:
    """Wait for the end of the attempt, whose output has closed, and make sure that it has ended."""
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(EXIT_SECONDS)
    if status is None:
        kill_all(process.mark, [process.pid, known["kernel"]])
    return status


def _end_in_time(process: AttemptProcess, known: Mapping[str, Any], over: threading.Event) -> None:
    """Ask the attempt to end, and kill it if it does not."""

    def end() -> None:
        process.ask_end()
        if not over.wait(GRACE_SECONDS):
            kill_all(process.mark, [process.pid, known["kernel"]])

    threading.Thread(target=end, daemon=True).start()


def _outcome(
    context: TaskContext, places: AttemptFiles, finished: dict[str, Any] | None, stop: Stop, status: int | None
) -> Outcome:
    output = places.output
    if finished is not None and finished["result"] == "SUCCESS":
        exit_file = Path(context.exit_file)
        value = exit_file.read_text(encoding="utf-8") if exit_file.exists() else None
        return Outcome("SUCCESS", exit_value=value, output=output)
    if stop.reason is not None:
        return Outcome(stop.reason, output=output)
    if finished is None:
        place = failed_cell(output)
        where = f" in {place}" if place else ""
        error = f"The process of the attempt ended{where} ({_how(status)}). Its log: {places.inner('log')}"
        return Outcome("FAILED", error, output=output)
    return Outcome("FAILED", finished.get("error", ""), finished.get("trace", ""), output=output)


def _how(status: int | None) -> str:
    if status is None:
        return "exit code unknown"
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"
