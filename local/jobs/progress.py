"""What is known of the tasks of a run while it goes on."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.bundle.model import Task
from local.jobs.references import Upstream
from local.project import State


@dataclass
class Progress:
    """What is known of the tasks of a run.

    *states* is what the planner works on, *outcomes* the results of condition tasks, *tried* the number of attempts
    by the name of their files, *ended* what references may read.
    """

    states: dict[str, str] = field(default_factory=dict)
    ended: dict[str, Upstream] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)


def left_behind(state: State, job_run_id: int, task: Task, run_id: int, result: str, attempts: int) -> Upstream:
    """What references may read of *task* after *attempts* attempts, the last of them *run_id*.

    Task values are in `.values/<task>.json`, the rows of an SQL task in `.values/<task>.rows.json`.
    """
    folder = state.runs / str(job_run_id) / ".values"
    values = _read(folder / f"{task.key}.json") or {}
    rows = _read(folder / f"{task.key}.rows.json")
    return Upstream(
        run_id, result, attempts, str(task.notebook or ""), values, tuple(rows) if isinstance(rows, list) else None
    )


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
