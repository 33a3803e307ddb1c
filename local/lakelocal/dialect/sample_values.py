"""SQL expressions for the values of generated sample tables."""

from dataclasses import dataclass

from lakelocal.sql.writing import literal


@dataclass(frozen=True)
class Column:
    """A column; *value* is SQL that may refer to columns before it.

    In it, `row` is the number of the row from 0, and `chance` a number from 0 to 1 for this row and column.
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
    """One of *values*, at random."""
    texts = (str(value) if isinstance(value, int) else literal(str(value)) for value in values)
    return f"element_at(array({', '.join(texts)}), 1 + CAST(floor(chance * {len(values)}) AS INT))"


def whole(least: int, most: int) -> str:
    """A whole number from *least* to *most*."""
    return f"{least} + CAST(floor(chance * {most - least + 1}) AS BIGINT)"


def amount(least: float, most: float, digits: int = 2) -> str:
    """A number from *least* to *most*, rounded."""
    return f"round({least} + chance * {most - least}, {digits})"


def moment(first: str, days: int) -> str:
    """A second in the *days* that begin with *first*."""
    return f"timestamp_seconds(unix_seconds(TIMESTAMP '{first}') + CAST(floor(chance * {days * 86400}) AS BIGINT))"


def day(first: str, days: int) -> str:
    """One of the *days* that begin with *first*."""
    return f"date_add(DATE '{first}', CAST(floor(chance * {days}) AS INT))"


def listed(*values: object) -> str:
    """The value at the row's position in *values*, which repeat."""
    texts = (str(value) if isinstance(value, int) else literal(str(value)) for value in values)
    return f"element_at(array({', '.join(texts)}), 1 + CAST(row % {len(values)} AS INT))"


def named(prefix: str, digits: int) -> str:
    """A name such as `Customer#000000001`: *prefix*, and the number of the row from 1."""
    return f"concat({literal(prefix)}, lpad(CAST(row + 1 AS STRING), {digits}, '0'))"


KEY = "row + 1"
PHONE = "format_string('%02d-%03d-%03d-%04d', 10 + row % 25, 100 + row % 900, 100 + row % 899, 1000 + row % 8999)"
