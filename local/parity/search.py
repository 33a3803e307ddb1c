"""Rows that one side has and the other lacks, found without moving whole tables.

Two servers cannot join. So each counts and sums its hashes in buckets; only the hashes of buckets that differ are
fetched, of so many buckets as hold a bounded number of rows; and only of a bounded number of hashes the rows.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import DataType

from local.parity.digests import SUM, hashed
from local.parity.hashing import row_text
from local.parity.outline import Relation, rows_of

BUCKETS = 4096
HASHES = 50_000  # of a side, unless a single bucket holds more
ROWS = 200  # of a side: more than are shown, so that the two states of a row are found together
Buckets = Mapping[int, tuple[int, Any]]  # number of rows, sum of hashes


@dataclass(frozen=True)
class Row:
    """A row as texts, and how many *times* more the side has it than the other."""

    cells: tuple[str | None, ...]
    times: int


@dataclass(frozen=True)
class Differing:
    """Rows of *columns* that only *a* has and those that only *b* has; *complete*: there are no others."""

    columns: tuple[str, ...]
    a: tuple[Row, ...]
    b: tuple[Row, ...]
    complete: bool


@dataclass(frozen=True)
class Source:
    """A relation and the session that reads it; None where the side lacks it."""

    spark: Any
    relation: Relation | None


def differing_rows(a: Source, b: Source, columns: Mapping[str, DataType]) -> Differing:
    """Rows that differ between *a* and *b*; *columns* are those compared, in the order to show them."""
    buckets_a, buckets_b = _buckets(a, columns), _buckets(b, columns)
    differ = sorted(key for key in buckets_a.keys() | buckets_b if buckets_a.get(key) != buckets_b.get(key))
    searched = within_limit(differ, buckets_a, buckets_b)
    hashes_a, hashes_b = _hashes(a, columns, searched), _hashes(b, columns, searched)
    only_a, only_b = hashes_a - hashes_b, hashes_b - hashes_a
    complete = len(searched) == len(differ) and max(len(only_a), len(only_b)) <= ROWS
    return Differing(tuple(columns), _rows(a, columns, only_a), _rows(b, columns, only_b), complete)


def within_limit(differ: list[int], a: Buckets, b: Buckets) -> list[int]:
    """The first of the buckets *differ*: as many as have `HASHES` rows on each side, at least one."""
    taken, rows_a, rows_b = [], 0, 0
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
    """The hashes in *buckets*, and how often each is there."""
    if not buckets:
        return Counter()
    wanted = ", ".join(map(str, buckets))
    source = hashed(side.relation, columns)
    query = f"SELECT h, count(*) AS n FROM {source} WHERE pmod(h, {BUCKETS}) IN ({wanted}) GROUP BY h"
    return Counter({row["h"]: row["n"] for row in rows_of(side.spark, query)})


def _rows(side: Source, columns: Mapping[str, DataType], wanted: Counter[int]) -> tuple[Row, ...]:
    """The rows of the first `ROWS` hashes of *wanted*, by their values."""
    if not wanted:
        return ()
    hashes = ", ".join(f"{each}L" for each in sorted(wanted)[:ROWS])
    source = hashed(side.relation, columns, f", {row_text(columns)} AS cells")
    query = f"SELECT h, any_value(cells) AS cells FROM {source} WHERE h IN ({hashes}) GROUP BY h"
    found = [Row(tuple(row["cells"]), wanted[row["h"]]) for row in rows_of(side.spark, query)]
    return tuple(sorted(found, key=lambda row: [(cell is not None, cell or "") for cell in row.cells]))
