"""`sql`: where its statements come from, and how results are printed; the server is not used."""

import io
from argparse import Namespace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from lakelocal.cli.main import main
from lakelocal.cli.sql import _sources
from lakelocal.cli.sql_results import print_csv, print_json, print_rows
from lakelocal.errors import UsageError

Out = pytest.CaptureFixture[str]
MONTHS = pa.table(
    {
        "order_month": ["2018-08", "2018-07"],
        "orders": pa.array([6512, 95], pa.int64()),
        "value": pa.array([Decimal("2834.50"), None], pa.decimal128(10, 2)),
    }
)


def shown(result: pa.Table, width: int, **options: object) -> list[str]:
    """The lines that a terminal of *width* columns shows."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    print_rows(result, 100, console=console, **options)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_numbers_are_right_and_text_is_left() -> None:
    """So that digits are aligned."""
    assert shown(MONTHS, 80) == [
        "order_month  orders    value",
        "2018-08        6512  2834.50",
        "2018-07          95     NULL",
        "2 rows",
    ]


def test_what_is_wider_than_the_terminal_becomes_records() -> None:
    """No value is cut: 28 columns are needed, and one is missing."""
    assert shown(MONTHS, 28)[0].startswith("order_month")
    assert shown(MONTHS, 27) == [
        "-- row 1 --",
        "order_month 2018-08",
        "orders      6512",
        "value       2834.50",
        "-- row 2 --",
        "order_month 2018-07",
        "orders      95",
        "value       NULL",
        "2 rows",
    ]


def test_a_long_text_is_folded_between_words() -> None:
    """A table of columns with comments stays a table."""
    comments = pa.table({"column": ["order_month"], "comment": ["The month of the purchase, UTC"]})

    assert shown(comments, 28) == [
        "column       comment",
        "order_month  The month of",
        "             the purchase,",
        "             UTC",
        "1 row",
    ]


def test_records_can_be_asked_for_and_rows_beyond_the_limit_are_counted() -> None:
    """The number of rows is that of the result."""
    numbers = pa.table({"n": list(range(1001))})

    assert shown(MONTHS, 200, as_records=True)[0] == "-- row 1 --"
    assert shown(numbers, 80)[-1] == "1,001 rows, the first 100 shown (--limit)"
    assert shown(pa.table({"n": [1]}), 80)[-1] == "1 row"
    assert shown(pa.table({}), 80) == ["done"]


def test_brackets_are_text() -> None:
    """`[red]` in a value is not a style."""
    assert shown(pa.table({"[bold]": ["[red]x[/red]"]}), 80)[:2] == ["[bold]", "[red]x[/red]"]


def test_csv_and_json_have_all_rows_and_exact_values(capsys: Out) -> None:
    """For programs: NULL is empty or null, a timestamp is in UTC, all digits are kept."""
    result = pa.table(
        {
            "at": pa.array([datetime(2018, 8, 1, 12, tzinfo=UTC)], pa.timestamp("us", "America/Sao_Paulo")),
            "day": [date(2018, 8, 1)],
            "value": pa.array([Decimal("0.10")], pa.decimal128(10, 2)),
            "none": pa.nulls(1),
        }
    )

    print_csv(result)
    print_json(result)

    assert capsys.readouterr().out.splitlines() == [
        "at,day,value,none",
        "2018-08-01T12:00:00Z,2018-08-01,0.10,",
        '[{"at": "2018-08-01T12:00:00Z", "day": "2018-08-01", "value": 0.10, "none": null}]',
    ]
    with pytest.raises(UsageError, match="Two columns have one name"):
        print_json(pa.table([[1], [2]], names=["a", "a"]))


def test_statements_come_from_files_arguments_and_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that order; each knows its line, and a semicolon in a string ends nothing."""
    file = tmp_path / "load.sql"
    file.write_text("-- a comment\nSELECT ';';\n\nSELECT 2;\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 4"))

    found = _sources(Namespace(file=[file], statements=["SELECT 3;", "-"]))

    assert [(each.statement.splitlines()[-1], each.place) for each in found] == [
        ("SELECT ';'", f"{file}, line 1"),
        ("SELECT 2", f"{file}, line 4"),
        ("SELECT 3", "statement, line 1"),
        ("SELECT 4", "standard input, line 1"),
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Nothing has run then."""
    latin = tmp_path / "latin.sql"
    latin.write_bytes("SELECT 'é'".encode("latin-1"))

    for file in (tmp_path / "none.sql", latin):
        with pytest.raises(UsageError, match=rf"--file: `{file}` cannot be read"):
            _sources(Namespace(file=[file], statements=[]))


@pytest.mark.parametrize("words", [["-f", "empty.sql"], ["-- a comment"], []])
def test_without_a_statement_nothing_starts(
    tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Standard input is read only if nothing is named: a pipe that never ends must not be waited for."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: b}")
    (tmp_path / "empty.sql").write_text("\n-- nothing\n")
    monkeypatch.chdir(tmp_path)
    stdin = io.StringIO("-- nothing" if not words else "SELECT 1")
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["sql", *words]) == 2
    assert "found no statement" in capsys.readouterr().err
    assert bool(stdin.tell()) == (not words)
