"""Which run made a commit of a Delta table: the commit says so, in its `userMetadata`.

The kernel of a task sets the text once for each of its sessions; the summary of a run reads it in the tables' logs. A
text that the user sets takes its place, and stays as it is.

Source: Delta Lake documentation, "Set user-defined commit metadata".
"""

import json
from collections.abc import Mapping
from typing import Any

from lakelocal.context import TaskContext

SETTING = "spark.databricks.delta.commitInfo.userMetadata"
_OURS = "lakelocal"


def signature(context: TaskContext) -> str:
    """The `userMetadata` of what the attempt of *context* commits."""
    ids = {"job_run_id": context.job_run_id, "task_run_id": context.task_run_id, "task_key": context.task_key}
    return json.dumps({_OURS: ids}, ensure_ascii=False)


def run_that_made(info: Mapping[str, Any]) -> int | None:
    """The id of the run that signed the commit with *info*, its `commitInfo`; None if no run did."""
    try:
        ids = json.loads(info.get("userMetadata") or "null")[_OURS]
        return int(ids["job_run_id"])
    except (ValueError, TypeError, KeyError):
        return None
