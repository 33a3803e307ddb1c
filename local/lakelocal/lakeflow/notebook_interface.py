"""The interface of a notebook: its parameters and its task values, read from its cells without running them.

| in a cell                                                           | what is known of `day`                      |
| ------------------------------------------------------------------- | ------------------------------------------- |
| `day = ""` in the cell tagged `parameters`                          | it has a default                            |
| `dbutils.widgets.text("day", "")`, SQL `CREATE WIDGET TEXT day ...` | it has a default                            |
| `dbutils.widgets.get("day")`, `getArgument("day")`                  | it is needed: without it the notebook fails |
| SQL `:day`, `getArgument('day')`                                    | it is needed                                |
| `getArgument("day", "")`, any of them inside `try`, SQL `${day}`    | it is taken, and not needed                 |
| `dbutils.widgets.getAll()`, `dbutils.widgets.get(name)`             | any parameter may be taken                  |
| `dbutils.jobs.taskValues.set("day", ...)`                           | it is a task value that the notebook sets   |

What cannot be read is not guessed: a notebook is *opaque* if it passes `dbutils` on, runs another notebook with `%run`,
or has a cell that is not read here, such as one in Scala.

Source: Databricks documentation, "Databricks widgets", "Parameter markers" (UNBOUND_SQL_PARAMETER if no value is
given) and "Use task values to pass information between tasks".
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lakelocal.errors import DialectError
from lakelocal.lakeflow.findings import Finding, Where, show
from lakelocal.sources import lines_of, read_notebook
from lakelocal.sql.cells import split_statements, sql_of
from lakelocal.sql.widgets import widget_statement

_DECLARING = frozenset({"text", "dropdown", "combobox", "multiselect"})
_READING = frozenset({"get", "getArgument"})
_MAGIC = re.compile(r"(?P<indent>\s*)(?P<percent>%%?)(?P<name>[A-Za-z][\w-]*)[^\S\n]*(?P<rest>.*)")
# With a single `%` too, these apply to a whole cell on Databricks; with two, any magic does.
_OF_CELLS = frozenset({"sql", "md", "md-sandbox", "sh", "python", "scala", "r", "skip"})
_RUNNING_PYTHON = frozenset({"python", "time", "timeit", "capture"})
_LEAVING_WIDGETS_ALONE = frozenset({
    *("md", "md-sandbox", "pip", "conda", "sh", "fs", "env", "config", "matplotlib", "load_ext", "autoreload"),
    *("restart_python", "skip", "set_cell_max_output_size_in_mb"),
})  # fmt: skip


@dataclass(frozen=True)
class NotebookInterface:
    """The parameters of a notebook, and the task values that it sets.

    *defaults* are the literals of its parameters cell, *declares* the widgets that it creates. *reads* are the
    parameters that it reads, *requires* those of them that it reads without a default. *reads_any*, *sets_any*: some
    names are only known when it runs.
    """

    defaults: Mapping[str, Any]
    declares: frozenset[str]
    reads: frozenset[str]
    requires: frozenset[str]
    reads_any: bool
    sets: frozenset[str]
    sets_any: bool
    opaque: bool

    @property
    def names(self) -> list[str]:
        """The parameters that it is known to take, in alphabetical order."""
        return sorted({*self.defaults, *self.declares, *self.reads})

    @property
    def needs(self) -> frozenset[str]:
        """The parameters without which it fails; none if it is opaque, because they may be declared elsewhere."""
        return frozenset() if self.opaque else self.requires - self.declares - self.defaults.keys()

    def takes(self, name: str) -> bool:
        """Does it take the parameter *name*, as far as can be seen? A parameters cell names all parameters."""
        return self.reads_any or (self.opaque and not self.defaults) or name in self.names


def parameters_not_taken(parameters: Iterable[str], notebook: Path, root: Path) -> Iterator[Finding]:
    """Those of a notebook task's own *parameters* that *notebook*, in the bundle below *root*, does not take.

    The findings have the path in the task, but not its place.
    """
    interface = read_interface(notebook)
    legal = ", ".join(f"`{name}`" for name in interface.names) or "none"
    for name in (name for name in parameters if not interface.takes(name)):
        where = Where(path=("notebook_task", "base_parameters", name))
        expected = f"one that `{show(notebook, root)}` takes: {legal}"
        action = "Remove it, or read it in the notebook."
        yield Finding(where, "parameter-not-taken", f"the parameter `{name}`", expected, action)


def read_interface(notebook: Path) -> NotebookInterface:
    """The interface of *notebook*: Jupyter or Databricks source.

    Raises:
        NotebookError: *notebook* is not a notebook in Python or SQL.
    """
    return _read(notebook, notebook.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _read(notebook: Path, changed: int) -> NotebookInterface:
    """The interface of *notebook*, last modified at *changed*."""
    found = _Found()
    for cell in read_notebook(notebook)["cells"]:
        if cell["cell_type"] == "code":
            found.read_cell(cell["source"], tagged="parameters" in cell.get("metadata", {}).get("tags", []))
    return NotebookInterface(
        found.defaults,
        frozenset(found.declares),
        frozenset(found.reads),
        frozenset(found.requires),
        found.reads_any,
        frozenset(found.sets),
        found.sets_any,
        found.opaque,
    )


@dataclass
class _Found:
    """What has been found in the cells so far; the fields are those of `NotebookInterface`."""

    defaults: dict[str, Any] = field(default_factory=dict)
    declares: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    requires: set[str] = field(default_factory=set)
    reads_any: bool = False
    sets: set[str] = field(default_factory=set)
    sets_any: bool = False
    opaque: bool = False

    def read_cell(self, source: str, *, tagged: bool) -> None:
        sql = sql_of(source)
        if sql is not None:
            self._read_sql(sql)
            return
        python = self._python_of(source)
        try:
            tree = ast.parse(python)
        except SyntaxError:
            self.opaque = True  # shell syntax of IPython, or a cell that fails when it runs
            return
        if tagged:
            self.defaults.update(_assignments(tree))
        _PythonReader(self).visit(tree)

    def _read_sql(self, text: str) -> None:
        for statement in split_statements(text):
            markers = {marker.name for marker in statement.markers}
            self.requires |= markers
            self.reads |= markers | {marker.name for marker in statement.legacy}
            try:
                widget = widget_statement(statement.text)
            except DialectError:
                continue  # a malformed statement: it fails when it runs, and then says why
            if widget is not None and widget.kind != "REMOVE":
                self.declares.add(widget.name)

    def _python_of(self, source: str) -> str:
        """The Python of a cell, without its magics; empty if the whole cell is something else."""
        head, _, below = source.lstrip().partition("\n")
        magic = _MAGIC.match(head)
        if magic is None or (magic["percent"] == "%" and magic["name"] not in _OF_CELLS):
            return "\n".join(map(self._python_line, lines_of(source)))
        if magic["name"] not in _RUNNING_PYTHON:
            self.opaque |= magic["name"] not in _LEAVING_WIDGETS_ALONE
            return ""
        first = magic["rest"] if magic["percent"] == "%" else ""
        return "\n".join(map(self._python_line, [first, *lines_of(below)]))

    def _python_line(self, line: str) -> str:
        """A line as Python; for a magic, the statement that it runs."""
        if line.lstrip().startswith("!"):
            return ""
        magic = _MAGIC.match(line)
        if magic is None:
            return line
        if magic["name"] in _RUNNING_PYTHON:
            return f"{magic['indent']}{magic['rest']}"
        self.opaque |= magic["name"] not in _LEAVING_WIDGETS_ALONE
        return ""


class _PythonReader(ast.NodeVisitor):
    """Adds to *found* what the Python of one cell does with `dbutils`."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._tried = 0

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        self._tried += 1  # the notebook is prepared for a missing widget
        for statement in node.body:
            self.visit(statement)
        self._tried -= 1
        for each in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(each)

    visit_TryStar = visit_Try

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=ast.Attribute(value=owner, attr="widgets"), attr=method):
                ours = isinstance(owner, ast.Name) and owner.id == "dbutils"
                self._widget(method, node, may_fail=ours)
            case ast.Name(id="getArgument"):
                self._widget("getArgument", node, may_fail=True)
            case ast.Attribute(attr="set") if _dotted(node.func) == ["dbutils", "jobs", "taskValues", "set"]:
                self._task_value(node)
        if _dotted(node.func)[:1] != ["dbutils"]:
            self.visit(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "dbutils" and isinstance(node.ctx, ast.Load):
            self._found.opaque = True  # passed on, or a part of it under another name

    def _widget(self, method: str, call: ast.Call, *, may_fail: bool) -> None:
        """Read a call of a method of widgets; *may_fail* if it is surely Databricks' own."""
        if method == "getAll":
            self._found.reads_any = True
        if method not in _DECLARING | _READING:
            return
        name = _text(_argument(call, 0, "name"))
        if name is None:
            self._found.reads_any = True
        elif method in _DECLARING:
            self._found.declares.add(name)
        else:
            self._found.reads.add(name)
            if may_fail and not self._tried and _argument(call, 1, "defaultValue") is None:
                self._found.requires.add(name)

    def _task_value(self, call: ast.Call) -> None:
        key = _text(_argument(call, 0, "key"))
        if key is None:
            self._found.sets_any = True
        else:
            self._found.sets.add(key)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """The names that *tree* assigns at the top level, each with its value; None for a value that is not a literal."""
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                try:
                    yield target.id, ast.literal_eval(value)
                except ValueError:
                    yield target.id, None


def _dotted(node: ast.expr) -> list[str]:
    """`a.b.c` as its parts; empty for anything else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return [*owner, node.attr] if owner else []
    return []


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """The argument at *position*, or named *name*; None if it is not given."""
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _text(node: ast.expr | None) -> str | None:
    """The text of a string literal; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
