"""Executed notebooks as parts of a page: the HTML of nbconvert without scripts, limited in size."""

import functools
import re
import threading
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from markupsafe import Markup
from rich.filesize import decimal

from lakelocal.kernel import table
from lakelocal.sources.executed import ERROR_MARK, has_failed, is_own, tags

OUTPUT_LIMIT = 100_000  # characters of one text, table or trace
TABLE_LIMIT = 2 * table.HTML_CHARACTERS  # of a table of `display`, which bounds itself
IMAGE_LIMIT = 2_000_000  # characters of one image, base64
NOTEBOOK_LIMIT = 5_000_000  # characters of one notebook's HTML
PAGE_LIMIT = 60_000_000  # characters of all notebooks of a page

_TAGS = [
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt",
    "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "s", "small", "span", "strong",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
]  # fmt: skip
_ATTRIBUTES = frozenset({"class", "style", "title", "colspan", "rowspan", "align"})
_CELL = re.compile(r"(Cell(?:\x1b\[[\d;]*m|\s)+)In\[(\d+)\]")  # as IPython names a cell, with colours in between
_OF_256 = re.compile(r"((?<=[\[;])[34])8;5;(\d+)")  # in the codes of a terminal: 38 is the text, 48 what is behind it
_LEVELS = (0, 95, 135, 175, 215, 255)  # of red, green and blue in the 256 colours
_UNSHOWN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


@functools.cache
def import_ahead() -> None:
    """Import, once and in the background, what the first notebook needs: it takes seconds on a busy machine."""
    threading.Thread(target=_converter, daemon=True).start()


class Notebooks:
    """Converts executed notebooks to HTML until the page is full."""

    def __init__(self) -> None:
        self.left = PAGE_LIMIT

    def html(self, place: Path, failed: str = "failed-cell") -> Markup:
        """The executed notebook *place* as HTML; if it cannot be shown, a sentence that says why.

        The cell that failed has the id *failed* and its number in the source notebook, which messages use too.
        """
        import nbformat

        try:
            notebook = nbformat.read(place, as_version=4)
        except FileNotFoundError:
            return _said(f"The executed notebook was deleted: {place}")
        except (OSError, ValueError, nbformat.ValidationError) as error:
            return _said(f"The executed notebook cannot be read ({type(error).__name__}): {place}")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [bounded(output) for output in cell.outputs]
        made = Markup().join(_parts(notebook, failed))
        if len(made) > min(NOTEBOOK_LIMIT, self.left):
            return _said(f"The executed notebook is too large for this page ({decimal(len(made))}): {place}")
        self.left -= len(made)
        return Markup('<div class="notebook">{}</div>').format(made)


def _parts(notebook: Any, failed: str) -> Iterator[Markup]:
    """The cells of *notebook* without those that papermill adds after a failure; the failed cell is highlighted."""
    cells = [cell for cell in notebook.cells if ERROR_MARK not in tags(cell)]
    at = next((position for position, cell in enumerate(cells) if has_failed(cell)), None)
    if at is None:
        yield _converted(notebook, cells)
        return
    number = sum(map(is_own, cells[: at + 1]))
    _name_cells(cells)
    yield _converted(notebook, cells[:at])
    yield Markup(
        '<section class="failed-cell" id="{}" aria-label="Cell {}, which failed"><p>Cell {} failed</p>'
    ).format(failed, number, number)
    yield _converted(notebook, cells[at : at + 1])
    yield Markup("</section>")
    yield _converted(notebook, cells[at + 1 :])


def _name_cells(cells: list[Any]) -> None:
    """Name *cells* in tracebacks by their numbers in the source notebook, in place of those of their execution."""
    numbers = dict(zip((cell.get("execution_count") for cell in cells), accumulate(map(is_own, cells)), strict=True))

    def named(match: re.Match[str]) -> str:
        number = numbers.get(int(match[2]))
        return f"{match[1]}{number}" if number else match[0]

    for output in (each for cell in cells for each in cell.get("outputs", ()) if each.output_type == "error"):
        output.traceback = [_CELL.sub(named, line) for line in output.traceback]


def _converted(notebook: Any, cells: list[Any]) -> Markup:
    """*cells* of *notebook* as HTML."""
    return Markup(_converter()({**notebook, "cells": cells})) if cells else Markup()


def bounded(output: Any) -> Any:
    """The *output* of a cell, cut if it exceeds the limits, with a note that says so.

    HTML that needs a script cannot work here; another representation of the output is shown instead.
    """
    if output.output_type == "stream":
        output.text = _cut(output.text)
    elif output.output_type == "error":
        output.traceback = [_cut("\n".join(output.traceback))]
    elif "data" in output:
        _bound_data(output.data)
    return output


def _bound_data(data: dict[str, Any]) -> None:
    limit = OUTPUT_LIMIT
    if (own := table.without_script(str(data.get("text/html", "")))) is not None:  # the page contains its script
        data["text/html"], limit = own, TABLE_LIMIT
    if re.search(r"<script\b", str(data.get("text/html", "")), re.IGNORECASE):
        del data["text/html"]
        data.setdefault("text/plain", "[interactive output: it needs a script, which this page does not run]")
    for kind, value in list(data.items()):
        size = len(str(value))
        if kind == "text/plain":
            data[kind] = _cut(value)
        elif size > (IMAGE_LIMIT if kind.startswith("image/") else limit):
            del data[kind]
            data["text/plain"] = f"{_cut(data.get('text/plain', ''))}\n[cut: {kind} of {decimal(size)}]".lstrip()


def _cut(text: str) -> str:
    """The beginning and the end of *text* if it is too long, with how much is missing between them."""
    if len(text) <= OUTPUT_LIMIT:
        return text
    half = OUTPUT_LIMIT // 2
    return f"{text[:half]}\n[cut: {len(text) - 2 * half:,} characters]\n{text[-half:]}"


def with_basic_colours(text: str) -> str:
    """*text* with the eight colours of a terminal, which the page adapts to light and dark, in place of its 256."""
    return _OF_256.sub(lambda match: f"{match[1]}{_basic_colour(int(match[2]))}", text)


def _basic_colour(number: int) -> int:
    """Which of the eight colours is nearest to *number* of the 256: red, green and blue are its bits."""
    if number < 16:
        return number % 8
    if number >= 232:  # greys
        return 7
    levels = [_LEVELS[(number - 16) // each % 6] for each in (36, 6, 1)]
    return sum(1 << bit for bit, level in enumerate(levels) if level > max(levels) / 2)


def _said(text: str) -> Markup:
    return Markup('<p class="said">{}</p>').format(text)


@functools.cache
def _converter() -> Callable[[Any], str]:
    """An exporter with nbconvert's `basic` template that reduces the HTML of cells to text, tables and their styles."""
    import nbformat
    from nbconvert import HTMLExporter  # imported here: it takes half a second, which other commands can do without
    from nbconvert.filters import ansi2html
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    safe = SanitizeHTML(tags=_TAGS, attributes=_is_safe, strip=True)
    exporter = HTMLExporter(template_name="basic", sanitize_html=True, exclude_anchor_links=True)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True  # cells are known by their place
    exporter.register_filter("ansi2html", lambda text: ansi2html(with_basic_colours(text)))
    exporter.register_filter("clean_html", lambda html: safe.sanitize_html_tags(_UNSHOWN.sub("", str(html))))
    return lambda notebook: exporter.from_notebook_node(nbformat.from_dict(notebook))[0]


def _is_safe(tag: str, name: str, value: str) -> bool:
    return name in _ATTRIBUTES or (tag == "a" and name == "href")
