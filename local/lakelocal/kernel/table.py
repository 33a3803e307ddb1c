"""A table as text and as HTML: what `display`, `%sql` and `%fs ls` show.

The HTML is a plain table with all its rows. A script in the same output (`table.js`) lets users sort, filter and draw
them, or download them as CSV. This works in JupyterLab and VS Code, in a notebook saved as HTML, and on the page of a
run, without a kernel and without a network; where scripts are not run, as on GitHub, the table remains. No library does
all of that: itables needs its 700 KB of DataTables in an output of its own that must not be lost, perspective loads
WebAssembly, and ipydatagrid, buckaroo and other widgets need a kernel. Each output has its own copy of the script
(17 KB): cells are run again, deleted, and rendered only when they are scrolled into view, so one output cannot rely on
another.
"""

import functools
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

TEXT_WIDTH = 40
TEXT_ROWS = 20  # the text is for programs that do not show HTML, such as a terminal
HTML_WIDTH = 10_000
HTML_CHARACTERS = 300_000  # of all rows together
_SCRIPT = re.compile(r"<(script|style)>.*?</\1>\n?", re.DOTALL)
CLASS = "lakelocal-table"  # of the element that contains a table, its note and its script
_HEAD = f'<div class="{CLASS}">'


@dataclass(frozen=True)
class Table:
    """Rows of Python values; *columns* are pairs of name and type.

    *more*: there are further rows. *total*: how many rows there are in all, if they have been counted.
    """

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    more: bool = False
    total: int | None = None

    def note(self, shown: int) -> str:
        """How many rows there are, in words, if the first *shown* of them are visible."""
        if shown == len(self.rows) and not self.more:
            return "1 row" if shown == 1 else f"{shown:,} rows"
        if self.total is not None or not self.more:
            return f"the first {shown:,} of {self.total or len(self.rows):,} rows"
        return f"the first {shown:,} rows; there are more"

    def to_text(self) -> str:
        """Aligned columns under two header lines, with names and types; long values are cut off with `...`."""
        rows = self.rows[:TEXT_ROWS]
        lines = [
            [name for name, _ in self.columns],
            [kind for _, kind in self.columns],
            *([_one_line(to_text(value), TEXT_WIDTH) for value in row] for row in rows),
        ]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        right = [_kind(type_) == "n" for _, type_ in self.columns]
        shown = [_aligned(line, widths, right) for line in lines]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([*shown[:2], rule, *shown[2:], f"({self.note(len(rows))})"])

    def to_html(self) -> str:
        """A table of limited height, with types below the names, and NULL in italics to distinguish it from text."""
        lines = list(self._lines())
        head = "".join(f'<th class="{_kind(k)}">{_escaped(n)}<br><small>{_escaped(k)}</small>' for n, k in self.columns)
        parts = [
            _HEAD,
            f"<style>{style()}</style>",
            # The height is here, too, since JupyterLab drops the style sheet and the script of an untrusted notebook.
            '<div class="rows" style="max-height: 420px; overflow: auto"><table class="dataframe">',
            f"<thead><tr>{head}</thead>\n<tbody>",
            *lines,
            "</tbody></table></div>",
            f"<p>{self.note(len(lines))}</p>",
            f"<script>{script()}(document.currentScript.parentElement)</script>" if len(lines) > 1 else "",
            "</div>",
        ]
        return "\n".join(part for part in parts if part)

    def _lines(self) -> Iterator[str]:
        """The rows as HTML, as many as fit, but at least one; HTML allows the end tags of cells to be omitted."""
        opening = ["<td align=right>" if _kind(type_) == "n" else "<td>" for _, type_ in self.columns]
        size = 0
        for number, row in enumerate(self.rows):
            line = "<tr>" + "".join(tag + _cell(value) for tag, value in zip(opening, row, strict=True)) + "</tr>"
            size += len(line)
            if number and size > HTML_CHARACTERS:
                return
            yield line


def script() -> str:
    """The script of a table: a function that takes the element which contains the table."""
    return _file("table.js")


def style() -> str:
    """The CSS of a table."""
    return _file("table.css")


def without_script(text: str) -> str | None:
    """A table's HTML without its script and style, for a page that has them once; None if *text* is not a table."""
    return _SCRIPT.sub("", text) if text.startswith(_HEAD) else None


@functools.cache
def _file(name: str) -> str:
    """A file beside this module, without indentation and comment lines, which only its readers need."""
    lines = (line.strip() for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


_NUMBER = re.compile(r"(tiny|small|big)?int|float|double|decimal(\(.*\))?")
_TIME = re.compile(r"date|timestamp(_ntz)?")


def _kind(type_: str) -> str:
    """The CSS class of a column's header: `n` for numbers, `t` for times, `s` for everything else."""
    return "n" if _NUMBER.fullmatch(type_) else "t" if _TIME.fullmatch(type_) else "s"


def to_text(value: object) -> str:
    """A value as Spark's SQL writes it: NULL, true, exact decimals, timestamps in UTC, nested values as JSON."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(to_json_value(value), ensure_ascii=False)
    text = _scalar(value)
    return "NULL" if text is None else text


def _scalar(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return in_utc.isoformat(sep=" ").rstrip("0") if in_utc.microsecond else in_utc.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex(" ").upper()
    return str(value)


def to_json_value(value: object) -> Any:
    """*value* in types that JSON has; a map, which is a list of pairs in Arrow, becomes an object."""
    if isinstance(value, dict):
        return {str(name): to_json_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        if value and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
            return {to_text(name): to_json_value(inner) for name, inner in value}
        return [to_json_value(inner) for inner in value]
    return value if isinstance(value, bool | int | float) or value is None else _scalar(value)


def _one_line(text: str, width: int) -> str:
    line = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return line if len(line) <= width else line[: width - 3] + "..."


def _aligned(line: list[str], widths: list[int], right: list[bool]) -> str:
    parts = [
        text.rjust(width) if ends else text.ljust(width) for text, width, ends in zip(line, widths, right, strict=True)
    ]
    return "  ".join(parts).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "<i>NULL</i>"
    text = to_text(value)
    return _escaped(text if len(text) <= HTML_WIDTH else text[: HTML_WIDTH - 3] + "...")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
