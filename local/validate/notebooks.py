"""What a notebook does with parameters and task values, read from its cells without running them.

What cannot be read is not guessed: a notebook is *opaque* where it hands `dbutils` on, runs another notebook with
`%run`, or holds a cell in a language that is not read here. Rules then find nothing.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from local import sources
from local.errors import LocalError

_DECLARING = frozenset({"text", "dropdown", "combobox", "multiselect"})
_READING = frozenset({"get", "getArgument"})
_CREATE_WIDGET = re.compile(r"\bCREATE\s+WIDGET\s+(?:TEXT|DROPDOWN|COMBOBOX|MULTISELECT)\s+`?([\w.-]+)`?", re.I)
_SQL_PARAMETER = re.compile(r"(?<![:\w])[:$]\{?`?(\w+)")
# Magics that leave widgets and task values alone.
_HARMLESS = frozenset({"md", "md-sandbox", "pip", "sh", "fs", "time", "timeit", "matplotlib", "config", "env", "conda"})


@dataclass
class Notebook:
    """*declares*: widgets with a default; *needs*: widgets that are read; *mentions*: parameters in SQL cells.

    *sets* are the keys of its task values; *sets_computed*: some keys are known only when it runs.
    """

    declares: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    sets_computed: bool = False
    opaque: bool = False


def read_notebook(file: Path) -> Notebook:
    """The notebook *file*: Jupyter or Databricks source; opaque where it cannot be read."""
    return _read(file, file.stat().st_mtime_ns)


@cache
def _read(file: Path, changed: int) -> Notebook:
    """The notebook as it was *changed* last."""
    found = Notebook()
    for source in _cells(file):
        _read_cell(source, found)
    return found


def _cells(file: Path) -> Iterator[str]:
    try:
        cells = sources.read_notebook(file)["cells"]
    except LocalError:
        yield "%unknown"  # whoever reads the task says so
        return
    yield from (cell["source"] for cell in cells if cell["cell_type"] == "code")


def _read_cell(source: str, found: Notebook) -> None:
    text = source.lstrip()
    magic = re.match(r"%%?([\w-]+)", text)
    if magic and magic[1] == "sql":
        found.declares.update(_CREATE_WIDGET.findall(text))
        found.mentions.update(_SQL_PARAMETER.findall(text))
        return
    if magic and magic[1] != "python":
        found.opaque |= magic[1] not in _HARMLESS
        if source.lstrip().startswith("%%") or "\n" not in text.strip():
            return
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in text.splitlines()]
    found.opaque |= any(re.match(r"\s*%run\b", line) for line in text.splitlines())
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        found.opaque |= magic is None
        return
    _Reader(found).visit(tree)


class _Reader(ast.NodeVisitor):
    """Adds to a notebook what one cell does with `dbutils`."""

    def __init__(self, found: Notebook) -> None:
        self.found = found
        self.tried = 0

    def visit_Try(self, node: ast.Try) -> None:
        self.tried += 1  # the notebook is ready for a widget that is not there
        for statement in node.body:
            self.visit(statement)
        self.tried -= 1
        for statement in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(statement)

    def visit_Call(self, node: ast.Call) -> None:
        path = _dotted(node.func)
        if path[:1] == ["dbutils"] and len(path) > 1:
            self._dbutils(path[1:], node)
        else:
            if path == ["getArgument"]:
                self._widget("getArgument", node)
            self.visit(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "dbutils" and isinstance(node.ctx, ast.Load):
            self.found.opaque = True  # handed on, or a part of it under another name

    def _dbutils(self, path: list[str], call: ast.Call) -> None:
        match path:
            case ["widgets", method]:
                self._widget(method, call)
            case ["jobs", "taskValues", "set"]:
                key = _literal(call, 0, "key")
                if key is None:
                    self.found.sets_computed = True
                else:
                    self.found.sets.add(key)

    def _widget(self, method: str, call: ast.Call) -> None:
        name = _literal(call, 0, "name")
        if name is None:
            return
        if method in _DECLARING:
            self.found.declares.add(name)
        elif method in _READING and len(call.args) < 2 and not self.tried:
            self.found.needs.add(name)


def _dotted(node: ast.expr) -> list[str]:
    """`a.b.c` as its parts; empty for anything else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return [*owner, node.attr] if owner else []
    return []


def _literal(call: ast.Call, position: int, name: str) -> str | None:
    given = [*call.args[position : position + 1], *(word.value for word in call.keywords if word.arg == name)]
    value = given[0].value if given and isinstance(given[0], ast.Constant) else None
    return value if isinstance(value, str) else None
