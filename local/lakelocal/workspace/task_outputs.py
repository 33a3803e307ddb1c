"""What a task left behind, as `runs/get-output` answers it beside its exit value and its error.

Source: Databricks SDK 0.162, `RunOutput`, `SqlOutput`, `SqlTaskSqlFileOutput`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.jobs.progress import rows_left_behind
from lakelocal.lakeflow.field_values import as_text
from lakelocal.project import State

LOG_BYTES = 5_000_000
_SQL_CELL = "%sql\n"


def logs(notebook: Path) -> dict[str, Any]:
    """What the cells of an executed notebook printed: the last 5 MB, like the API."""
    streams = (output for cell in _cells(notebook) for output in cell.get("outputs", ()))
    text = "".join(each.text for each in streams if each.output_type == "stream").encode()
    return {"logs": text[-LOG_BYTES:].decode(errors="ignore"), "logs_truncated": len(text) > LOG_BYTES}


def sql_output(notebook: Path, state: State, run_id: int, name: str, warehouse: str) -> dict[str, Any]:
    """The statements that a SQL task has run, and the rows of the last one, which its references see too.

    *name* is that of the task's files in the run *run_id* of *state*.
    """
    sources = [cell.source for cell in _cells(notebook) if cell.source.startswith(_SQL_CELL)]
    found: dict[str, Any] = {
        "query_text": ";\n".join(source.removeprefix(_SQL_CELL) for source in sources),
        "warehouse_id": warehouse,
    }
    rows = rows_left_behind(state, run_id, name)
    if rows is not None:
        columns = [{"name": column} for column in (rows[0] if rows else ())]
        values = [{"values": [_shown(value) for value in row.values()]} for row in rows]
        found["query_result"] = {"columns": columns, "rows": values}
    return {"file_output": found}


def _shown(value: Any) -> Mapping[str, str]:
    """A value of a row; nothing for NULL."""
    if value is None:
        return {}
    is_nested = isinstance(value, (dict, list))
    return {"string_value": json.dumps(value, ensure_ascii=False) if is_nested else as_text(value)}


def _cells(notebook: Path) -> list[Any]:
    import nbformat  # not needed for any other answer

    try:
        return list(nbformat.read(notebook, as_version=4).cells)
    except (OSError, ValueError, nbformat.ValidationError):
        return []
