"""Tasks that are no notebooks, as generated notebooks: so they run isolated, log and are recorded as notebooks are.

| task                      | its notebook                                                                       |
| ------------------------- | ---------------------------------------------------------------------------------- |
| `spark_python_task`       | installs the libraries, runs the file with the parameters as `sys.argv[1:]`        |
| `python_wheel_task`       | installs the wheel, calls the entry point with the parameters as `sys.argv[1:]`    |
| `sql_task` with a `file`  | one cell for each statement; `:name`, `{{name}}` are the parameters, as literals   |

Source: Jobs API 2.2, `SparkPythonTask`, `PythonWheelTask`, `SqlTaskFile`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lakelocal.errors import RunError
from lakelocal.jobs.libraries import installs_of
from lakelocal.lakeflow.model import Bundle, Task
from lakelocal.sources import write_notebook
from lakelocal.sources.headings import PLACE
from lakelocal.sources.read import code_cell, markdown_cell, notebook_of
from lakelocal.sql.cells import split_statements
from lakelocal.sql.tokens import STRING, tokenize
from lakelocal.sql.writing import escaped

Parameters = Sequence[str] | Mapping[str, str]
Cells = Iterator[dict[str, Any]]
_MUSTACHE = re.compile(r"\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}")


class TaskNotebook(NamedTuple):
    """A generated notebook, and the folder in which its code runs."""

    notebook: Path
    folder: Path


def write_task_notebook(task: Task, parameters: Parameters, place: Path, *, bundle: Bundle) -> TaskNotebook:
    """Write the notebook that runs *task* to *place*, an `.ipynb` in the folder of the run.

    Args:
        task: of one of the kinds in `KINDS`.
        parameters: resolved values: a list, or a mapping (an SQL file's, a wheel's named ones).
        place: where the notebook goes; its folder exists.
        bundle: whose task it is.

    Returns:
        The notebook, and where it is to run: the folder of the task's file; of a wheel an empty folder of its own.

    Raises:
        RunError: a wheel is missing, or an SQL file names a parameter that the task does not have.
    """
    cells = KINDS[task.kind](task, parameters, bundle)
    folder = task.file.parent if task.file else place.with_suffix(".folder")
    folder.mkdir(exist_ok=True)
    return TaskNotebook(write_notebook(notebook_of(list(cells)), place), folder)


def _python_file(task: Task, parameters: Parameters, bundle: Bundle) -> Cells:
    assert task.file is not None, "checked when the bundle was read"
    yield markdown_cell(f"# {task.file.name}")
    yield from _installs(task, bundle)
    yield code_cell(
        "from lakelocal.kernel.programs import run_script\n\n"
        f"run_script({str(task.file)!r}, {command_line(parameters)!r})"
    )


def _wheel(task: Task, parameters: Parameters, bundle: Bundle) -> Cells:
    settings = task.settings[task.kind]
    package, entry_point = str(settings["package_name"]), str(settings["entry_point"])
    yield markdown_cell(f"# {package}: {entry_point}")
    yield from _installs(task, bundle)
    yield code_cell(
        "from lakelocal.kernel.programs import run_entry_point\n\n"
        f"run_entry_point({package!r}, {entry_point!r}, {command_line(parameters)!r})"
    )


def _sql_file(task: Task, parameters: Parameters, bundle: Bundle) -> Cells:
    assert task.file is not None, "checked when the bundle was read"
    values = parameters if isinstance(parameters, Mapping) else {}
    text = task.file.read_text(encoding="utf-8-sig")
    yield markdown_cell(f"# {task.file.name}")
    position = 0
    for statement in split_statements(text):
        position = text.index(statement.text, position)
        line = text.count("\n", 0, position) + 1
        position += len(statement.text)
        place = {PLACE: {"file": task.file.name, "line": line}}
        yield code_cell(f"%sql\n{_filled(statement.text, values, task)}", **place)


KINDS: Mapping[str, Callable[[Task, Parameters, Bundle], Cells]] = {
    "spark_python_task": _python_file,
    "python_wheel_task": _wheel,
    "sql_task": _sql_file,
}


def command_line(parameters: Parameters) -> list[str]:
    """*parameters* as the words of a command line: a list as it is, named ones as `--name=value`."""
    if isinstance(parameters, Mapping):
        return [f"--{name}={value}" for name, value in parameters.items()]
    return [str(word) for word in parameters]


def _installs(task: Task, bundle: Bundle) -> Cells:
    for install in installs_of(task, bundle):
        if install.note:
            yield markdown_cell(install.note)
        yield code_cell(f"%pip install {install.arguments}")


def _filled(text: str, values: Mapping[str, str], task: Task) -> str:
    """*text* with each `{{name}}` as the parameter's value: a string literal, inside of a string plain text.

    Those in comments stay. Source: Databricks' bundle template `default_sql` (`USE IDENTIFIER({{schema}})`).
    """
    tokens = tokenize(text) or ()
    code = {token.start for token in tokens if token.word == "{"}
    strings = [(token.start, token.end) for token in tokens if token.kind == STRING]

    def value(found: re.Match[str]) -> str:
        in_string = any(start < found.start() < end for start, end in strings)
        if found.start() not in code and not in_string:
            return found[0]
        if found[1] not in values:
            known = ", ".join(f"`{name}`" for name in values) or "none"
            file = task.file.name if task.file else ""
            raise RunError(
                f"`{task.where}`: task `{task.key}`: `{file}` holds `{found[0]}`; the task's parameters are "
                f"{known}. Add it to the parameters of the task or of the job."
            )
        plain = escaped(values[found[1]])
        return plain if in_string else f"'{plain}'"

    return _MUSTACHE.sub(value, text)
