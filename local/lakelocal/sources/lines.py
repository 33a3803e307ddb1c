"""The lines of a source file or of a cell."""

import re

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def lines_of(text: str, *, keepends: bool = False) -> list[str]:
    r"""The lines of *text*, which end only at `\n`, `\r\n` or `\r`; with *keepends*, including these.

    `str.splitlines` also ends lines at form feeds, at U+0085, U+2028 and others, which for Python, SQL and Databricks
    are ordinary characters of a string or a comment.
    """
    lines: list[str] = _LINE.findall(text)
    return lines if keepends else [line.rstrip("\r\n") for line in lines]
