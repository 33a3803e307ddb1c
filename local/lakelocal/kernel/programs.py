"""Programs that a task runs instead of a notebook: a Python file, or the entry point of a package.

The notebooks that `lakelocal.jobs.task_types` generates call these functions. A program may end as a process does: with
a `SystemExit` of None or 0 it has succeeded, with any other it has failed.

Source: Jobs API 2.2, `PythonWheelTask.entry_point`; Databricks CLI 1.13, `bundle/trampoline/python_wheel.go` (a wheel's
first argument is the package's name).
"""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

from lakelocal.errors import RunError
from lakelocal.kernel.failures import OUTPUT_IS_ABOVE
from lakelocal.kernel.kernel import current_kernel


def run_script(file: str, arguments: list[str]) -> None:
    """Run the Python file *file* with *arguments* as its `sys.argv[1:]`, in the namespace of the notebook.

    `__name__` is `__main__`, and `__file__` is the file; `spark`, `dbutils` and `display` exist as in a notebook.

    Raises:
        RunError: the program ended with an exit code other than 0.
    """
    __tracebackhide__ = True
    text = Path(file).read_text(encoding="utf-8-sig")
    program = compile(text, file, "exec", dont_inherit=True)
    names = current_kernel().namespace_for(text)
    names["__file__"] = file
    _run(partial(exec, program, names), Path(file).name, [file, *arguments])


def run_entry_point(package: str, entry_point: str, arguments: list[str]) -> None:
    """Call the entry point *entry_point* of the installed *package*, or else the function with that name in it.

    Raises:
        RunError: there is neither, or the program ended with an exit code other than 0.
    """
    __tracebackhide__ = True
    _run(_entry_point(package, entry_point), f"{package}: {entry_point}", [package, *arguments])


def _run(program: Callable[[], object], name: str, arguments: list[str]) -> None:
    __tracebackhide__ = True
    sys.argv = arguments
    try:
        program()
    except SystemExit as end:
        if isinstance(end.code, str) and end.code:  # Python would print it, and exit with 1
            raise RunError(f"`{name}`: ended by sys.exit: {end.code}") from None
        if end.code not in (None, 0):
            raise RunError(
                f"`{name}`: ended with the exit code {end.code!r}; expected 0 or none. {OUTPUT_IS_ABOVE}"
            ) from None


def _entry_point(package: str, name: str) -> Callable[[], object]:
    try:
        known = list(metadata.distribution(package).entry_points)
    except metadata.PackageNotFoundError:
        known = None
    for found in known or ():
        if found.name == name:
            program: Callable[[], object] = found.load()
            return program
    module = package.replace("-", "_")
    try:
        function: Callable[[], object] | None = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise  # the package exists, but something that it imports does not
        if known is None:
            raise RunError(_absent(package)) from None
        function = None
    if callable(function):
        return function
    names = ", ".join(f"`{each.name}`" for each in known or ()) or "none"
    raise RunError(
        f"`{package}`: found no entry point `{name}` (its entry points: {names}) and no function `{module}.{name}`. "
        f"Add it to `[project.scripts]` of pyproject.toml, or to `entry_points` of setup.py, and build the wheel again."
    )


def _absent(package: str) -> str:
    """The message for a *package* that no library of the task contains."""
    context = current_kernel().context
    asked = [cell.rpartition("%pip install ")[2] for cell in context.installs] if context else []
    named = f"the libraries of the task are {', '.join(f'`{each}`' for each in asked)}" if asked else "it has none"
    return (
        f"`{package}`: found no such package; expected it in a library of the task ({named}). Add its wheel to the "
        "task's `libraries`, or to the dependencies of its environment; nothing from a Docker image is available here."
    )
