"""Finds rows that only one side has, without moving whole tables.

Two servers cannot join their tables. So each counts and sums its hashes in buckets; only the hashes of buckets that
differ are fetched, from no more buckets than hold a bounded number of rows; and only a bounded number of the rows.

If these are not all the differing rows, the first hashes of one side belong to other rows than the first of the other.
So a few of them only decide which groups of rows to look at (see `groups`); both sides return every differing row of
those.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import DataType

from lakelocal.parity.digests import SUM, hashed
from lakelocal.parity.groups import Groups, Leading, groups_of, leading_hashes
from lakelocal.parity.hashing import row_text
from lakelocal.parity.outline import Relation, rows_of

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

BUCKETS = 4096
HASHES = 50_000  # per side, unless a single bucket holds more
ROWS = 200  # per side: more than are shown, so that both states of a row are found
GROUPED = 1000  # rows per side in the groups; larger groups are not worth looking at
Buckets = Mapping[int, tuple[int, Any]]  # number of rows, sum of hashes


@dataclass(frozen=True)
class Row:
    """A row as strings, and how many more *times* this side has it than the other."""

    cells: tuple[str | None, ...]
    times: int


@dataclass(frozen=True)
class Differing:
    """Some of the rows that differ: *a* of the *only_a* rows that only one side has, *b* of the *only_b* of the other.

    *columns* are their columns. *exact*: there are no more such rows; otherwise their number is unknown. *aligned*: if
    a row of *a* and a row of the other side are two states of the same row, both are included.
    """

    columns: tuple[str, ...]
    a: tuple[Row, ...]
    b: tuple[Row, ...]
    only_a: int
    only_b: int
    exact: bool
    aligned: bool


@dataclass(frozen=True)
class Source:
    """A relation and the session that reads it."""

    spark: "SparkSession"
    relation: Relation


@dataclass(frozen=True)
class _Found:
    """A row that was fetched, how often it occurs, and the hashes of its leading columns."""

    times: int
    cells: tuple[str | None, ...]
    leading: Leading


Rows = dict[int, _Found]  # by hash


def differing_rows(a: Source, b: Source, columns: Mapping[str, DataType]) -> Differing:
    """Rows that differ between *a* and *b*; *columns* are those compared, in the order to show them."""
    buckets_a, buckets_b = _buckets(a, columns), _buckets(b, columns)
    differ = sorted(key for key in buckets_a.keys() | buckets_b if buckets_a.get(key) != buckets_b.get(key))
    searched = within_limit(differ, buckets_a, buckets_b)
    hashes_a, hashes_b = _hashes(a, columns, searched), _hashes(b, columns, searched)
    only_a, only_b = hashes_a - hashes_b, hashes_b - hashes_a
    first_a, first_b = (_rows(side, columns, "h", sorted(only)[:ROWS]) for side, only in ((a, only_a), (b, only_b)))
    exact = len(searched) == len(differ)
    aligned = exact and max(len(only_a), len(only_b)) <= ROWS
    rows = _surplus(first_a, only_a), _surplus(first_b, only_b)
    if not aligned and (groups := groups_of(_leading(first_a), _leading(first_b))):
        grouped = _rows_of_groups(a, b, columns, groups)
        aligned, rows = grouped is not None, grouped or rows
    return Differing(tuple(columns), *rows, only_a.total(), only_b.total(), exact, aligned)


def within_limit(differ: list[int], a: Buckets, b: Buckets) -> list[int]:
    """The first of the buckets *differ*: as many as have `HASHES` rows on each side, but at least one."""
    taken, rows_a, rows_b = list[int](), 0, 0
    for key in differ:
        rows_a += a.get(key, (0, None))[0]
        rows_b += b.get(key, (0, None))[0]
        if taken and max(rows_a, rows_b) > HASHES:
            break
        taken.append(key)
    return taken


def _buckets(side: Source, columns: Mapping[str, DataType]) -> Buckets:
    rows = rows_of(
        side.spark,
        f"SELECT pmod(h, {BUCKETS}) AS bucket, count(*) AS n, {SUM} AS total "
        f"FROM {hashed(side.relation, columns)} GROUP BY 1",
    )
    return {row["bucket"]: (row["n"], row["total"]) for row in rows}


def _hashes(side: Source, columns: Mapping[str, DataType], buckets: list[int]) -> Counter[int]:
    """The hashes in *buckets*, and how often each of them occurs."""
    if not buckets:
        return Counter()
    wanted = ", ".join(map(str, buckets))
    source = hashed(side.relation, columns)
    query = f"SELECT h, count(*) AS n FROM {source} WHERE pmod(h, {BUCKETS}) IN ({wanted}) GROUP BY h"
    return Counter({row["h"]: row["n"] for row in rows_of(side.spark, query)})


def _rows_of_groups(
    a: Source, b: Source, columns: Mapping[str, DataType], groups: Groups
) -> tuple[tuple[Row, ...], tuple[Row, ...]] | None:
    """All rows that differ in *groups*; None if the groups are too large to be fetched."""
    found_a, found_b = (
        _rows(side, columns, f"leading[{groups.width - 1}]", groups.hashes, GROUPED + 1) for side in (a, b)
    )
    if max(len(found_a), len(found_b)) > GROUPED:
        return None
    times_a, times_b = (Counter({h: row.times for h, row in found.items()}) for found in (found_a, found_b))
    return _surplus(found_a, times_a - times_b), _surplus(found_b, times_b - times_a)


def _rows(side: Source, columns: Mapping[str, DataType], key: str, wanted: Sequence[int], most: int = ROWS) -> Rows:
    """At most *most* different rows whose *key* (their hash `h`, or one of `leading`) is one of *wanted*."""
    if not wanted:
        return {}
    hashes = ", ".join(f"{each}L" for each in wanted)
    source = hashed(side.relation, columns, f", {row_text(columns)} AS cells, {leading_hashes(columns)} AS leading")
    query = (
        f"SELECT h, count(*) AS n, any_value(cells) AS cells, any_value(leading) AS leading FROM {source} "
        f"WHERE {key} IN ({hashes}) GROUP BY h LIMIT {most}"
    )
    return {row["h"]: _Found(row["n"], tuple(row["cells"]), row["leading"]) for row in rows_of(side.spark, query)}


def _leading(rows: Rows) -> list[Leading]:
    return [row.leading for row in rows.values()]


def _surplus(rows: Rows, times: Counter[int]) -> tuple[Row, ...]:
    """Those of *rows* that *times* contains, ordered by their values."""
    found = [Row(row.cells, times[h]) for h, row in rows.items() if times[h]]
    return tuple(sorted(found, key=lambda row: [(cell is not None, cell or "") for cell in row.cells]))
