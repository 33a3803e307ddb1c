"""Keeps notebooks that are source files from being imported: `import delta` does not find the notebook `delta.py`.

In a workspace, a notebook has no extension, so that a module of the same name elsewhere on the path is found, or the
import fails. Source: Databricks documentation, "Import Python modules from workspace files": notebooks are not
imported.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from lakelocal.sources.find import is_notebook


class NotebooksAreNotModules(MetaPathFinder):
    """Ignores the notebooks below *root* when Python looks for a module."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._known: dict[str, bool] = {}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module that Python would find if there were no notebooks; None if no notebook has this name.

        Raises:
            ModuleNotFoundError: only a notebook has this name.
        """
        if path is not None:  # a submodule of a package
            return None
        notebooks = [entry for entry in sys.path if self._is_notebook(entry, f"{name}.py")]
        if not notebooks:
            return None
        found = PathFinder.find_spec(name, [entry for entry in sys.path if entry not in notebooks], target)
        if found is None:
            raise ModuleNotFoundError(
                f"No module named '{name}': `{name}.py` is a notebook, and notebooks are not imported. Use "
                f"`%run ./{name}`, or remove its first line, which makes it a notebook.",
                name=name,
            )
        return found

    def _is_notebook(self, folder: str, name: str) -> bool:
        place = Path(folder, name)
        return self._has_notebooks(os.path.abspath(folder)) and place.is_file() and is_notebook(place)

    def _has_notebooks(self, folder: str) -> bool:
        """Is *folder* below the root? The answers are kept, since each import asks for all folders of the path."""
        if folder not in self._known:
            self._known[folder] = Path(folder).resolve().is_relative_to(self._root)
        return self._known[folder]
