"""Finds the files that a job names: a `notebook_path`, a `python_file`, the `path` of an SQL file.

Source: Databricks CLI 1.13, `translate_paths.go`: paths are relative to the file that defines them, have an extension,
and must stay inside the bundle or a folder of `sync.paths`; a notebook path must name a notebook, any other path a
plain file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.lakeflow.findings import Finding, FindingError, Where, show
from lakelocal.near_names import near_name
from lakelocal.sources import TwoNotebooks, find_source, is_notebook, why_no_notebook
from lakelocal.sources.languages import SUFFIXES


def synced_folders(sync: Any, root: Path) -> tuple[Path, ...]:
    """The folders that `sync.paths` names, relative to the file that has it."""
    listed = sync.get("paths") if isinstance(sync, YamlMapping) else None
    if not isinstance(listed, list):
        return ()
    folder = sync.places["paths"][0].parent
    return tuple((folder / path).resolve() for path in listed if isinstance(path, str))


def find_notebook(path: str, folder: Path, roots: Sequence[Path], *, deployed: bool = False) -> Path:
    """The file of the notebook *path*, which is named in a file of *folder*.

    *path* needs its extension, unless it is absolute or the notebook counts as *deployed*, as in a workspace.

    Raises:
        FindingError: the notebook is missing, outside of *roots* (the first is that of the bundle), or not a notebook
            (rule `missing-file`); or it is in a workspace, or in a language that does not run here (rule `elsewhere`).
            The finding has no place.
    """
    named = _inside(path, folder, roots, "notebook")
    deployed = deployed or path.startswith("/")
    try:
        file = find_source(named)
    except TwoNotebooks as error:
        if not deployed:
            raise _with_extension(path, error.files) from error
        raise _missing(error.found, f"one notebook with the name `{path}`", "Rename one of them.") from error
    if file is None:
        expected = f"`{show(named, roots[0])}`, one of {', '.join(f'`{each}`' for each in SUFFIXES)}"
        raise _missing(f"no notebook `{path}`", expected, _similar(named, SUFFIXES))
    if file != named and not deployed:
        raise _with_extension(path, [file])
    if reason := why_no_notebook(file):
        rule = "elsewhere" if reason.runs_elsewhere else "missing-file"
        raise FindingError(Finding(Where(), rule, f"`{path}`, {reason.found}", reason.expected, reason.action))
    return file


def find_file(path: str, folder: Path, roots: Sequence[Path]) -> Path:
    """The plain file *path*, a Python program or a file of SQL, which is named in a file of *folder*.

    Raises:
        FindingError: the file is missing, outside of *roots* (the first is that of the bundle), or a notebook (rule
            `missing-file`); or it is in a workspace (rule `elsewhere`). The finding has no place.
    """
    named = _inside(path, folder, roots, "file")
    if not named.is_file():
        raise _missing(f"no file `{path}`", f"`{show(named, roots[0])}`", _similar(named, (named.suffix,)))
    if is_notebook(named):
        raise _missing(f"`{path}`, a notebook", "a plain file", "Make the task a `notebook_task`.")
    return named


def _inside(path: str, folder: Path, roots: Sequence[Path], what: str) -> Path:
    """The absolute path of *path*, which must be inside one of *roots*.

    An absolute path, or one with a scheme, names something in a workspace, unless it is that of one of the bundle's own
    files on this machine (see `local_files`).
    """
    named = (folder / path).resolve()
    is_inside = any(named.is_relative_to(root.resolve()) for root in roots)
    if ":/" in path or (path.startswith("/") and not is_inside):
        found, expected = f"the {what} `{path}` of a workspace", f"a {what} of the bundle"
        action = f"Put the {what} into the bundle, and name it by a path relative to this file."
        raise FindingError(Finding(Where(), "elsewhere", found, expected, action))
    if not is_inside:
        expected = f"a {what} inside it, or inside a folder of `sync.paths`"
        raise _missing(f"`{path}`, which is outside of the bundle", expected, "Move it into the bundle.")
    return named


def _with_extension(path: str, files: Sequence[Path]) -> FindingError:
    """The error for a *path* without the extension that it needs: the CLI adds none, so deploying it would fail."""
    names = " or ".join(f"`{path}{file.suffix}`" for file in files)
    return _missing(f"no notebook `{path}`", f"{names}, with its extension", "Add the extension.")


def _similar(named: Path, suffixes: Sequence[str]) -> str:
    """What to do about *named*, which does not exist: it suggests a file with a similar name and one of *suffixes*."""
    there = named.parent.iterdir() if named.parent.is_dir() else ()
    files = {each.stem: each.name for each in there if each.suffix in suffixes}  # the suffix makes no name similar
    near = near_name(named.stem, files)
    return f"Did you mean `{files[near]}`?" if near else "Correct the path."


def _missing(found: str, expected: str, action: str) -> FindingError:
    return FindingError(Finding(Where(), "missing-file", found, expected, action))
