"""How the values of generated sample tables are written."""

from dataclasses import dataclass

from lakelocal.sql.writing import literal


@dataclass(frozen=True)
class Column:
    """*value* is SQL: `row` counts the rows from 0, `chance` stands for a number from 0 to 1 of this row and column.

    It may refer to columns before it.
    """

    name: str
    type: str
    value: str


@dataclass(frozen=True)
class SampleTable:
    rows: int
    columns: tuple[Column, ...]


def table_of(rows: int, *columns: tuple[str, str, str]) -> SampleTable:
    return SampleTable(rows, tuple(Column(*each) for each in columns))


def pick(*values: object) -> str:
    """One of *values*."""
    texts = (str(value) if isinstance(value, int) else literal(str(value)) for value in values)
    return f"element_at(array({', '.join(texts)}), 1 + CAST(floor(chance * {len(values)}) AS INT))"


def whole(least: int, most: int) -> str:
    """A whole number from *least* to *most*."""
    return f"{least} + CAST(floor(chance * {most - least + 1}) AS BIGINT)"


def amount(least: float, most: float, digits: int = 2) -> str:
    """A number from *least* to *most*, rounded."""
    return f"round({least} + chance * {most - least}, {digits})"


def moment(first: str, days: int) -> str:
    """A second of the *days* from *first* on."""
    return f"timestamp_seconds(unix_seconds(TIMESTAMP '{first}') + CAST(floor(chance * {days * 86400}) AS BIGINT))"


def day(first: str, days: int) -> str:
    """A day of the *days* from *first* on."""
    return f"date_add(DATE '{first}', CAST(floor(chance * {days}) AS INT))"


def listed(*values: object) -> str:
    """The value of the row's place in *values*."""
    texts = (str(value) if isinstance(value, int) else literal(str(value)) for value in values)
    return f"element_at(array({', '.join(texts)}), 1 + CAST(row % {len(values)} AS INT))"


def named(prefix: str, digits: int) -> str:
    """`Customer#000000001`: *prefix* and the row's number from 1 on."""
    return f"concat({literal(prefix)}, lpad(CAST(row + 1 AS STRING), {digits}, '0'))"


KEY = "row + 1"
PHONE = "format_string('%02d-%03d-%03d-%04d', 10 + row % 25, 100 + row % 900, 100 + row % 899, 1000 + row % 8999)"
