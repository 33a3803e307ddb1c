"""Finding the files that a job names: a `notebook_path`, a `python_file`, the `path` of an SQL file.

Source: Databricks CLI 1.13: paths are relative to the file that defines them and must stay inside the bundle or a
folder of `sync.paths`; a notebook must be one, and a plain file must not be a notebook.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.bundle.documents import Table, show
from local.errors import NotebookError
from local.sources import find_source, is_notebook, why_no_notebook


def synced_folders(sync: Any, root: Path) -> tuple[Path, ...]:
    """The folders that `sync.paths` names, from the file that names them."""
    listed = sync.get("paths") if isinstance(sync, Table) else None
    if not isinstance(listed, list):
        return ()
    folder = sync.places["paths"][0].parent
    return tuple((folder / path).resolve() for path in listed if isinstance(path, str))


def find_notebook(path: str, folder: Path, roots: Sequence[Path]) -> Path:
    """The notebook *path*, written in a file of *folder*, with or without its extension.

    Raises:
        LookupError: it is missing, outside of *roots* (that of the bundle is the first), or no notebook; the text
            says which.
    """
    named = _inside(path, folder, roots, "notebook")
    try:
        file = find_source(named)
    except NotebookError as error:
        raise LookupError(str(error)) from error
    if file is None:
        raise LookupError(
            f"found no notebook `{path}` (`{show(named, roots[0])}`, with or without `.ipynb`, `.py`, `.sql`). "
            "Correct the path."
        )
    if reason := why_no_notebook(file):
        raise LookupError(f"found `{path}`, {reason}")
    return file


def find_file(path: str, folder: Path, roots: Sequence[Path]) -> Path:
    """The plain file *path*, written in a file of *folder*: a Python program or a file of SQL.

    Raises:
        LookupError: it is missing, outside of *roots* (that of the bundle is the first), or a notebook; the text
            says which.
    """
    named = _inside(path, folder, roots, "file")
    if not named.is_file():
        raise LookupError(f"found no file `{path}` (`{show(named, roots[0])}`). Correct the path.")
    if is_notebook(named):
        raise LookupError(f"found `{path}`, a notebook; expected a plain file. Make the task a `notebook_task`.")
    return named


def _inside(path: str, folder: Path, roots: Sequence[Path], what: str) -> Path:
    """The place of *path*, which must be inside of one of *roots*; from the root it is one of `workspace.file_path`."""
    named = (folder / path).resolve()
    is_inside = any(named.is_relative_to(root.resolve()) for root in roots)
    if ":/" in path or (path.startswith("/") and not is_inside):
        raise LookupError(
            f"found the workspace path `{path}`; expected a path relative to this file. Put the {what} into the bundle."
        )
    if not is_inside:
        raise LookupError(
            f"found `{path}`, outside of the bundle; expected a {what} inside it, or inside a folder of `sync.paths`."
        )
    return named
