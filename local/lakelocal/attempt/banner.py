"""Why an attempt failed, at the top of its executed notebook, with a link to the cell; a mark stands above that cell.

papermill puts cells into these places that name neither the reason nor the cell; they are replaced. Where the notebook
ended otherwise (its kernel died, it took too long), there are none, and these are added.
"""

import html
import json
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from lakelocal.attempt.failures import failed_cell
from lakelocal.sources.executed import ERROR_MARK, has_failed, tags
from lakelocal.sources.read import markdown_cell

_ANCHOR = "failed-cell"
_STYLE = "color:#c62828; border-left:4px solid #c62828; padding-left:0.6em"


def show_reason(output: Path, result: str, reason: str) -> None:
    """Write into the executed notebook *output* that it ended with *result*, and why; nothing if it cannot be read."""
    try:
        notebook: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    place = failed_cell(output)
    new = partial(_cell, with_id=notebook.get("nbformat_minor", 0) >= 5)
    cells = [cell for cell in notebook["cells"] if ERROR_MARK not in tags(cell)]
    failed = next((index for index, cell in enumerate(cells) if has_failed(cell)), None)
    if failed is not None:
        cells.insert(failed, new(f'<div id="{_ANCHOR}" style="{_STYLE}">It ended here, in {html.escape(place)}.</div>'))
    cells.insert(0, new(f'<div style="{_STYLE}"><b>{result}</b>: {_linked(reason, place)}</div>'))
    output.write_text(json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False), encoding="utf-8")


def _linked(reason: str, place: str) -> str:
    """*reason* as HTML, with *place* in it as a link to the cell; behind it, if the reason does not name it."""
    if not place:
        return html.escape(reason)
    text = reason if place in reason else f"{reason} ({place})"
    return html.escape(text).replace(html.escape(place), f'<a href="#{_ANCHOR}">{html.escape(place)}</a>')


def _cell(text: str, *, with_id: bool) -> dict[str, Any]:
    return {**markdown_cell(text, tags=[ERROR_MARK]), **({"id": secrets.token_hex(4)} if with_id else {})}
