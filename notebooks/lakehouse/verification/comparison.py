"""Two tables that should be equal: how many rows each of them lacks, and which keys these have."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cdc.columns import comparable, quote
from lakehouse.errors import SAMPLES


@dataclass(frozen=True)
class Comparison:
    """The comparison of one table with another: *missing* and *surplus* rows of the first."""

    against: str
    feed: str
    kind: str
    rows: int
    missing: int
    surplus: int

    @property
    def differs(self) -> bool:
        return bool(self.missing or self.surplus)

    def __str__(self) -> str:
        verdict = f"DIFFERENT: {self.missing} rows missing, {self.surplus} too many" if self.differs else "equal"
        return f"{self.against:<34} {self.feed:<10} {self.kind:<8} {self.rows:>9,} rows  {verdict}"


def compare(
    found: DataFrame, expected: DataFrame, of: tuple[str, str, str], *, keys: list[str]
) -> tuple[Comparison, list[tuple[Any, ...]]]:
    """Compare *found* with *expected*, which may be text: what differs, and at most five keys (rows) that do.

    Args:
        of: what it is compared with, the feed's name and the kind of table, for the reader.
    """
    fields = found.schema.fields
    expected = expected.select(*[F.col(quote(f.name)).cast(f.dataType).alias(f.name) for f in fields])
    shown = [f"{comparable(quote(f.name), f.dataType)} AS {quote(f.name)}" for f in fields]
    found, expected = found.selectExpr(*shown), expected.selectExpr(*shown)
    missing, surplus = expected.exceptAll(found), found.exceptAll(expected)
    names = [quote(name) for name in keys]
    sides = missing.selectExpr(*names, "1 AS side").unionAll(surplus.selectExpr(*names, "0 AS side"))
    rows = sides.groupBy(*names).agg(F.expr("sum(side)"), F.expr("count(*) - sum(side)")).collect()
    lacks, has = sum(row[-2] for row in rows), sum(row[-1] for row in rows)
    return Comparison(*of, found.count(), lacks, has), sorted((tuple(row[:-2]) for row in rows), key=str)[:SAMPLES]
