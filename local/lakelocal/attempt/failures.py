"""Why an attempt failed, on one line, and its traceback."""

import json
import re
from pathlib import Path
from typing import Any

from lakelocal.attempt.explained import death_of_kernel, explained
from lakelocal.kernel.failures import OUTPUT_IS_ABOVE
from lakelocal.sources import headings, place_of
from lakelocal.sources.executed import has_failed, is_own

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACE_LENGTH = 20_000
_LINE_LENGTH = 500


def failure_of(error: Exception, output: Path, status: int | None) -> dict[str, Any]:
    """papermill's *error* as `error` (what happened, and the cell) and `trace` (without terminal codes).

    *output* is the executed notebook; the number of the failed cell counts the cells of the source notebook from 1.
    *status* is the exit status of the kernel, None while it runs.
    """
    from papermill.exceptions import PapermillExecutionError  # the attempt, which raised it, imported it long ago

    name = type(error).__name__
    if isinstance(error, PapermillExecutionError):
        place = failed_cell(output)
        message, frames = _ANSI.sub("", error.evalue), [_ANSI.sub("", frame) for frame in error.traceback]
        if message.endswith(OUTPUT_IS_ABOVE) and (last := _last_line(output, "stdout", "stderr")):
            message = f"{message.removesuffix(OUTPUT_IS_ABOVE)}The last line that it printed: {last}"
        said = _last_line(output, "stderr") if not message.strip() else ""
        what = said or explained(error.ename, message, frames)
        return {"error": f"{what}{f' ({place})' if place else ''}", "trace": "\n".join(frames)[-_TRACE_LENGTH:]}
    if name == "DeadKernelError" or "Kernel died" in str(error):
        place = failed_cell(output)
        return {"error": f"{death_of_kernel(status)}{f' ({place})' if place else ''}", "trace": ""}
    return {"error": f"{name}: {_ANSI.sub('', str(error))}", "trace": ""}


def failed_cell(output: Path) -> str:
    """`cell 4 "Silver orders", line 37 of silver.py`: the cell that failed, or was running when everything ended.

    "" if there is none; the line, for notebooks that are source files, is where the cell begins.
    """
    cells = _cells(output)
    for number, (cell, heading) in enumerate(zip(cells, headings(cells), strict=True), start=1):
        if has_failed(cell):
            named = f'cell {number} "{heading}"' if heading else f"cell {number}"
            return ", ".join(text for text in (named, place_of(cell)) if text)
    return ""


def _last_line(output: Path, *streams: str) -> str:
    """The last line that the failed cell wrote to *streams*; to "stderr", IPython reports an unknown magic."""
    failed = next((cell for cell in _cells(output) if has_failed(cell)), {})
    written = ["".join(each["text"]) for each in failed.get("outputs", []) if each.get("name") in streams]
    return next(iter(_ANSI.sub("", "".join(written)).strip().splitlines()[-1:]), "").strip()[:_LINE_LENGTH]


def _cells(output: Path) -> list[dict[str, Any]]:
    """The cells of the source notebook in the executed one."""
    return [cell for cell in (_read(output) or {}).get("cells", []) if is_own(cell)]


def _read(output: Path) -> dict[str, Any] | None:
    try:
        notebook: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return notebook
