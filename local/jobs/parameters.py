"""Which parameters a run, a task and a child job get, and which of them a notebook takes.

Order, the stronger first: `--param` over the job's default; a job parameter over a task's parameter of the same
name; what is left is the notebook's own default. Values are always text. Job parameters are pushed down to every
notebook and child job. Source: Databricks documentation, "Parameterize jobs".
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bundle.documents import show
from local.bundle.model import Bundle, Job, Task
from local.errors import UsageError
from local.kernel.sql_cells import sql_of
from local.kernel.sql_widgets import widget_names
from local.sources import read_notebook

_DECLARES = frozenset({"text", "dropdown", "combobox", "multiselect", "get", "getArgument"})


@dataclass(frozen=True)
class NotebookParameters:
    """What a notebook takes: *defaults* of its parameters cell (literals), and *widgets* that it names.

    *anything* is true where it reads all widgets (`getAll`), so that any parameter may be taken.
    """

    defaults: Mapping[str, Any]
    widgets: frozenset[str]
    anything: bool = False

    def takes(self, name: str) -> bool:
        """Does the notebook read the parameter *name*?"""
        return self.anything or name in self.defaults or name in self.widgets

    @property
    def names(self) -> list[str]:
        return sorted({*self.defaults, *self.widgets})


def job_parameters(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a run that a person starts.

    Raises:
        UsageError: *given* has a name that the job does not declare; the message lists the legal ones.
    """
    if unknown := [name for name in given if name not in job.parameters]:
        legal = ", ".join(f"`{name}`" for name in job.parameters) or "none"
        raise UsageError(
            f"--param: job `{job.key}`: found `{unknown[0]}`; its parameters are {legal}. Name one of them."
        )
    return {**job.parameters, **given}


def child_parameters(child: Job, task_parameters: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a run that a run-job task starts: its defaults, the task's, and the parent's on top.

    The parent's parameters are pushed down also where the child does not declare them.
    """
    return {**child.parameters, **task_parameters, **parent}


def notebook_parameters(task_parameters: Mapping[str, str], job: Mapping[str, str]) -> dict[str, str]:
    """What `dbutils.widgets` holds in a notebook task: the task's own, the job's on top."""
    return {**task_parameters, **job}


def check_task_parameters(bundle: Bundle, task: Task) -> str | None:
    """What is wrong with the task's own parameters, or None: names that its notebook does not take."""
    if task.kind != "notebook_task" or task.notebook is None or not task.parameters:
        return None
    taken = read_notebook_parameters(task.notebook)
    unknown = [name for name in task.parameters if not taken.takes(name)]
    if not unknown:
        return None
    found = ", ".join(f"`{name}`" for name in unknown)
    legal = ", ".join(f"`{name}`" for name in taken.names) or "none"
    name = show(task.notebook, bundle.root)
    return f"`{task.where}`: task `{task.key}`: found base_parameters {found}; `{name}` takes {legal}"


def injected(parameters: Mapping[str, str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that go into the executed notebook: those its parameters cell declares, in its types."""
    return {name: _typed(parameters[name], default) for name, default in defaults.items() if name in parameters}


def read_notebook_parameters(notebook: Path) -> NotebookParameters:
    """The names that *notebook* takes, read from its cells without running them."""
    defaults: dict[str, Any] = {}
    widgets: set[str] = set()
    anything = False
    for cell in read_notebook(notebook)["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = _parsed(cell["source"])
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            defaults.update(_assignments(tree))
        for name in (*_widget_names(tree), *_sql_names(cell["source"])):
            if name is None:
                anything = True
            else:
                widgets.add(name)
    return NotebookParameters(defaults, frozenset(widgets), anything)


def _sql_names(source: str) -> Iterator[str]:
    """The widgets that an SQL cell reads or makes."""
    text = sql_of(source)
    return iter(()) if text is None else widget_names(text)


def _typed(text: str, default: Any) -> Any:
    """*text* in the type of *default*; as it is, where it does not fit: the notebook then says so."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}.get(text.lower(), text)
        if isinstance(default, (int, float)):
            return type(default)(text)
    except ValueError:
        return text
    return text


def _parsed(source: str) -> ast.Module:
    """The Python of a cell; an empty module for a cell in another language."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return ast.Module([], [])


def _assignments(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                try:
                    yield target.id, ast.literal_eval(value)
                except ValueError:
                    yield target.id, None


def _widget_names(tree: ast.Module) -> Iterator[str | None]:
    """The first argument of `dbutils.widgets.<method>(...)`; None for `getAll`, or a name that is computed."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        owner = call.func.value
        if not (isinstance(owner, ast.Attribute) and owner.attr == "widgets"):
            continue
        if call.func.attr == "getAll":
            yield None
        elif call.func.attr in _DECLARES:
            named = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "name"), None)
            yield named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else None
