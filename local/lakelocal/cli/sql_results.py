"""Results of SQL statements, for the terminal and for programs: a table that fits, records, CSV, JSON."""

import csv
import sys
from collections.abc import Sequence

import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakelocal.console import console_for_people
from lakelocal.errors import UsageError
from lakelocal.queries import plain, rows_of, to_json

_GAP = 2  # terminal columns between two columns of a table


def print_rows(result: pa.Table, limit: int, *, as_records: bool | None = None, console: Console | None = None) -> None:
    """Print the first *limit* rows, and how many there are.

    *as_records* prints one line per value, rather than per row; by default if the terminal is too narrow for the words
    of the table.
    A result without columns, such as that of CREATE TABLE, prints `done`.
    """
    console = console or console_for_people()
    names = result.column_names
    if not names:
        console.print("done")
        return
    shown = [
        ["NULL" if value is None else str(plain(value)) for value in row] for row in rows_of(result.slice(0, limit))
    ]
    if as_records is None:
        as_records = bool(shown) and console.is_terminal and _width(names, shown) > console.width
    if as_records:
        _print_records(names, shown, console)
    else:
        _print_table(result.schema, shown, console)
    cut = f", the first {limit:,} shown (--limit)" if result.num_rows > limit else ""
    console.print(f"{result.num_rows:,} row{'s' * (result.num_rows != 1)}{cut}")


def print_csv(result: pa.Table) -> None:
    """Print all rows as CSV with a header; NULL is empty."""
    writer = csv.writer(sys.stdout)
    writer.writerow(result.column_names)
    writer.writerows([["" if value is None else plain(value) for value in row] for row in rows_of(result)])


def print_json(result: pa.Table) -> None:
    """Print all rows as a JSON array with one object per row.

    Raises:
        UsageError: two columns have the same name.
    """
    names = result.column_names
    if len(set(names)) < len(names):
        raise UsageError(f"Two columns have one name ({', '.join(names)}): JSON needs each once. Give them aliases.")
    print("[" + ",\n ".join(to_json(dict(zip(names, row, strict=True))) for row in rows_of(result)) + "]")


def _width(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The minimum number of terminal columns for a table in which no number, name or word is broken."""
    columns = zip(names, *rows, strict=True)
    return sum(max(map(cell_len, " ".join(column).split() or [""])) + _GAP for column in columns) - _GAP


def _print_table(schema: pa.Schema, rows: Sequence[Sequence[str]], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for field in schema:
        table.add_column(Text(field.name), justify="right" if _is_number(field.type) else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_records(names: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    longest = max(map(cell_len, names))
    for number, row in enumerate(rows, 1):
        console.print(Text(f"-- row {number:,} --", style="dim"))
        for name, value in zip(names, row, strict=True):
            console.print(Text(name + " " * (longest - cell_len(name)), style="bold"), Text(value), soft_wrap=True)


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))
