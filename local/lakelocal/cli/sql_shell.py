"""The shell of `sql`: statements that a person types, with history and completion of tables and columns.

Uses prompt_toolkit, which IPython depends on, for editing over several lines, history and completion.
"""

import re
import time
from collections.abc import Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from pyspark.sql.connect.session import SparkSession

from lakelocal.cli.sql_results import print_rows
from lakelocal.errors import LocalError
from lakelocal.jobs.views import duration
from lakelocal.project import State
from lakelocal.queries import execute
from lakelocal.sql.cells import split_statements

HELP = """\
A statement ends with `;` and may have several lines. Tab completes tables and columns, the arrow keys recall lines.
  \\d          the tables of all schemas          \\d TABLE   the columns of a table
  \\x          toggle between tables and records
  exit        leave, like Ctrl-D. Ctrl-C cancels a running statement."""
LEAVE = ("exit", "quit", "\\q")
_WORDS = (
    "ALTER", "AND", "AS", "ASC", "BETWEEN", "CASE", "CREATE", "DELETE", "DESC", "DESCRIBE", "DISTINCT", "DROP", "ELSE",
    "END", "EXTENDED", "FROM", "GROUP BY", "HAVING", "HISTORY", "IN", "INNER JOIN", "INSERT INTO", "INTO", "IS", "JOIN",
    "LEFT JOIN", "LIKE", "LIMIT", "MERGE INTO", "NOT", "NULL", "ON", "OR", "ORDER BY", "OVER", "PARTITION BY",
    "QUALIFY", "REPLACE", "SCHEMA", "SELECT", "SET", "SHOW", "TABLE", "TABLES", "THEN", "UNION", "UPDATE", "USING",
    "VALUES", "VIEW", "VOLUMES", "WHEN", "WHERE", "WITH",
)  # fmt: skip
_NAME = re.compile(r"[\w.`]*$")
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|TABLE|UPDATE|DESCRIBE)\s+([\w.`]+)", re.IGNORECASE)


class Names(Completer):
    """Completes keywords, and the catalog's tables and columns, each of which is queried once."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self._tables: list[str] | None = None
        self._columns: dict[str, list[str]] = {}

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The possible completions of the word before the cursor."""
        found = _NAME.search(document.text_before_cursor)
        word = found[0] if found else ""
        begun = word.rpartition(".")[2] if word.count(".") == 0 else word
        for name in self._candidates(document.text):
            if name.lower().startswith(begun.lower()) and name != begun:
                yield Completion(name, start_position=-len(begun))

    def forget(self) -> None:
        """Forget the names: a statement may have changed them."""
        self._tables, self._columns = None, {}

    def tables(self) -> list[str]:
        """`schema.table` of every table and view of the catalog."""
        if self._tables is None:
            self._tables = list(_tables(self.spark))
        return self._tables

    def _candidates(self, text: str) -> Iterator[str]:
        yield from self.tables()
        for table in _TABLE.findall(text):
            yield from self._columns_of(table)
        yield from _WORDS

    def _columns_of(self, table: str) -> list[str]:
        if table not in self._columns:
            try:
                self._columns[table] = execute(self.spark, f"SELECT * FROM {table} LIMIT 0").column_names
            except LocalError:  # no such table, or half a name: nothing to offer
                self._columns[table] = []
        return self._columns[table]


class Shell:
    """Reads statements from a person until they leave; *limit* is the number of rows that a table shows."""

    def __init__(self, spark: SparkSession, state: State, limit: int) -> None:
        self.spark = spark
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
            self._execute(f"DESCRIBE TABLE {argument}") if argument else print("\n".join(self.names.tables()))
        else:
            for statement in split_statements(text):
                if not self._execute(statement.text):
                    return

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
            print(f"error: {error}")
            return False
        print_rows(result, self.limit, as_records=self.as_records)
        print(duration(time.monotonic() - began))
        self.names.forget()
        return True


def _tables(spark: SparkSession) -> Iterator[str]:
    """`schema.table` of each table and view; SHOW TABLES lists the session's temporary views with every schema."""
    temporary: dict[str, None] = {}
    for schema in execute(spark, "SHOW SCHEMAS").column(0).to_pylist():
        for row in execute(spark, f"SHOW TABLES IN `{schema}`").to_pylist():
            if row["isTemporary"]:
                temporary[row["tableName"]] = None
            else:
                yield f"{schema}.{row['tableName']}"
    yield from temporary
