"""Why an attempt failed, on one line, and its traceback."""

import json
import re
from pathlib import Path
from typing import Any

from lakelocal.kernel.failures import what_spark_says
from lakelocal.sources import headings, place_of
from lakelocal.sources.environment import ENVIRONMENT

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACE_LENGTH = 20_000
_ADDED = {"injected-parameters", "papermill-error-cell-tag", ENVIRONMENT}


def failure_of(error: Exception, output: Path) -> dict[str, Any]:
    """papermill's *error* as `error` (name, value, place) and `trace` (without terminal codes).

    *output* is the executed notebook; the number of the failed cell counts the cells of the source notebook from 1.
    """
    from papermill.exceptions import PapermillExecutionError  # the attempt, which raised it, imported it long ago

    name = type(error).__name__
    if isinstance(error, PapermillExecutionError):
        place = failed_cell(output)
        return {
            "error": f"{error.ename}: {what_spark_says(_ANSI.sub('', error.evalue))}{f' ({place})' if place else ''}",
            "trace": _ANSI.sub("", "\n".join(error.traceback))[-_TRACE_LENGTH:],
        }
    if name == "DeadKernelError" or "Kernel died" in str(error):
        place = failed_cell(output)
        return {
            "error": f"The kernel died{f' in {place}' if place else ''}: killed, out of memory, or ended by the code. "
            "The log of the attempt may say more.",
            "trace": "",
        }
    return {"error": f"{name}: {_ANSI.sub('', str(error))}", "trace": ""}


def failed_cell(output: Path) -> str:
    """`cell 4 "Silver orders", line 37 of silver.py`: the cell that failed, or was running when everything ended.

    "" if there is none; the line, for notebooks that are source files, is where the cell begins.
    """
    cells = [cell for cell in (_read(output) or {}).get("cells", []) if not _ADDED & _tags(cell)]
    for number, (cell, heading) in enumerate(zip(cells, headings(cells), strict=True), start=1):
        state = cell.get("metadata", {}).get("papermill", {})
        if cell.get("cell_type") == "code" and (state.get("exception") is True or state.get("status") == "running"):
            named = f'cell {number} "{heading}"' if heading else f"cell {number}"
            return ", ".join(text for text in (named, place_of(cell)) if text)
    return ""


def _tags(cell: dict[str, Any]) -> set[str]:
    return set(cell.get("metadata", {}).get("tags", []))


def _read(output: Path) -> dict[str, Any] | None:
    try:
        notebook: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return notebook
