"""Reduces deliveries that make a wrong table to the fewest of them that still do."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.types import IntegerType, StructField, StructType

from lakehouse.cdc.columns import END, START, Columns
from lakehouse.cdc.reading import is_true
from lakehouse.verification.definition import Event, current, versions
from lakehouse.verification.scratch import scratch_schema

_CANDIDATE, _SEQUENCE, _DELETES = "candidate_number", "candidate_sequence", "candidate_deletes"


@dataclass(frozen=True)
class Delivery:
    """One row of the source, the batch that delivers it, and the event that it represents."""

    batch: int
    row: Row
    event: Event


Judge = Callable[[list[list[Delivery]]], list[bool]]

Made = Sequence[tuple[Any, ...]]  # the rows of one key: values, and the bounds of its versions for type 2


@dataclass(frozen=True)
class Case:
    """How a target is made: *arguments* of `apply` except source, target and type, which is *scd_type*.

    *schema* is the source's; *columns* are those of the target, from `resolve_columns`.
    """

    arguments: dict[str, Any]
    scd_type: int
    schema: StructType
    columns: Columns

    def deliveries(self, rows: DataFrame) -> list[tuple[tuple[Any, ...], Delivery]]:
        """*rows*, which are the source's with the column `_batch`, by their keys."""
        deletes = is_true(self.arguments.get("apply_as_deletes"))
        told = rows.selectExpr("*", f"{self.columns.sequence} AS {_SEQUENCE}", f"{deletes} AS {_DELETES}")
        found = []
        for row in told.collect():
            key = tuple(row[name] for name in self.columns.key_names)
            values = tuple(_plain(row[name]) for name in self.columns.value_names)
            bare = Row(**{name: row[name] for name in self.schema.names})
            event = Event(row[_SEQUENCE], row[_DELETES], values)
            found.append((key, Delivery(row["_batch"], bare, event)))
        return found

    def expected(self, deliveries: list[Delivery]) -> Made:
        """The rows of one key according to the definition: values, and the bounds of its versions for type 2."""
        events = [delivery.event for delivery in deliveries]
        ignore = self.arguments.get("ignore_null_updates", False)
        if self.scd_type == 1:
            return current(events, ignore_nulls=ignore)
        tracked = [place for place, name in enumerate(self.columns.value_names) if name in self.columns.tracked]
        return versions(events, tracked=tracked, ignore_nulls=ignore)

    def found(self, rows: list[Row]) -> Made:
        """Rows of a target in the form of `expected`."""
        bounds = (START, END) if self.scd_type == 2 else ()
        made = [
            (tuple(_plain(row[name]) for name in self.columns.value_names), *(row[b] for b in bounds)) for row in rows
        ]
        return sorted(made, key=lambda version: version[1]) if bounds else made


def _plain(value: object) -> object:
    """*value* with structs as tuples, and with a single NaN, so that it equals itself."""
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(_plain, value))
    return math.nan if isinstance(value, float) and math.isnan(value) else value


def smallest(deliveries: list[Delivery], fails: Judge) -> list[Delivery]:
    """The fewest of *deliveries* that still fail, found by trying parts and the rest without them (delta debugging).

    Args:
        fails: says for each candidate whether it fails; candidates are judged together, because judging is expensive.
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


def _split(items: list[Delivery], parts: int) -> list[list[Delivery]]:
    bounds = [round(i * len(items) / parts) for i in range(parts + 1)]
    return [items[a:b] for a, b in pairwise(bounds) if a < b]


def replay(
    spark: SparkSession, candidates: Sequence[list[Delivery]], case: Case, apply: Callable[..., Any]
) -> list[Made]:
    """The rows that each candidate produces, all in one source.

    The rows of a key depend only on its events, so candidates do not affect each other: their number is part of the
    key.
    """
    batches = sorted({delivery.batch for candidate in candidates for delivery in candidate})
    arguments = case.arguments | {"keys": [*case.arguments["keys"], _CANDIDATE]}
    if listed := case.arguments.get("column_list"):
        arguments["column_list"] = [*listed, _CANDIDATE]
    with scratch_schema(spark) as schema:
        source, target = f"{schema}.events", f"{schema}.target"
        for batch in batches:
            rows = [
                (*delivery.row, number)
                for number, candidate in enumerate(candidates)
                for delivery in candidate
                if delivery.batch == batch
            ]
            _append(spark, source, rows, StructType([*case.schema.fields, StructField(_CANDIDATE, IntegerType())]))
            apply(spark, source=source, target=target, stored_as_scd_type=case.scd_type, **arguments)
        made: dict[int, list[Row]] = {}
        for row in spark.table(target).collect():
            made.setdefault(row[_CANDIDATE], []).append(row)
    return [case.found(made.get(number, [])) for number in range(len(candidates))]


def _append(spark: SparkSession, source: str, rows: list[tuple[Any, ...]], schema: StructType) -> None:
    frame = spark.createDataFrame(rows, schema)
    if spark.catalog.tableExists(source):
        frame.writeTo(source).append()
    else:
        frame.writeTo(source).using("delta").tableProperty("delta.enableChangeDataFeed", "true").create()


def judge(spark: SparkSession, case: Case, apply: Callable[..., Any]) -> Judge:
    """Does a candidate produce other rows than the definition says?"""

    def fails(candidates: list[list[Delivery]]) -> list[bool]:
        found = replay(spark, candidates, case, apply)
        return [rows != case.expected(candidate) for rows, candidate in zip(found, candidates, strict=True)]

    return fails
