"""Why an attempt failed, in one line, and the trace behind it."""

import json
import re
from pathlib import Path
from typing import Any

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACE_LENGTH = 20_000
_ADDED = {"injected-parameters", "papermill-error-cell-tag"}


def failure_of(error: Exception, output: Path) -> dict[str, Any]:
    """*error* of papermill as `error` (name, value, place) and `trace` (no terminal codes).

    *output* is the executed notebook; the number of the failed cell counts the cells of the source notebook from 1.
    """
    name = type(error).__name__
    if name == "PapermillExecutionError":
        place = failed_cell(output)
        return {
            "error": f"{error.ename}: {_ANSI.sub('', error.evalue)}{f' ({place})' if place else ''}",
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
    """`cell 4 "Silver orders"`: the cell that failed, or was running when all ended; "" where there is none."""
    number, heading = 0, ""
    for cell in (_read(output) or {}).get("cells", []):
        if _ADDED & set(cell.get("metadata", {}).get("tags", [])):
            continue
        number += 1
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            titles = [line for line in source.splitlines() if line.startswith("#")]
            heading = titles[-1].lstrip("#").strip() if titles else heading
            continue
        state = cell.get("metadata", {}).get("papermill", {})
        if state.get("exception") is True or state.get("status") == "running":
            return f'cell {number} "{heading}"' if heading else f"cell {number}"
    return ""


def _read(output: Path) -> dict[str, Any] | None:
    try:
        return json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
