"""From deliveries that make a wrong table to the fewest of them that still do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyspark.sql import Row, SparkSession
from pyspark.sql.types import StructType

from lakehouse.definition import Event, current, versions
from lakehouse.scratch import scratch_schema

_START, _END = "__START_AT", "__END_AT"


@dataclass(frozen=True)
class Delivery:
    """One row of the source, and the batch that brings it."""

    batch: int
    row: Row


Judge = Callable[[list[list[Delivery]]], list[bool]]


@dataclass(frozen=True)
class Case:
    """How a target is made: *arguments* of `apply` but source, target and type.

    *schema* is the source's; *columns* are the stored ones, *key* among them; *deletes* is the value of *operation*
    that deletes.
    """

    arguments: dict
    scd_type: int
    schema: StructType
    columns: tuple[str, ...]
    key: str
    operation: str = "operation"
    deletes: str = "DELETE"

    @property
    def sequence(self) -> str:
        return self.arguments["sequence_by"]

    @property
    def values(self) -> list[str]:
        return [name for name in self.columns if name != self.key]

    def expected(self, deliveries: list[Delivery]) -> list[tuple]:
        """The rows of one key by the definition: values, and the bounds of its versions for type 2."""
        events = [
            Event(d.row[self.sequence], d.row[self.operation] == self.deletes, tuple(d.row[n] for n in self.values))
            for d in deliveries
        ]
        return versions(events) if self.scd_type == 2 else current(events)

    def found(self, rows: list[Row]) -> list[tuple]:
        """Rows of a target in the form of `expected`."""
        bounds = (_START, _END) if self.scd_type == 2 else ()
        made = [(tuple(row[name] for name in self.values), *(row[name] for name in bounds)) for row in rows]
        return sorted(made, key=lambda version: version[1]) if bounds else made


def smallest(deliveries: list[Delivery], fails: Judge) -> list[Delivery]:
    """The fewest of *deliveries* that still fail, by trying parts and what is left without them (delta debugging).

    Args:
        fails: says of each candidate whether it fails; candidates are judged together, since a judgement is costly.
    """
    parts = 2
    while len(deliveries) > 1:
        pieces = _split(deliveries, parts)
        rest = [[d for other in pieces if other is not piece for d in other] for piece in pieces] if parts > 2 else []
        candidates = [*pieces, *rest]
        verdicts = fails(candidates)
        if True in verdicts:
            first = verdicts.index(True)
            deliveries = candidates[first]
            parts = 2 if first < len(pieces) else max(parts - 1, 2)
        elif parts >= len(deliveries):
            break
        else:
            parts = min(2 * parts, len(deliveries))
    return deliveries


def _split(items: list, parts: int) -> list[list]:
    bounds = [round(i * len(items) / parts) for i in range(parts + 1)]
    return [items[a:b] for a, b in pairwise(bounds) if a < b]


def replay(spark: SparkSession, candidates: Sequence[list[Delivery]], case: Case, apply) -> list[list[tuple]]:
    """The rows that each candidate makes, all in one source, under keys of their own.

    A key's rows depend on its events alone, so candidates do not touch each other; text keys only.
    """
    batches = sorted({delivery.batch for candidate in candidates for delivery in candidate})
    with scratch_schema(spark) as schema:
        source, target = f"{schema}.events", f"{schema}.target"
        for batch in batches:
            rows = [
                Row(**{**d.row.asDict(), case.key: f"candidate {number}"})
                for number, candidate in enumerate(candidates)
                for d in candidate
                if d.batch == batch
            ]
            _append(spark, source, rows, case)
            apply(spark, source=source, target=target, stored_as_scd_type=case.scd_type, **case.arguments)
        made: dict[str, list[Row]] = {}
        for row in spark.table(target).collect():
            made.setdefault(row[case.key], []).append(row)
    return [case.found(made.get(f"candidate {number}", [])) for number in range(len(candidates))]


def _append(spark: SparkSession, source: str, rows: list[Row], case: Case) -> None:
    values = [tuple(row[name] for name in case.schema.names) for row in rows]
    frame = spark.createDataFrame(values, case.schema)
    if spark.catalog.tableExists(source):
        frame.writeTo(source).append()
    else:
        frame.writeTo(source).using("delta").tableProperty("delta.enableChangeDataFeed", "true").create()


def judge(spark: SparkSession, case: Case, apply) -> Judge:
    """Does a candidate make other rows than the definition says?"""

    def fails(candidates: list[list[Delivery]]) -> list[bool]:
        found = replay(spark, candidates, case, apply)
        return [rows != case.expected(candidate) for rows, candidate in zip(found, candidates, strict=True)]

    return fails
