"""The objects of the tree: folders, files and notebooks, as the Workspace API describes them.

Source: Workspace API 2.0, `ObjectInfo`; CLI 1.14, `libs/notebook/detect.go` (which files are notebooks).
"""

import codecs
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.sources.find import language_of
from lakelocal.sources.languages import LANGUAGES

DIRECTORY, FILE, NOTEBOOK = "DIRECTORY", "FILE", "NOTEBOOK"
SOURCE, JUPYTER = "SOURCE", "JUPYTER"
JUPYTER_SUFFIX = ".ipynb"
SUFFIXES = (JUPYTER_SUFFIX, *LANGUAGES)
KEEPS_SUFFIX = ".designer.ipynb"  # the only notebooks whose names include the extension
_HEADER_LIMIT = 200  # bytes of a first line that may be the header
SUFFIX_OF = {language.name.upper(): suffix for suffix, language in LANGUAGES.items()}


@dataclass(frozen=True)
class TreeObject:
    """One object: its *path* for clients, and its *place* on the disk. Only notebooks have *language* and *format*."""

    kind: str
    path: str
    place: Path
    language: str = ""
    format: str = ""

    @property
    def object_id(self) -> int:
        """A number of 15 digits, which is always the same for the same path."""
        digest = hashlib.sha256(self.path.removeprefix("/Workspace").encode()).digest()
        return 10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14)

    def info(self, *, with_export: bool = False) -> dict[str, Any]:
        """The object in the format of the API; times are in milliseconds since 1970 UTC.

        Raises:
            FileNotFoundError: it no longer exists.
        """
        status = self.place.stat()
        modified = status.st_mtime_ns // 1_000_000
        found: dict[str, Any] = {"object_type": self.kind, "path": self.path, "object_id": self.object_id}
        found |= {"resource_id": str(self.object_id), "created_at": modified, "modified_at": modified}
        if self.kind == FILE:
            found["size"] = status.st_size
        if self.kind == NOTEBOOK:
            found["language"] = self.language
            if with_export:
                found["repos_export_format"] = self.format
        return found


def language_in(name: str, place: Path) -> str:
    """The language of the file *place* if *name* and content make it a notebook; "" if it is a plain file.

    Raises:
        OSError: the file cannot be read.
    """
    suffix = os.path.splitext(name)[1].lower()
    if suffix == JUPYTER_SUFFIX:
        return _language_of_jupyter(place.read_bytes())
    language = LANGUAGES.get(suffix)
    if language is None:
        return ""
    with place.open("rb") as file:
        first = file.readline(_HEADER_LIMIT).rstrip(b"\r\n").removeprefix(codecs.BOM_UTF8)
    return language.name.upper() if first == language.header.encode() else ""


def without_suffix(name: str) -> str:
    """The name of the notebook that is stored in a file *name*."""
    return name if name.lower().endswith(KEEPS_SUFFIX) else os.path.splitext(name)[0]


def _language_of_jupyter(content: bytes) -> str:
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(notebook, dict) or not {"cells", "metadata", "nbformat"} <= notebook.keys():
        return ""
    language = language_of(notebook).upper()
    return language if language in SUFFIX_OF else "PYTHON"
