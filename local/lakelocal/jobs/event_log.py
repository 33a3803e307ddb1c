"""What an attempt does, stored for other processes that follow the run: `.attempts/NAME.events`.

Each line of the file is an event of the attempt (the table in `attempt/attempt.py`) with `at`, epoch milliseconds. It
is written by the runner as events arrive. What is printed is kept up to a limit; the executed notebook has all of it.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lakelocal.history.records import now_ms
from lakelocal.jobs.progress import file_name
from lakelocal.project import State

PRINTED_BYTES = 500_000
LINES_SHOWN = 20
_KEPT = ("cell", "printed", "progress")


class EventLog:
    """Writes the events of one attempt to the file *place*, which it creates anew."""

    def __init__(self, place: Path) -> None:
        self.file = place.open("w", encoding="utf-8", buffering=1)
        self.left = PRINTED_BYTES

    def add(self, event: Mapping[str, Any]) -> None:
        """Write *event*, unless nobody needs it or too much has been printed."""
        if event["event"] not in _KEPT:
            return
        line = json.dumps({"at": now_ms(), **event}, ensure_ascii=False) + "\n"
        if event["event"] != "cell":
            if self.left < len(line):
                return
            self.left -= len(line)
        with contextlib.suppress(OSError):  # a full disk must fail a run by what it cannot write, not by what it tells
            self.file.write(line)

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self.file.close()


@dataclass(frozen=True)
class Doing:
    """What an attempt is doing: code cell *index* of *total* under *heading*, and the last *lines* that it printed.

    *done* and *planned* count Spark's tasks of the running statement; 0 if it told of none.
    """

    index: int = 0
    total: int = 0
    heading: str = ""
    lines: tuple[str, ...] = ()
    done: int = 0
    planned: int = 0


def events_file(state: State, run_id: int, task: Mapping[str, Any]) -> Path:
    """The file with the events of *task*, an entry of `tasks` of the run *run_id*; it exists if that ran a notebook."""
    return _beside(state, run_id, task, ".attempts", "events")


def notebook_file(state: State, run_id: int, task: Mapping[str, Any]) -> Path:
    """The executed notebook of *task*, also while it runs; it exists if that ran a notebook."""
    return _beside(state, run_id, task, ".", "ipynb")


def _beside(state: State, run_id: int, task: Mapping[str, Any], folder: str, suffix: str) -> Path:
    name, number = file_name(task["task_key"], task.get("iteration")), task["attempt_number"]
    return state.runs / str(run_id) / folder / f"{name}{f'-{number}' if number else ''}.{suffix}"


def read_doing(place: Path) -> Doing | None:
    """What the attempt that writes *place* is doing; None if it has not written anything."""
    cell: Mapping[str, Any] = {}
    progress: Mapping[str, Any] = {}
    lines: list[str] = []
    for event in read_events(place):
        if event["event"] == "cell":
            cell, progress = event, {}
        elif event["event"] == "progress":
            progress = event
        elif event["event"] == "printed":
            lines.append(event["line"])
    if not cell and not lines:
        return None
    return Doing(
        index=cell.get("index", 0),
        total=cell.get("total", 0),
        heading=cell.get("heading", ""),
        lines=tuple(lines[-LINES_SHOWN:]),
        done=progress.get("done", 0),
        planned=progress.get("total", 0),
    )


def read_events(place: Path) -> Iterator[Mapping[str, Any]]:
    """The events in *place* so far; none if the attempt has not begun to write it."""
    try:
        text = place.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        with contextlib.suppress(ValueError):  # the last line may be half written
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event") in _KEPT:
                yield event
