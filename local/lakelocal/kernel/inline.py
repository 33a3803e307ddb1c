"""`%run ./other $name="value"`: runs the cells of another notebook in the namespace of this one.

Source: Databricks documentation, "Databricks widgets" ("Use Databricks widgets with %run") and "Legacy notebook
widgets: ${param}", in which `$name` and `${name}` stand for the value of a widget, and `\\$` for `$`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.errors import DialectError, RunError
from lakelocal.kernel.dbutils import DBUtils
from lakelocal.kernel.dbutils.notebook import find_notebook, to_local_path
from lakelocal.sources import is_notebook, place_of, read_notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from lakelocal.kernel.kernel import Kernel

_QUOTED = r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"""
_PATH = re.compile(rf"({_QUOTED}|[^\s$]\S*)(?:\s+|$)")
_ARGUMENT = re.compile(rf"\$([\w.-]+)\s*=\s*({_QUOTED}|[^\s\"']\S*)(?:\s+|$)")
_WIDGET = re.compile(r"\\\$|\$\{([^{}]+)\}|\$([A-Za-z_]\w*)")


def run_inline(kernel: "Kernel", line: str) -> None:
    """Run the cells of the notebook that *line* names; its arguments are widgets while it runs.

    A relative path starts at the notebook that contains the `%run`, even in a notebook that is itself run this way.

    Args:
        line: The path, then `$name=value` for each argument; a value may name widgets of the caller, as in
            `$name=$mode`.

    Raises:
        DialectError: there is no path, an argument is malformed, or a widget does not exist.
        RunError: a cell failed; its own error has been shown.
    """
    widgets = kernel.part(DBUtils).widgets
    path, arguments = parse_call(line, widgets.getAll())
    notebook = find_notebook(to_local_path(kernel, path), _folder(kernel))
    if len(kernel.inline_folders) >= 20:
        raise RunError(f"`%run {path}`: found 20 notebooks that run each other; expected fewer. Look for a cycle.")
    with widgets.overlaid(arguments):
        kernel.inline_folders.append(notebook.parent)
        try:
            _run_cells(kernel.ip, notebook)
        finally:
            kernel.inline_folders.pop()


def parse_call(line: str, widgets: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The path and the arguments of `%run line`, in a notebook that has *widgets*.

    Raises:
        DialectError: there is no path, an argument is malformed, or a widget does not exist.
    """
    line = line.strip()
    if (found := _PATH.match(line)) is None:
        raise DialectError(f'`%run {line}`: found no path; expected `%run ./notebook $name="value"`.')
    path, place = _unquoted(found[1]), found.end()
    arguments: dict[str, str] = {}
    while place < len(line):
        if (found := _ARGUMENT.match(line, place)) is None:
            raise DialectError(
                f'`%run {path}`: found `{line[place:]}`; expected arguments such as `$name="value"`, and quotes around '
                "a path with spaces."
            )
        name, written = found.groups()
        arguments[name] = _filled(_unquoted(written), widgets, f"`%run {path}`, argument `{name}`")
        place = found.end()
    return path, arguments


def _unquoted(text: str) -> str:
    if text[:1] not in ("'", '"'):
        return text
    return re.sub(r"\\([\\\"'])", r"\1", text[1:-1])


def _filled(value: str, widgets: Mapping[str, str], where: str) -> str:
    """*value* with the widgets in it replaced; in a longer text, a `$name` that is not a widget stays as it is."""
    whole = _WIDGET.fullmatch(value)
    if whole and (name := whole[1] or whole[2]) and name not in widgets:
        known = ", ".join(f"`{each}`" for each in sorted(widgets)) or "none"
        raise DialectError(
            f"{where}: found `{value}`, but this notebook has no widget `{name}`; its widgets: {known}. "
            "`%run` passes no Python variables, neither here nor on Databricks. Create the widget first: "
            f'dbutils.widgets.text("{name}", ...).'
        )

    def one(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return "$" if name is None else widgets.get(name, found[0])

    return _WIDGET.sub(one, value)


def is_script(kernel: "Kernel", path: str) -> bool:
    """Is *path* a plain Python file, which IPython's own `%run` runs, and not a notebook?"""
    file = _folder(kernel) / path
    return path.endswith(".ipy") or (path.endswith(".py") and file.is_file() and not is_notebook(file))


def _folder(kernel: "Kernel") -> Path:
    """The folder of the notebook that contains the `%run`."""
    return kernel.inline_folders[-1] if kernel.inline_folders else kernel.part(DBUtils).notebook.folder


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
