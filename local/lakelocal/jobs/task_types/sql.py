"""`sql_task` with a file: one cell per statement, with `:name` and `{{name}}` replaced by parameters as literals."""

import re
from collections.abc import Mapping

from lakelocal.errors import RunError
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import Cells, Parameters, run_cells
from lakelocal.lakeflow.model import Bundle, Task
from lakelocal.lakeflow.parameters import notebook_parameters
from lakelocal.sources.headings import PLACE
from lakelocal.sources.read import code_cell, markdown_cell
from lakelocal.sql.cells import split_statements
from lakelocal.sql.tokens import QUOTED, STRING, tokenize
from lakelocal.sql.writing import escaped, quoted

_MUSTACHE = re.compile(r"\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}")


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the statements and keep the rows of the last one for references."""
    own = attempt.resolved(attempt.task.parameters, "parameters")
    parameters = notebook_parameters(dict(own), attempt.run.parameters)
    rows = attempt.places.values / f"{attempt.name}.rows.json"
    made = cells(attempt.task, parameters, attempt.owner.engine.bundle)
    return run_cells(attempt, stop, made, parameters, widgets=parameters, rows_file=str(rows))


def cells(task: Task, parameters: Parameters, bundle: Bundle) -> Cells:
    """One cell per statement of the task's file, each marked with its place in the file.

    Raises:
        RunError: the file refers to a parameter that the task does not have.
    """
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


def _filled(text: str, values: Mapping[str, str], task: Task) -> str:
    """*text* with each `{{name}}` replaced by the parameter's value: a string literal, or plain text inside quotes.

    Those in comments are kept. Source: Databricks' bundle template `default_sql` (``USE CATALOG `{{catalog}}` ``,
    `USE IDENTIFIER({{schema}})`).
    """
    tokens = tokenize(text) or ()
    code = {token.start for token in tokens if token.word == "{"}
    quotes = [(token.start, token.end, token.kind) for token in tokens if token.kind in (STRING, QUOTED)]

    def value(found: re.Match[str]) -> str:
        inside = next((kind for start, end, kind in quotes if start < found.start() < end), None)
        if found.start() not in code and inside is None:
            return found[0]
        if found[1] not in values:
            known = ", ".join(f"`{name}`" for name in values) or "none"
            file = task.file.name if task.file else ""
            raise RunError(
                f"`{task.where}`: task `{task.key}`: `{file}` holds `{found[0]}`; the task's parameters are "
                f"{known}. Add it to the parameters of the task or of the job."
            )
        if inside == QUOTED:
            return quoted(values[found[1]])[1:-1]
        plain = escaped(values[found[1]])
        return plain if inside else f"'{plain}'"

    return _MUSTACHE.sub(value, text)
