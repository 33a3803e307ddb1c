"""Runs the sources of a pipeline, so that everything is defined before anything is read.

First, the packages that `%pip` names in any of them are installed. Then each file runs in its own namespace, which has
`spark`, `dbutils` and `display`, but no `__file__`: the cells of a notebook run in order, SQL cells as statements.
While a file runs, the working directory is its folder.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.errors import LocalError
from lakelocal.pipelines.api import Recorder
from lakelocal.pipelines.definitions import Definitions, Origin
from lakelocal.pipelines.errors import DefinitionError, said
from lakelocal.pipelines.order import UpdateOrder
from lakelocal.pipelines.statements import SqlSource
from lakelocal.sources import is_notebook, read_notebook
from lakelocal.sources.headings import PLACE
from lakelocal.sql.cells import sql_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MAGIC = ("%", "!")
_WITHOUT_EFFECT = ("%md", "%md-sandbox", "%skip")


@dataclass(frozen=True)
class Cell:
    """A part of a source: Python or SQL, whose *text* begins at *origin*."""

    text: str
    origin: Origin
    is_sql: bool = False


def cells_of(file: Path) -> list[Cell]:
    """The parts of *file*: the cells of a notebook, or a whole file of Python or SQL.

    Raises:
        DefinitionError: it is neither.
    """
    if is_notebook(file):
        return list(_cells(read_notebook(file), file.name))
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix.lower() not in (".py", ".sql"):
        raise DefinitionError(f"`{file.name}`: found a `{file.suffix}` file; expected a notebook, `.py` or `.sql`.")
    return [Cell(text, Origin(file.name, 1), is_sql=file.suffix.lower() == ".sql")]


def _cells(notebook: Mapping[str, Any], file: str) -> Iterator[Cell]:
    number = 0
    for cell in notebook["cells"]:
        number += 1
        if cell["cell_type"] != "code" or not cell["source"].strip():
            continue
        place = cell.get("metadata", {}).get(PLACE)
        origin = Origin(file, int(place["line"])) if place else Origin(f"{file}, cell {number}", 1)
        text = cell["source"]
        if (sql := sql_of(text)) is not None:
            yield Cell(sql, origin, is_sql=True)
        elif text.lstrip().split(None, 1)[0] not in _WITHOUT_EFFECT:
            yield Cell(text, origin)


@dataclass(frozen=True)
class Loader:
    """Loads the sources of *order* into the *recorder*.

    *shell* is that of the kernel, which Python sources need; for *query*, see `SqlSource`; *names* are those that a
    source may use.
    """

    shell: "InteractiveShell | None"
    order: UpdateOrder
    recorder: Recorder
    query: Callable[[str], Any]
    names: Mapping[str, Any]

    @property
    def definitions(self) -> Definitions:
        return self.recorder.definitions

    @property
    def _python(self) -> "InteractiveShell":
        assert self.shell is not None, "all sources are SQL"
        return self.shell

    def load(self) -> None:
        """Run all sources, with the pipeline's root and their own folders on `sys.path`.

        Raises:
            DefinitionError: a source defines something that is not possible, or uses a magic that pipelines lack.
        """
        self._extend_path()
        sources = {Path(name): cells_of(Path(name)) for name in self.order.sources}
        for file, cells in sources.items():
            sources[file] = [self._without_installs(cell) for cell in cells]
        for file, cells in sources.items():
            with chdir(file.parent) if self.shell else nullcontext():
                self._load(file, cells)

    def _extend_path(self) -> None:
        """The root comes first; queries import as late as they run, so that nothing is taken off again."""
        if self.order.root and self.order.root not in sys.path:
            sys.path.insert(0, self.order.root)
        for folder in dict.fromkeys(str(Path(name).parent) for name in self.order.sources):
            if folder not in sys.path:
                sys.path.append(folder)

    def _without_installs(self, cell: Cell) -> Cell:
        """Run the `%pip` lines of *cell*, and return it with empty lines in their place, to keep line numbers."""
        if cell.is_sql or "%pip" not in cell.text:
            return cell
        lines = cell.text.splitlines()
        for number, line in enumerate(lines):
            if line.lstrip().startswith("%pip "):
                self._python.run_line_magic("pip", line.lstrip().removeprefix("%pip").strip())
                lines[number] = ""
        return Cell("\n".join(lines), cell.origin)

    def _load(self, file: Path, cells: list[Cell]) -> None:
        recorder = self.recorder
        recorder.file, recorder.defaults = str(file), self.definitions.defaults
        sql = SqlSource(
            self.definitions,
            self.definitions.defaults,
            dict(self.order.configuration),
            self.order.parameters,
            self.query,
        )
        names = {"__name__": "__main__", **self.names}
        for cell in cells:
            if cell.is_sql:
                sql.define(cell.text, cell.origin)
                recorder.defaults = sql.defaults
            else:
                self._run(file, cell, names)

    def _run(self, file: Path, cell: Cell, names: dict[str, Any]) -> None:
        first = next((line.strip() for line in cell.text.splitlines() if line.strip()), "")
        if first.startswith("%run"):
            raise DefinitionError(f"{cell.origin}: found `{first}`, which pipelines lack. Import a module instead.")
        text = "\n" * (cell.origin.line - 1) + self._python.transform_cell(cell.text)
        try:
            exec(compile(text, str(file), "exec", dont_inherit=True), names)
        except LocalError:
            raise
        except Exception as error:
            raise DefinitionError(f"{_place(error, file, cell)}: {said(error)}") from error


def _place(error: Exception, file: Path, cell: Cell) -> Origin:
    """The line of *file* where *error* was raised."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == str(file):
        line = error.lineno or line
    return Origin(cell.origin.file, line) if line else cell.origin
