"""Finding the files that a job names: a `notebook_path`, a `python_file`, the `path` of an SQL file.

Source: Databricks CLI 1.13: paths are relative to the file that defines them and must stay inside the bundle; a
notebook must be one, and a plain file must not be a notebook.
"""

from pathlib import Path

from local.errors import NotebookError
from local.sources import find_source, is_notebook, why_no_notebook


def find_notebook(path: str, folder: Path, root: Path) -> Path:
    """The notebook *path*, written in a file of *folder*, with or without its extension.

    Raises:
        LookupError: it is missing, outside of the bundle at *root*, or no notebook; the text says which.
    """
    named = _inside(path, folder, root, "notebook")
    try:
        file = find_source(named)
    except NotebookError as error:
        raise LookupError(str(error)) from error
    if file is None:
        shown = named.relative_to(root.resolve()).as_posix()
        raise LookupError(
            f"found no notebook `{path}` (`{shown}`, with or without `.ipynb`, `.py`, `.sql`). Correct the path."
        )
    if reason := why_no_notebook(file):
        raise LookupError(f"found `{path}`, {reason}")
    return file


def find_file(path: str, folder: Path, root: Path) -> Path:
    """The plain file *path*, written in a file of *folder*: a Python program or a file of SQL.

    Raises:
        LookupError: it is missing, outside of the bundle at *root*, or a notebook; the text says which.
    """
    named = _inside(path, folder, root, "file")
    if not named.is_file():
        shown = named.relative_to(root.resolve()).as_posix()
        raise LookupError(f"found no file `{path}` (`{shown}`). Correct the path.")
    if is_notebook(named):
        raise LookupError(f"found `{path}`, a notebook; expected a plain file. Make the task a `notebook_task`.")
    return named


def _inside(path: str, folder: Path, root: Path, what: str) -> Path:
    """The place of *path*, which must be inside of *root*."""
    if path.startswith("/") or ":/" in path:
        raise LookupError(
            f"found the workspace path `{path}`; expected a path relative to this file. Put the {what} into the bundle."
        )
    named = (folder / path).resolve()
    if not named.is_relative_to(root.resolve()):
        raise LookupError(f"found `{path}`, outside of the bundle; expected a {what} inside it.")
    return named
