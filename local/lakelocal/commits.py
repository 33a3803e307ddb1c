"""Which run made a commit of a Delta table: the commit says so in its `userMetadata`.

The kernel of a task sets this text once for each of its sessions; the summary of a run reads it in the tables' logs. If
the user sets another text, that one is used, unchanged.

Source: Delta Lake documentation, "Set user-defined commit metadata".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakelocal.context import TaskContext

SETTING = "spark.databricks.delta.commitInfo.userMetadata"
_OURS = "lakelocal"


def signature(context: TaskContext) -> str:
    """The `userMetadata` for the commits of the attempt with *context*."""
    ids = {"job_run_id": context.job_run_id, "task_run_id": context.task_run_id, "task_key": context.task_key}
    return json.dumps({_OURS: ids}, ensure_ascii=False)


@dataclass(frozen=True)
class Writer:
    """The task of a run that made a commit; ids are those of the run's state."""

    job_run_id: int
    task_run_id: int
    task_key: str


def writer_of(info: Mapping[str, Any]) -> Writer | None:
    """The task that signed the commit with the `commitInfo` *info*; None if no run did."""
    try:
        ids = json.loads(info.get("userMetadata") or "null")[_OURS]
        return Writer(int(ids["job_run_id"]), int(ids["task_run_id"]), str(ids["task_key"]))
    except (ValueError, TypeError, KeyError):
        return None


def run_that_made(info: Mapping[str, Any]) -> int | None:
    """The id of the run that signed the commit with the `commitInfo` *info*; None if no run did."""
    writer = writer_of(info)
    return writer.job_run_id if writer else None
