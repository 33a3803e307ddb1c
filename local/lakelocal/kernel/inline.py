"""`%run ./other $name="value"`: another notebook's cells, in the namespace of this one."""

from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.errors import DialectError, RunError
from lakelocal.kernel.dbutils import DBUtils
from lakelocal.kernel.dbutils.notebook import find_notebook
from lakelocal.sources import is_notebook, place_of, read_notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from lakelocal.kernel.kernel import Kernel


def run_inline(kernel: "Kernel", words: list[str]) -> None:
    """Run the cells of a notebook here; arguments are its widgets while it runs.

    A relative path starts at the notebook that holds the `%run`, also inside a notebook run this way.

    Args:
        words: the path, then `$name=value` for each argument.

    Raises:
        DialectError: no path, or an argument that is none.
        RunError: a cell failed; its own error is shown before.
    """
    if not words:
        raise DialectError('`%run`: found no path; expected `%run ./notebook $name="value"`.')
    notebook = find_notebook(words[0], _folder(kernel))
    if len(kernel.inline_folders) >= 20:
        raise RunError(f"`%run {words[0]}`: 20 notebooks run each other; expected an end. Look for a circle.")
    with kernel.one(DBUtils).widgets.overlaid(_arguments(words)):
        kernel.inline_folders.append(notebook.parent)
        try:
            _run_cells(kernel.ip, notebook)
        finally:
            kernel.inline_folders.pop()


def is_script(kernel: "Kernel", path: str) -> bool:
    """Is *path* a plain Python file, which IPython's own `%run` runs, and no notebook?"""
    file = _folder(kernel) / path
    return path.endswith(".ipy") or (path.endswith(".py") and file.is_file() and not is_notebook(file))


def _folder(kernel: "Kernel") -> Path:
    """The folder of the notebook that holds the `%run`."""
    return kernel.inline_folders[-1] if kernel.inline_folders else kernel.one(DBUtils).notebook.folder


def _run_cells(ip: "InteractiveShell", notebook: Path) -> None:
    for number, cell in enumerate(read_notebook(notebook)["cells"], start=1):
        if cell["cell_type"] != "code" or not cell["source"].strip():
            continue
        result = ip.run_cell(cell["source"], store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, SystemExit):
            raise error
        if error is not None:
            place = ", ".join(text for text in (f"cell {number}", place_of(cell)) if text)
            raise RunError(f"`%run {notebook.name}`: {place} failed: {type(error).__name__}: {error}") from None


def _arguments(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not name.startswith("$") or not equals or len(name) < 2:
            raise DialectError(f'`%run {words[0]}`: found `{word}`; expected arguments as `$name="value"`.')
        found[name[1:]] = value
    return found
