"""What dynamic value references are called: namespaces, their members, and how a name is written.

Source: Databricks documentation, "What is a dynamic value reference?".
"""

import re
from collections.abc import Mapping

_PART = re.compile(r"`([^`]+)`|([A-Za-z0-9_]+)|\[([A-Za-z0-9_.-]+)\]")  # [name]: so written in Databricks' own examples
NAMESPACES = ("job", "task", "tasks", "workspace", "input", "backfill")
DEPRECATED = ("job_id", "run_id", "start_date", "start_time", "task_retry_count", "parent_run_id", "task_key")
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "job": ("id", "name", "run_id", "repair_count", "parameters", "start_time", "trigger"),
    "task": ("name", "run_id", "execution_count", "notebook_path"),
    "tasks": ("run_id", "result_state", "error_code", "execution_count", "notebook_path", "values", "output"),
    "workspace": ("id", "url"),
}


def split_path(text: str) -> list[str] | None:
    """`job.parameters.`a-b`` -> its parts; None where the text is malformed."""
    parts, position = [], 0
    while True:
        part = _PART.match(text, position)
        if not part:
            return None
        parts.append(part[part.lastindex])
        position = part.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            return None
        position += 1
