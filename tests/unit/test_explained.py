"""Errors in plain words: Spark's by their conditions, Python's by their classes, and the names that were meant."""

import json
import signal
import string
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from lakelocal.attempt.explained import death_of_kernel, explained
from lakelocal.kernel.failures import IN_WORKER
from lakelocal.kernel.raised import NOTE
from lakelocal.plain_words import SPARK, Nearby
from lakelocal.project import Project, State
from lakelocal.server.jars import delta_jars
from lakelocal.spark_errors.messages import in_plain_words

NOWHERE = Nearby()


def conditions() -> Iterator[tuple[str, str]]:
    """The messages of Spark and of Delta by condition, with the names of their parameters in angle brackets."""
    spark = next((Path(pyspark.__file__).parent / "jars").glob("spark-common-utils_*.jar"))
    delta = next(delta_jars().glob("*delta-spark_*.jar"))
    for jar, file in ((spark, "error/error-conditions.json"), (delta, "error/delta-error-classes.json")):
        for name, condition in json.loads(zipfile.ZipFile(jar).read(file)).items():
            yield name, " ".join(condition["message"])
            for below, more in condition.get("subClass", {}).items():
                yield f"{name}.{below}", " ".join([*condition["message"], *more["message"]])


def test_the_sentences_fit_the_messages_of_this_spark() -> None:
    """A newer version may say something else: its message would be shown as it is, without a next step."""
    known = dict(conditions())
    for condition, (_, sentence) in SPARK.items():
        text = f"[{condition}] {known[condition].replace('<', '`').replace('>', '`')} SQLSTATE: 42000"
        said = in_plain_words(text)

        assert "[" not in said, f"{condition}: {said}"
        assert string.Formatter().parse(sentence)
        assert said.endswith((".", "?", "...")), said


def test_parameters_of_messages_are_told() -> None:
    """What was found, and the names that were meant, at most three of them."""
    column = (
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `order_dat` cannot be "
        "resolved. Did you mean one of the following? [`order_date`, `order_id`, `amount`, `city`]. SQLSTATE: 42703; "
        "line 1 pos 7;\n'Project ['order_dat]\n+- Relation"
    )
    failed = f"1 of 5 tables failed:\ngold_daily: {column}"
    constraint = (
        "(org.apache.spark.sql.delta.schema.DeltaInvariantViolationException) [DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] "
        "CHECK constraint positive (amount > 0) violated by row with values:\n"
        " - amount : -1.00\n - city : Natal SQLSTATE: 23001"
    )

    said = "column `order_dat` not found; did you mean `order_date`, `order_id` or `amount`? (line 1 pos 7)"
    assert in_plain_words(column) == said
    assert in_plain_words(failed) == f"1 of 5 tables failed:\ngold_daily: {said}"
    assert in_plain_words(constraint) == (
        "a row violates the CHECK constraint positive (amount > 0): amount = -1.00, city = Natal; correct such rows, "
        "or filter them out."
    )


def test_the_cause_is_told_rather_than_where_it_happened() -> None:
    """Spark names a file that was being written; the value that does not fit says more."""
    text = (
        "[TASK_WRITE_FAILED] Task failed while writing rows to file:/x. SQLSTATE: 58030 Caused by: "
        '[CAST_INVALID_INPUT] The value \'abc\' of the type "STRING" cannot be cast to "INT" because it is malformed.'
    )

    said = "the value 'abc' (STRING) is not a valid INT; correct it at its source"
    assert in_plain_words(text).startswith(said)
    assert in_plain_words(text.replace(" Caused by: ", "\n=== Streaming ===\nId: 6 Caused by: ")).startswith(said)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """The catalog `main` with a table and a file, as the process of an attempt finds it."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: example}\n")
    monkeypatch.setenv("LOCAL_CATALOG", "main")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "states"))
    monkeypatch.chdir(tmp_path)
    state = Project.at(tmp_path).state("main").make()
    (state.warehouse / "shop.db" / "orders").mkdir(parents=True)
    files = state.volumes / "shop" / "files"
    files.mkdir(parents=True)
    (files / "orders.csv").touch()
    (files / "2024").mkdir()
    (files / "2024" / "day_01.csv").touch()
    return state


def frame(line: str) -> list[str]:
    """What IPython shows of an error in *line* of a cell, and of a library that it called, and the kernel's note."""
    cell = f"Cell In[3], line 2\n      1 x = 1\n----> 2 {line}\n      3 y = 2"
    note = [] if line.startswith(("raise", "assert late == 0, ")) else [f"{NOTE}`{line}` where x = 1"]
    return ["-" * 75, "E  Traceback", cell, "File ~/lib/pandas/io.py:12, in read\n---> 12 open(path)", "E: what", *note]


@pytest.mark.parametrize(
    ("name", "message", "line", "said"),
    [
        ("AssertionError", "", "assert late == 0", "AssertionError, in `assert late == 0` where x = 1"),
        ("AssertionError", "2 are late", "assert late == 0, text", "AssertionError: 2 are late"),
        ("TypeError", "no int", "1 + '2'", "TypeError: no int, in `1 + '2'` where x = 1"),
        ("ValueError", "found 0 rows", "raise ValueError(text)", "ValueError: found 0 rows"),
        ("JSONDecodeError", "Expecting value", "loads(x)", "JSONDecodeError: Expecting value, in `loads(x)` where x"),
        ("ServerError", "`main`: the server died.", "spark.sql(q)", "`main`: the server died."),
        ("NameError", "name 'oders' is not defined", "oders.count()", "the name `oders` is not defined; correct it, "),
        (
            "ModuleNotFoundError",
            "No module named 'holidays'",
            "import holidays",
            "found no module `holidays`; install ",
        ),
        ("ModuleNotFoundError", "No module named 'dlt'", "import dlt", "found no module `dlt`, which only pipelines"),
        ("OSError", "[Errno 28] No space left on device", "f.write(x)", "the disk is full; free space"),
        ("OSError", "[Errno 5] Input/output error", "f.write(x)", "OSError: [Errno 5] Input/output error, in `f.write"),
        ("MemoryError", "", "bytearray(10**14)", "the kernel ran out of memory, in `bytearray(10**14)` where x = 1; "),
        (
            "URLError",
            "<urlopen error [Errno 111] Connection refused>",
            "urlopen(url)",
            "nothing answers (connection refused), in `urlopen(url)` where x = 1; start the service, or correct",
        ),
        (
            "ConnectionError",
            "HTTPSConnectionPool(host='rates.example.com', port=443): Max retries exceeded (Caused by NameResolution"
            "Error(\"Failed to resolve 'rates.example.com' ([Errno -2] Name or service not known)\"))",
            "requests.get(url)",
            "the name of the host is unknown at rates.example.com:443, in `requests.get(url)` where x = 1; correct",
        ),
        ("ConnectionError", "no route", "requests.get(url)", "ConnectionError: no route, in `requests.get(url)` wh"),
        ("SystemExit", "3", "sys.exit(3)", "the code exited with the exit code 3; expected 0"),
        (
            "PermissionError",
            "[Errno 13] Permission denied: '/root/x'",
            "open(p)",
            "this user may not read or write `/r",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/Volumes/main/shop/files/order.csv'",
            "pd.read_csv(path)",
            "found no file `/Volumes/main/shop/files/order.csv`; did you mean `/Volumes/main/shop/files/orders.cs",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/Volumes/main/shop/file/orders.csv'",
            "pd.read_csv(path)",
            "found no file `/Volumes/main/shop/file/orders.csv`; did you mean `/Volumes/main/shop/files`?",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/Volumes/main/shop/files/2024/day_02.csv'",
            "pd.read_csv(path)",
            "found no file `/Volumes/main/shop/files/2024/day_02.csv`; deliver the file, or correct the path.",
        ),
        (
            "AnalysisException",
            "[PATH_NOT_FOUND] Path does not exist: /Volumes/main/shop/files/order.csv. SQLSTATE: 42K03",
            "spark.read.csv(path)",
            "found nothing at `/Volumes/main/shop/files/order.csv`; did you mean `/Volumes/main/shop/files/orders.cs",
        ),
        (
            "AnalysisException",
            "[PATH_NOT_FOUND] Path does not exist: dbfs:/databricks-datasets/airlines. SQLSTATE: 42K03",
            "spark.read.csv(path)",
            "found nothing at `dbfs:/databricks-datasets/airlines`; Databricks' sample files are not on this machine, ",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/dbfs/databricks-datasets/README.md'",
            "open(path)",
            "found no file `/dbfs/databricks-datasets/README.md`; Databricks' sample files are not on this machine, ",
        ),
        (
            "AnalysisException",
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `shop`.`order` cannot be found. Verify the spelling.",
            "spark.table(name)",
            "table or view `shop`.`order` not found; did you mean `shop`.`orders`?",
        ),
        (
            "AnalysisException",
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `shop`.`weather` cannot be found. Verify the spelling.",
            "spark.table(name)",
            "table or view `shop`.`weather` not found; correct its name, or run first what creates it.",
        ),
    ],
)
def test_an_error_tells_what_to_do(state: State, name: str, message: str, line: str, said: str) -> None:
    """The line of the cell is told where the message is Python's own and short; a person's own words stay."""
    told = explained(name, message, frame(line))
    assert told.startswith(said)
    assert line.startswith(("raise", "assert late == 0, ")) <= (told == said)


def test_an_error_of_syntax_shows_its_line(state: State) -> None:
    """IPython shows the line of the cell above a mark."""
    shown = ["  Cell In[1], line 4\n    for row in [1, 2]\n                     ^\nSyntaxError: expected ':'\n"]

    assert explained("SyntaxError", "expected ':' (159287.py, line 4)", shown) == (
        "SyntaxError: expected ':', in `for row in [1, 2]`, line 4 of the cell."
    )


def test_syntax_of_a_newer_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Databricks may run a newer one than this machine."""
    monkeypatch.setattr(sys, "version_info", (3, 11, 4))
    message = "f-string expression part cannot include a backslash (159287.py, line 2)"

    assert explained("SyntaxError", message, []) == (
        "SyntaxError: f-string expression part cannot include a backslash; Python 3.12 may allow it, but this is 3.11, "
        "line 2 of the cell."
    )


def test_an_error_in_a_worker_shows_the_line_of_the_cell(state: State) -> None:
    """The worker cannot read it; the kernel can, and shows it below the frames of the cell."""
    message = (
        'An exception was thrown from the Python worker.\nTraceback (most recent call last):\n  File "/tmp/'
        "ipykernel_12/345.py\", line 4, in amount\nValueError: could not convert string to float: 'ten'\n"
    )
    shown = [
        "this cell, line 5: display(df)",
        f"{IN_WORKER}",
        "this cell, line 4: return float(text)",
        "PythonException:",
    ]

    assert explained("PythonException", message, shown) == (
        "ValueError: could not convert string to float: 'ten', in `return float(text)` (in a function that Spark ran)"
    )


def test_the_part_of_a_statement_that_failed_is_told(state: State) -> None:
    """Spark marks it below the statement; without it, nobody would know which of its columns has the value."""
    message = (
        '[CAST_INVALID_INPUT] The value \'ten\' of the type "STRING" cannot be cast to "DOUBLE" because it is '
        "malformed. SQLSTATE: 22018\n== SQL (line 1, position 12) ==\n...order_id, CAST(amount AS DOUBLE) FROM orders\n"
        "             ^^^^^^^^^^^^^^^^^^^^^^\n"
    )

    said = explained("NumberFormatException", message, [])
    assert said.startswith("the value 'ten' (STRING) is not a valid DOUBLE; correct it")
    assert said.endswith(" (in `CAST(amount AS DOUBLE)`)")


def test_the_call_of_a_data_frame_that_failed_is_told(state: State) -> None:
    """There is no statement that Spark could mark."""
    message = (
        '[CAST_INVALID_INPUT] The value \'ten\' of the type "STRING" cannot be cast to "DOUBLE" because it is '
        'malformed. SQLSTATE: 22018\n== DataFrame ==\n"cast" was called from\nline 2 in cell [2]\n'
    )

    said = explained("NumberFormatException", message, [])
    assert said.startswith("the value 'ten' (STRING) is not a valid DOUBLE; correct it")
    assert said.endswith(" (in `cast`, line 2 of the cell)")


def test_a_violated_expectation_shows_its_row_and_the_way_out(state: State) -> None:
    """The event log has Databricks' words; the reason of the run says the same in fewer."""
    message = (
        "Flow `a.b.c` failed: [EXPECTATION_VIOLATION.VERBOSITY_ALL] Flow 'a.b.c' failed to meet the "
        "expectation. Violated expectations: 'valid amount'. Output record: '{\"id\":2,\"amount\":null}'. Flows "
        "skipped because they read from a failed one: 1."
    )

    assert explained("PipelineError", message, []) == (
        "Flow `a.b.c` failed: a row violates the expectation `valid amount`: id = 2, amount = null; correct such rows, "
        "or drop them with expect_or_drop. Flows skipped because they read from a failed one: 1."
    )


def test_a_folder_that_nobody_may_list_has_no_near_names(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told all the same."""
    locked = state.volumes / "shop" / "files" / "2024"

    def refuse(folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)

    message = f"[Errno 13] Permission denied: '{locked}/export.csv'"
    assert explained("PermissionError", message, []).startswith(
        f"this user may not read or write `{locked}/export.csv`"
    )


def test_a_conflict_names_the_table_and_what_changed_it(state: State) -> None:
    """As far as Delta tells."""
    message = (
        "(io.delta.exceptions.ConcurrentAppendException) [DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Transaction conflict "
        "detected. a concurrent MERGE added data to table main.shop.revenue committed at version 3. The concurrent"
    )
    other = "[DELTA_CONCURRENT_WRITE] ConcurrentWriteException: A concurrent transaction has written new data since."

    assert explained("UnknownException", message, []).startswith("another MERGE changed main.shop.revenue at the same")
    assert explained("UnknownException", other, []).startswith("another writer changed the same table at the same ")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (-signal.SIGKILL, "the kernel was killed, most likely because the memory"),
        (-signal.SIGSEGV, "the kernel crashed (SIGSEGV)"),
        (3, "the kernel ended with exit code 3"),
        (None, "the kernel ended while the cell ran"),
    ],
)
def test_the_death_of_a_kernel_has_a_reason(status: int | None, said: str) -> None:
    """As far as its exit status tells."""
    assert death_of_kernel(status).startswith(said)


def test_columns_that_differ_are_named(state: State) -> None:
    """Delta prints both schemas as trees, and a way that adds columns, which hides a misspelt name."""
    message = (
        "[DELTA_METADATA_MISMATCH] A metadata mismatch was detected when writing to the Delta table.\n- A schema "
        "mismatch detected when writing to the Delta table (Table ID: dd80).\nTo enable schema migration, set.\n\n"
        "Table schema:\nroot\n |-- order_id: integer (nullable = true)\n |-- amount: decimal(10,2) (nullable = true)\n"
        "\n\nData schema:\nroot\n |-- order_id: integer (nullable = true)\n |-- amuont: string (nullable = true)\n\n"
    )

    assert explained("AnalysisException", message, []).startswith(
        "the columns of the data are not those of the table: new amuont; missing amount. Correct them, or add"
    )


def test_the_error_of_a_stream_is_what_ended_it(state: State) -> None:
    """Ids of queries, offsets and folders tell nobody anything."""
    message = (
        "[STREAM_FAILED] Query [id = 6d3b, runId = 2fa0] terminated with exception: [DIVIDE_BY_ZERO] Division by zero. "
        "Use try_divide. SQLSTATE: XXKST\n=== Streaming Query ===\nIdentifier: [id = 6d3b]\nCurrent Offsets: {}"
    )

    assert explained("StreamingQueryException", message, []) == (
        "division by zero; filter such rows out, or use try_divide, which returns NULL instead."
    )


def test_the_exception_of_a_lost_task_is_told_without_its_frames(state: State) -> None:
    """Numbers of stages and tasks tell nobody anything; a lack of memory has a way out."""
    lost = (
        "Job aborted due to stage failure: Task 0 in stage 145.0 failed 1 times, most recent failure: Lost task 0.0 in "
        "stage 145.0 (TID 201) (localhost executor driver): "
    )
    memory = f"{lost}java.lang.OutOfMemoryError: Java heap space\n\tat java.base/java.util.Arrays.copyOf"
    zero = f"{lost}org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.\n\tat org.apache"
    other = f"{lost}java.io.IOException: connection reset\n\tat java.base/java.net.Socket"

    assert explained("SparkException", memory, []).startswith("the memory of the Spark server was used up; let it ")
    assert explained("SparkException", zero, []).startswith("division by zero; filter")
    assert explained("SparkException", other, []) == "connection reset"
