"""A small table as text and as HTML: what `display`, `%sql` and `%fs ls` show."""

import html
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

TEXT_WIDTH = 40
HTML_WIDTH = 1000


@dataclass(frozen=True)
class Table:
    """Rows of Python values; *columns* are pairs of name and type. *more*: there are rows that it does not hold."""

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    more: bool = False

    @property
    def note(self) -> str:
        """How many rows there are, in words."""
        if self.more:
            return f"the first {len(self.rows):,} rows; there are more"
        return "1 row" if len(self.rows) == 1 else f"{len(self.rows):,} rows"

    def to_text(self) -> str:
        """Aligned columns under two header lines, names and types; long values are cut with `...`."""
        lines = [
            [name for name, _ in self.columns],
            [kind for _, kind in self.columns],
            *([_one_line(to_text(value), TEXT_WIDTH) for value in row] for row in self.rows),
        ]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        right = [kind.startswith(_NUMBERS) for _, kind in self.columns]
        shown = [_aligned(line, widths, right) for line in lines]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([*shown[:2], rule, *shown[2:], f"({self.note})"])

    def to_html(self) -> str:
        """A plain HTML table; NULL in italics, so that it differs from the text `NULL`."""
        head = "".join(f"<th>{html.escape(n)}<br><small>{html.escape(k)}</small></th>" for n, k in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>\n" for row in self.rows)
        return (
            f'<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n'
            f"<p>{self.note}</p>"
        )


_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


def to_text(value: object) -> str:
    """A value as Spark's SQL writes it: NULL, true, exact decimals, timestamps in UTC, nested values as JSON."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
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


def plain(value: object) -> Any:
    """*value* with only what JSON has; a map is a list of pairs in Arrow, here an object."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        if value and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
            return {to_text(name): plain(inner) for name, inner in value}
        return [plain(inner) for inner in value]
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
    return html.escape(text if len(text) <= HTML_WIDTH else text[: HTML_WIDTH - 3] + "...")
