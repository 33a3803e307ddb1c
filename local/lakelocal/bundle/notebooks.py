"""Finding the files that a job names: a `notebook_path`, a `python_file`, the `path` of an SQL file.

Source: Databricks CLI 1.13: paths are relative to the file that defines them and must stay inside the bundle or a
folder of `sync.paths`; a notebook must be one, and a plain file must not be a notebook.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.lakeflow.findings import Finding, FindingError, Where, show
from lakelocal.sources import TwoNotebooks, find_source, is_notebook, why_no_notebook


def synced_folders(sync: Any, root: Path) -> tuple[Path, ...]:
    """The folders that `sync.paths` names, from the file that names them."""
    listed = sync.get("paths") if isinstance(sync, YamlMapping) else None
    if not isinstance(listed, list):
        return ()
    folder = sync.places["paths"][0].parent
    return tuple((folder / path).resolve() for path in listed if isinstance(path, str))


def find_notebook(path: str, folder: Path, roots: Sequence[Path]) -> Path:
    """The notebook *path*, written in a file of *folder*, with or without its extension.

    Raises:
        FindingError: it is missing, outside of *roots* (that of the bundle is the first), or no notebook; the finding
            has no place.
    """
    named = _inside(path, folder, roots, "notebook")
    try:
        file = find_source(named)
    except TwoNotebooks as error:
        raise _missing(error.found, f"one notebook of the name `{path}`", "Rename one of them.") from error
    if file is None:
        expected = f"`{show(named, roots[0])}`, with or without `.ipynb`, `.py`, `.sql`"
        raise _missing(f"no notebook `{path}`", expected, "Correct the path.")
    if reason := why_no_notebook(file):
        raise _missing(f"`{path}`, {reason.found}", reason.expected, reason.action)
    return file


def find_file(path: str, folder: Path, roots: Sequence[Path]) -> Path:
    """The plain file *path*, written in a file of *folder*: a Python program or a file of SQL.

    Raises:
        FindingError: it is missing, outside of *roots* (that of the bundle is the first), or a notebook; the finding
            has no place.
    """
    named = _inside(path, folder, roots, "file")
    if not named.is_file():
        raise _missing(f"no file `{path}`", f"`{show(named, roots[0])}`", "Correct the path.")
    if is_notebook(named):
        raise _missing(f"`{path}`, a notebook", "a plain file", "Make the task a `notebook_task`.")
    return named


def _inside(path: str, folder: Path, roots: Sequence[Path], what: str) -> Path:
    """The place of *path*, which must be inside of one of *roots*; from the root it is one of `workspace.file_path`."""
    named = (folder / path).resolve()
    is_inside = any(named.is_relative_to(root.resolve()) for root in roots)
    if ":/" in path or (path.startswith("/") and not is_inside):
        action = f"Put the {what} into the bundle."
        raise _missing(f"the workspace path `{path}`", "a path relative to this file", action)
    if not is_inside:
        expected = f"a {what} inside it, or inside a folder of `sync.paths`"
        raise _missing(f"`{path}`, outside of the bundle", expected, "Move it into the bundle.")
    return named


def _missing(found: str, expected: str, action: str) -> FindingError:
    return FindingError(Finding(Where(), "missing-file", found, expected, action))
