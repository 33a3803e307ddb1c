"""Opens text files, also compressed ones, which Spark recognises by their extension."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}


def open_text(file: Path, encoding: str) -> TextIO:
    """*file* as text, with its line ends unchanged; bytes that cannot be decoded become U+FFFD, as in Spark."""
    opener = _OPENERS.get(file.suffix.lower(), open)
    text: TextIO = opener(file, "rt", encoding=encoding, errors="replace", newline="")
    return text


def read_text(file: Path, encoding: str) -> str:
    """The whole text of *file*."""
    with open_text(file, encoding) as text:
        return text.read()
