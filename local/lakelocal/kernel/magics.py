"""The magics of Databricks' notebooks.

There, `%sql`, `%md`, `%sh`, `%python`, `%scala` and `%r` apply to a whole cell, with a single `%`; IPython requires
two. A transformer turns the first form into the second. `%run` and `%fs` are line magics in both.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import Markdown, publish_display_data
from IPython.display import display as show

from lakelocal.errors import DialectError
from lakelocal.kernel import sql_output
from lakelocal.kernel.dbutils import DBUtils
from lakelocal.kernel.display import files_table, publish_table, table_of
from lakelocal.kernel.inline import is_script, run_inline
from lakelocal.kernel.packages import Packages
from lakelocal.kernel.shell import run_shell
from lakelocal.kernel.table import to_text
from lakelocal.sources import lines_of
from lakelocal.sql.cells import CellStatement, split_statements
from lakelocal.sql.widgets import widget_statement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakelocal.kernel.kernel import Kernel

_CELLS = ("sql", "md", "md-sandbox", "sh", "python", "scala", "r", "skip")


def register(kernel: "Kernel") -> None:
    """Register the magics with the IPython of *kernel*."""
    kernel.ip.register_magics(DatabricksMagics(kernel))
    kernel.ip.input_transformers_cleanup.insert(0, as_lines)
    kernel.ip.input_transformers_cleanup.append(as_cell_magic)


def as_lines(lines: list[str]) -> list[str]:
    """The lines of a cell, which IPython has split into *lines* at characters that do not end a line in Python."""
    return lines_of("".join(lines), keepends=True)


def as_cell_magic(lines: list[str]) -> list[str]:
    """A cell that begins with `%sql` (or another of `_CELLS`) as a `%%sql` cell, one with `%skip` as an empty cell.

    Other cells stay as they are.
    """
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return lines
    head, _, rest = lines[first].strip().partition(" ")
    name = head[1:]
    if not head.startswith("%") or name not in _CELLS:
        return lines
    body = ([rest.strip() + "\n"] if rest.strip() else []) + lines[first + 1 :]
    if name == "python":
        return body
    if name == "skip":
        return []
    name = name.removesuffix("-sandbox")
    if not any(line.strip() for line in body):
        return lines
    return [f"%%{name}\n", *body]


@magics_class
class DatabricksMagics(Magics):
    """The magics; see the docstring of this module."""

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(shell=kernel.ip)
        self._kernel = kernel

    @no_var_expand
    @line_cell_magic
    def sql(self, line: str, cell: str | None = None) -> None:
        """Run SQL; the result of the last statement is shown, and is available as `_sqldf`."""
        statements = split_statements(f"{line}\n{cell or ''}")
        if not statements:
            raise DialectError("`%sql`: found no statement. Write SQL after it, or in the lines below.")
        for statement in statements[:-1]:
            # A query only runs when it is read; this reads all of its rows and keeps none.
            frame = self._run(statement)
            if frame is not None and frame.columns:
                frame.write.format("noop").mode("overwrite").save()
        frame = self._run(statements[-1])
        if frame is not None:
            self._kernel.ip.user_ns["_sqldf"] = frame
        output = self._kernel.context and self._kernel.context.rows_file
        table = table_of(frame) if frame is not None and frame.columns else None
        if output:
            sql_output.save_rows(table, Path(output))
        if table:
            publish_table(table)
        else:
            print("OK")

    def _run(self, statement: CellStatement) -> "DataFrame | None":
        """The frame of *statement*; None if it only concerns widgets, which need no Spark."""
        widgets = self._kernel.part(DBUtils).widgets
        text = statement.filled(widgets.get, known=lambda name: name in widgets.getAll())
        if (made := widget_statement(text)) is None:
            return self._kernel.spark.sql(text)
        made.apply(widgets, lambda query: [to_text(row[0]) for row in self._kernel.spark.sql(query).collect()])
        return None

    @no_var_expand
    @line_cell_magic
    def md(self, line: str, cell: str | None = None) -> None:
        """Show Markdown."""
        show(Markdown(f"{line}\n{cell or ''}".strip()))

    @no_var_expand
    @line_magic
    def fs(self, line: str) -> None:
        """Run a command of `dbutils.fs`: `%fs ls /Volumes/...`."""
        command, *arguments = shlex.split(line) or ["help"]
        values = [{"true": True, "false": False}.get(text.lower(), text) for text in arguments]
        result = getattr(self._kernel.part(DBUtils).fs, command)(*values)
        if command == "ls":
            publish_table(files_table(result))
        elif isinstance(result, str):
            publish_display_data({"text/plain": result})

    @no_var_expand
    @line_cell_magic
    def sh(self, line: str, cell: str | None = None) -> None:
        """Run shell commands on this machine; with `-e` before them, a command that fails makes the cell fail."""
        text = f"{line}\n{cell or ''}".strip()
        flag, _, rest = text.partition(" ") if text.startswith("-e ") else text.partition("\n")
        strict = flag.strip() == "-e"
        run_shell(rest if strict else text, strict=strict)

    @no_var_expand
    @line_magic
    def run(self, line: str) -> Any:
        r"""Run another notebook in this namespace: `%run ./other $name="value"`; scripts are run as in IPython."""
        first = line.split(maxsplit=1)[0] if line.strip() else ""
        if first.startswith("-") or is_script(self._kernel, first):
            from IPython.core.magics.execution import ExecutionMagics

            return ExecutionMagics(shell=self.shell).run(self._kernel.ip.var_expand(line))
        return run_inline(self._kernel, line)

    @line_magic  # with Python variables as `$name`, such as the token of a private index
    def pip(self, line: str) -> None:
        """Install packages for this notebook: `%pip install ...`; other commands are passed to pip."""
        self._kernel.part(Packages).pip(line)

    @line_magic
    def restart_python(self, line: str) -> None:
        """The same as `dbutils.library.restartPython()`."""
        self._kernel.part(DBUtils).library.restartPython()

    @line_magic
    def set_cell_max_output_size_in_mb(self, line: str) -> None:
        """Set how many MB of output a cell of a task keeps, from 1 to 20; the runner reads this from the cell."""
        if not (line.strip().isdigit() and 1 <= int(line) <= 20):
            raise DialectError(
                f"`%set_cell_max_output_size_in_mb`: found `{line.strip()}`; expected a whole number from 1 to 20."
            )

    @no_var_expand
    @line_cell_magic
    def scala(self, line: str, cell: str | None = None) -> None:
        """Refused: a local kernel runs Python and SQL."""
        raise DialectError("`%scala`: a local kernel runs Python and SQL only. Run this cell on Databricks.")

    @no_var_expand
    @line_cell_magic
    def r(self, line: str, cell: str | None = None) -> None:
        """Refused: a local kernel runs Python and SQL."""
        raise DialectError("`%r`: a local kernel runs Python and SQL only. Run this cell on Databricks.")

    @no_var_expand
    @cell_magic
    def python(self, line: str, cell: str) -> None:
        """Run the cell as Python, as it would run without the magic."""
        self._kernel.ip.run_cell(cell)
