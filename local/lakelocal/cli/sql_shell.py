"""The shell of `sql`: statements that a person types, with history and completion of tables and columns.

Uses prompt_toolkit, which IPython depends on, for editing over several lines, history and completion.
"""

import time
from collections.abc import Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from pyspark.sql.connect.session import SparkSession

from lakelocal.attempt.explained import nearby_of
from lakelocal.cli.sql_results import print_rows
from lakelocal.compute.catalog_names import CatalogNames
from lakelocal.errors import LocalError
from lakelocal.jobs.views import duration
from lakelocal.project import State
from lakelocal.queries import execute
from lakelocal.spark_errors.messages import in_plain_words
from lakelocal.sql.cells import split_statements
from lakelocal.sql.completion import complete

HELP = """\
A statement ends with `;` and may have several lines. Tab completes tables and columns, the arrow keys recall lines.
  \\d          the tables of all schemas          \\d TABLE   the columns of a table
  \\x          toggle between tables and records
  exit        leave, like Ctrl-D. Ctrl-C cancels a running statement."""
PATIENCE = 5.0  # s; completion runs in a thread here
LEAVE = ("exit", "quit", "\\q")


class Names(Completer):
    """Completes what `lakelocal.sql.completion` finds, from the names of the catalog."""

    def __init__(self, spark: SparkSession) -> None:
        self.names = CatalogNames(lambda: spark, PATIENCE)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The possible completions of the word before the cursor."""
        self.names.begin()
        found = complete(document.text, document.cursor_position, self.names)
        for each in found.candidates:
            yield Completion(each.text, start_position=-len(found.typed), display_meta=each.kind)

    def forget(self) -> None:
        """Forget the names: a statement may have changed them."""
        self.names.forget()


class Shell:
    """Reads statements from a person until they leave; *limit* is the number of rows that a table shows."""

    def __init__(self, spark: SparkSession, state: State, limit: int) -> None:
        self.spark = spark
        self.state = state
        self.limit = limit
        self.as_records: bool | None = None
        self.names = Names(spark)
        self.prompt: PromptSession[str] = PromptSession(
            history=FileHistory(str(state.folder / "sql_history")),
            completer=self.names,
            complete_in_thread=True,
            multiline=Condition(self._is_open),
            prompt_continuation="... ",
        )
        self._prompt_text = f"{state.catalog}> "

    def run(self) -> int:
        """Read and execute statements; return 0, because errors have been reported on the way."""
        print(HELP)
        while True:
            try:
                text = self.prompt.prompt(self._prompt_text)
            except KeyboardInterrupt:  # what was typed is discarded
                continue
            except EOFError:
                return 0
            if text.strip().rstrip(";") in LEAVE:
                return 0
            self.answer(text)

    def answer(self, text: str) -> None:
        """Execute what the user has typed, and print the result."""
        command, _, argument = text.strip().rstrip(";").partition(" ")
        if command in ("help", "\\?"):
            print(HELP)
        elif command == "\\x":
            self.as_records = None if self.as_records else True
            print("records" if self.as_records else "tables")
        elif command == "\\d":
            self._execute(f"DESCRIBE TABLE {argument}") if argument else self._list_tables()
        else:
            for statement in split_statements(text):
                if not self._execute(statement.text):
                    return

    def _list_tables(self) -> None:
        """Print `schema.table` of every table and view of the catalog, then the temporary views."""
        try:
            schemas = [row["namespace"] for row in execute(self.spark, "SHOW SCHEMAS").to_pylist()]
            shown = [row for name in schemas for row in execute(self.spark, f"SHOW TABLES IN `{name}`").to_pylist()]
        except LocalError as error:
            self._report(error)
            return
        temporary = dict.fromkeys(row["tableName"] for row in shown if row["isTemporary"])
        print("\n".join([*(f"{r['namespace']}.{r['tableName']}" for r in shown if not r["isTemporary"]), *temporary]))

    def _report(self, error: LocalError) -> None:
        print(f"error: {in_plain_words(str(error), nearby_of(self.state))}")

    def _is_open(self) -> bool:
        """Does the statement continue on the next line? A command is one line."""
        text = self.prompt.default_buffer.text.strip()
        return bool(text) and not text.endswith(";") and text.split()[0] not in (*LEAVE, "help", "\\d", "\\x", "\\?")

    def _execute(self, statement: str) -> bool:
        """Execute one statement; return False if it failed."""
        began = time.monotonic()
        try:
            result = execute(self.spark, statement)
        except KeyboardInterrupt:
            self.spark.interruptAll()
            print("interrupted")
            return False
        except LocalError as error:
            self._report(error)
            return False
        print_rows(result, self.limit, as_records=self.as_records)
        print(duration(time.monotonic() - began))
        self.names.forget()
        return True
