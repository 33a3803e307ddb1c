"""Finding the file that a `notebook_path` names.

Source: Databricks CLI 1.13: paths are relative to the file that defines them and must stay inside the bundle; a
local notebook must be JSON with `cells`, `metadata` and nbformat >= 4.
"""

import json
from pathlib import Path


def find_notebook(path: str, folder: Path, root: Path) -> Path:
    """The notebook *path*, written in a file of *folder*, with or without its extension.

    Raises:
        LookupError: it is missing, outside of the bundle at *root*, or no Jupyter notebook; the text says which.
    """
    if path.startswith("/"):
        raise LookupError(
            f"found the workspace path `{path}`; expected a path relative to this file. "
            "Put the notebook into the bundle."
        )
    named = (folder / path).resolve()
    if not named.is_relative_to(root.resolve()):
        raise LookupError(f"found `{path}`, outside of the bundle; expected a notebook inside it.")
    for file in (named, named.with_name(named.name + ".ipynb")):
        if file.is_file():
            _check(file, path)
            return file
    shown = named.relative_to(root.resolve()).as_posix()
    raise LookupError(f"found no notebook `{path}` (`{shown}`, with or without `.ipynb`). Correct the path.")


def _check(file: Path, path: str) -> None:
    if file.suffix != ".ipynb":
        raise LookupError(f"found `{path}`; expected a Jupyter notebook (.ipynb). Export it as .ipynb.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LookupError(f"found `{path}`, which is not JSON ({error}). Restore the notebook.") from error
    if not isinstance(content, dict) or not {"cells", "metadata", "nbformat"} <= content.keys():
        raise LookupError(f"found `{path}` without cells, metadata or nbformat; expected a notebook of nbformat 4.")
    if content["nbformat"] < 4:
        raise LookupError(f"found `{path}` of nbformat {content['nbformat']}; expected 4. Save it again in Jupyter.")
