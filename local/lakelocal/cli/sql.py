"""`sql`: statements from the command line, a file, standard input or a small shell, and their results."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakelocal.cli.run import add_remote
from lakelocal.cli.scope import state_of
from lakelocal.cli.values import at_least_one
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.errors import LocalError, UsageError
from lakelocal.waiting import waiting

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

    from lakelocal.plain_words import Nearby

FORMATS = ("table", "records", "csv", "json")
FORMAT_HELP = "a table that does not fit the terminal is shown as records; csv and json have all rows"


class Source(NamedTuple):
    """A statement and its place, for messages."""

    statement: str
    place: str


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    summary = "run SQL statements in the target's catalog and print their results; a shell if none is given"
    command = add_verb(verbs, "sql", sql, summary)
    command.add_argument(
        "statements", nargs="*", metavar="STATEMENT",
        help='one or more, such as "SELECT * FROM gold.daily_orders"; `-` reads them from standard input',
    )  # fmt: skip
    command.add_argument("-f", "--file", type=Path, action="append", default=[], metavar="FILE.sql", help="of a file")
    command.add_argument("--format", choices=FORMATS, default="table", help=FORMAT_HELP)
    add_remote(command)
    command.add_argument("--limit", type=at_least_one, default=100, help="rows of a table (default 100)")


def sql(options: Namespace) -> int:
    """Run the statements one after the other and print their rows; without any, start a shell."""
    from lakelocal.attempt.explained import nearby_of
    from lakelocal.compute import open_session

    named = bool(options.file or options.statements)
    asks_a_person = not named and sys.stdin.isatty()
    sources = _sources(options) if named or asks_a_person else _split(sys.stdin.read(), "standard input")
    if not sources and not asks_a_person:
        raise UsageError("sql: found no statement. Give one, a file with -f, or, in a terminal, nothing for a shell.")
    state = state_of(options)
    spark = open_session(state, options.remote)
    try:
        if asks_a_person:
            from lakelocal.cli.sql_shell import Shell

            return Shell(spark, state, options.limit).run()
        return _run_all(spark, sources, options, nearby_of(state))
    finally:
        spark.stop()


def _run_all(spark: "SparkSession", sources: Sequence[Source], options: Namespace, nearby: "Nearby") -> int:
    """Run all *sources*; CSV and JSON print only the result of the last statement.

    *nearby* has the names that may have been meant.
    """
    from lakelocal.cli.sql_results import print_csv, print_json, print_rows  # Spark's client is slow to import
    from lakelocal.queries import execute
    from lakelocal.spark_errors.messages import in_plain_words

    for number, source in enumerate(sources, 1):
        try:
            with waiting("asking Spark"):
                result = execute(spark, source.statement)
        except LocalError as error:
            said = in_plain_words(str(error), nearby)
            raise LocalError(f"{source.place}: {said}" if len(sources) > 1 else said) from error
        if options.format in ("table", "records"):
            print_rows(result, options.limit, as_records=options.format == "records" or None)
        elif number == len(sources):
            (print_csv if options.format == "csv" else print_json)(result)
    return 0


def _sources(options: Namespace) -> list[Source]:
    found: list[Source] = []
    for file in options.file:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise UsageError(f"--file: `{file}` cannot be read ({why}). Correct its path.") from error
        found += _split(text, str(file))
    for text in options.statements:
        found += _split(sys.stdin.read(), "standard input") if text == "-" else _split(text, "statement")
    return found


def _split(text: str, place: str) -> list[Source]:
    """The statements of *text*; the place of each is the line in *place* on which it begins."""
    from lakelocal.sql.cells import split_statements

    found, position = [], 0
    for statement in split_statements(text):
        if not statement.text.strip():
            continue
        position = text.index(statement.text, position)
        line = text.count("\n", 0, position) + 1
        position += len(statement.text)
        found.append(Source(statement.text, f"{place}, line {line}"))
    return found
