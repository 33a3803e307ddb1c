"""Reads the headers of CSV files, which have the names of their columns."""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.text_files import open_text
from lakelocal.errors import DialectError

_LONGEST_HEADER = 1 << 20

_known: dict[tuple[object, ...], tuple[str, ...] | None] = {}
_lock = threading.Lock()


def header_of(file: Path, source: Source) -> tuple[str, ...] | None:
    """The names in the header of *file*; None if the file is empty. A file is read again only if it has changed.

    An empty name becomes `_c<position>`, and a repeated name gets its position appended, as in Spark.
    """
    stat = file.stat()
    key = (file, stat.st_size, stat.st_mtime_ns, tuple(sorted(source.reader.items())))
    if key not in _known:
        found = next(records(file, source), None)
        with _lock:
            _known[key] = None if found is None else _unique(found, source)
    return _known[key]


def records(file: Path, source: Source) -> Iterator[list[str]]:
    """The records of *file*, beginning with its header, read with the options that Spark's reader gets."""
    try:
        with _open(file, source) as text:
            yield from _rows(text, source)
    except (UnicodeError, LookupError, csv.Error, OSError, EOFError) as error:
        raise DialectError(
            f"`{file.name}`: its header cannot be read ({error}). Check the file and the options encoding, sep, quote."
        ) from error


def _open(file: Path, source: Source) -> TextIO:
    encoding = source.option("encoding", source.option("charset", "UTF-8"))
    named = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    return open_text(file, named)


def _rows(text: TextIO, source: Source) -> Iterator[list[str]]:
    quote, escape = source.option("quote", '"') or None, source.option("escape", "\\")
    separator = source.option("sep", source.option("delimiter", ",")).replace("\\t", "\t")
    comment = source.option("comment", "")
    if len(separator) != 1:
        raise DialectError(
            f"cloudFiles, sep: found `{separator}`; expected one character. Use one, or the format `text`."
        )
    lines = _lines(text, comment, multi_line=source.multi_line)
    yield from (
        row
        for row in csv.reader(
            lines,
            delimiter=separator,
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            doublequote=True,
            escapechar=escape if escape and escape != quote else None,
        )
        if row
    )


def _lines(text: TextIO, comment: str, *, multi_line: bool) -> Iterator[str]:
    first = True
    while line := text.readline(_LONGEST_HEADER):
        if first and (not line.strip() or (comment and line.startswith(comment))):
            continue
        first = False
        yield line
        if not multi_line:
            first = True


def _unique(names: list[str], source: Source) -> tuple[str, ...]:
    strip = source.option("ignoreLeadingWhiteSpace", "false").lower() == "true"
    seen: set[str] = set()
    found = []
    for position, name in enumerate(names):
        name = name.strip() if strip else name
        name = name or f"_c{position}"
        if name.lower() in seen:
            name = f"{name}{position}"
        seen.add(name.lower())
        found.append(name)
    return tuple(found)
