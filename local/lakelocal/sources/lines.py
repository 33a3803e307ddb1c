"""The lines of a source file or of a cell."""

import re

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def lines_of(text: str, *, keepends: bool = False) -> list[str]:
    r"""The lines of *text*, which end at `\n`, `\r\n` or `\r` and at no other character; with *keepends* whole.

    `str.splitlines` also ends a line at form feeds, at U+0085, U+2028 and others, which are ordinary characters of a
    string or a comment for Python, for SQL and for Databricks.
    """
    lines: list[str] = _LINE.findall(text)
    return lines if keepends else [line.rstrip("\r\n") for line in lines]
