"""Turns full copies of a table, one per version, into SCD type 1 or 2 rows.

Applying a snapshot again changes nothing, so a call that is killed between its data and its progress is simply
repeated.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField

from .columns import END, GONE, INTERNAL, START, Columns, comparable, quote, resolve_columns
from .delta import only_row, text
from .errors import SAMPLES, SnapshotError, samples
from .flow import Flow, make_flow, refuse
from .growing import grow_target
from .merging import Applied, by_key_ranges, create_target, difference, files_for, held_rows, merge_difference
from .progress import Mark, Progress
from .settings import Target, check_kind, check_settings, in_target_order, read_target, settings_of
from .versions import Version, given_by, last_version, remembered, versions_of

_A_FUNCTION = "a function of versions"
_WANTED, _HAS = INTERNAL + "wanted", INTERNAL + "has"


@dataclass(frozen=True)
class Snapshot:
    """The result of applying one snapshot: its number of *rows*, each with a distinct key, and what was written."""

    rows: int
    applied: Applied


def apply_snapshots(
    spark: SparkSession,
    source: str | Callable[[Version], Any],
    arguments: dict[str, Any],
    progress: Progress | None = None,
) -> Iterator[Snapshot]:
    """Apply the snapshots that the target has not seen, one after the other; *progress* is read if it is not given.

    Raises:
        ChangeArgumentsError, ChangeTargetError, SnapshotError: nothing of the snapshot was written.
    """
    given: object = source
    flow = make_flow(source=given if isinstance(given, str) else _A_FUNCTION, **arguments)
    if not isinstance(given, str) and not callable(given):
        refuse(flow.target, f"`source={source!r}`", "the name of a table, or a function of versions", "Give one")
    progress = progress or Progress(spark, [flow.target])
    mark = progress.find(flow.target, flow.source)
    held = read_target(spark, flow.target, mark)
    check_kind(held, "snapshots")
    last, at_ms = last_version(spark, held, mark)
    snapshots = versions_of(spark, flow) if isinstance(source, str) else given_by(flow, source)
    while found := snapshots(last, at_ms):
        rows, version = found
        if last is not None and version <= last:
            return
        yield _apply(spark, flow, rows, version, progress)
        last, at_ms = version, 0


def _apply(spark: SparkSession, flow: Flow, rows: DataFrame, version: Version, progress: Progress) -> Snapshot:
    known = remembered(flow, version)
    columns = replace(resolve_columns(flow, rows.schema), sequence=known.sql, sequence_type=known.type)
    held = read_target(spark, flow.target, progress.find(flow.target, flow.source))
    settings = settings_of(flow, columns)
    check_settings(held, settings)
    columns = in_target_order(columns, held) if held.is_made else columns
    count = _checked_count(flow, rows, columns, version)
    wanted = rows.selectExpr(*[quote(name) for name in columns.key_names + columns.value_names])
    if held.is_made:
        grow_target(spark, held, columns, settings)
        done = _merge(spark, flow, wanted, columns)
        settings = held.settings
    else:
        first = known.number if known.word is None else known.word
        settings |= {"generation": uuid4().hex, "first_version": str(first), **known.settings}
        done = _create(spark, flow, held, wanted, columns, settings=settings, rows=count)
    progress.record([Mark(flow.target, flow.source, known.number, None, settings | known.settings)])
    return Snapshot(count, done)


def _checked_count(flow: Flow, rows: DataFrame, columns: Columns, version: object) -> int:
    """The number of rows in the snapshot, each of which has a distinct key."""
    names = [quote(name) for name in columns.key_names]
    null = " OR ".join(f"{name} IS NULL" for name in names)
    keys = rows.groupBy(*names).agg(F.expr(f"count(*) AS {_HAS}"))
    one = f"to_json(struct({', '.join(names)}), map('ignoreNullFields', 'false'))"
    many = f"CASE WHEN {_HAS} > 1 AND NOT ({null}) THEN {one} END"
    counted = keys.agg(
        F.expr(f"coalesce(sum({_HAS}), 0)"),
        F.expr(f"coalesce(sum({_HAS}) FILTER (WHERE {null}), 0)"),
        F.expr(f"count({many})"),
        F.expr(f"slice(array_sort(collect_list({many})), 1, {SAMPLES})"),
    )
    count, nulls, twice, found = only_row(counted)
    if nulls or twice:
        what = [f"{nulls:,} rows with a NULL key"] if nulls else []
        if twice:
            more = found + [""] * (twice - len(found))
            what.append(f"{twice:,} keys more than once: {samples(more)}")
        raise SnapshotError(
            f"`{flow.target}`: found in the snapshot of version {version} {' and '.join(what)}; expected each key "
            "once, so the snapshot was not applied. Correct the snapshot, or name more `keys`.",
            table=flow.target,
            version=version,
            keys=found,
        )
    return int(count)


def _create(
    spark: SparkSession,
    flow: Flow,
    held: Target,
    wanted: DataFrame,
    columns: Columns,
    *,
    settings: dict[str, str],
    rows: int,
) -> Applied:
    if flow.keeps_history:
        kind = columns.sequence_type.simpleString()
        wanted = wanted.selectExpr("*", f"{columns.sequence} AS {START}", f"CAST(NULL AS {kind}) AS {END}")
    files = files_for(rows)
    wanted = by_key_ranges(wanted, columns, files).sortWithinPartitions(*[quote(name) for name in columns.key_names])
    return create_target(spark, held, wanted, columns, settings=settings, files=files)


def _merge(spark: SparkSession, flow: Flow, wanted: DataFrame, columns: Columns) -> Applied:
    has = held_rows(spark, flow.target, columns, history=flow.keeps_history)
    changed = _versions(wanted, has.where(f"{END} IS NULL"), columns) if flow.keeps_history else None
    rows = difference(wanted, has, columns) if changed is None else changed
    return merge_difference(spark, flow.target, rows, columns)


def _versions(wanted: DataFrame, has: DataFrame, columns: Columns) -> DataFrame:
    """What a snapshot changes in the open rows: some are closed, some are opened, some are rewritten in place."""
    now, kind = columns.sequence, columns.sequence_type.simpleString()
    end = f"CAST(NULL AS {kind})"
    opened = _row(columns, "w", start=now, end=end, gone="false")
    in_place = _row(columns, "w", start=f"h.{START}", end=end, gone="false")
    closed = _row(columns, "h", start=f"h.{START}", end=now, gone=f"h.{START} = {now}")
    tracked = [f for f in columns.values if f.name in columns.tracked]
    changes = (
        f"CASE WHEN h.{_HAS} IS NULL THEN array({opened}) WHEN w.{_WANTED} IS NULL THEN array({closed}) "
        f"WHEN {_same(columns.values)} THEN slice(array({opened}), 1, 0) "
        f"WHEN h.{START} = {now} OR {_same(tracked)} THEN array({in_place}) ELSE array({closed}, {opened}) END"
    )
    on = " AND ".join(f"w.{quote(name)} = h.{quote(name)}" for name in columns.key_names)
    pairs = (
        wanted.selectExpr("*", f"true AS {_WANTED}")
        .alias("w")
        .join(has.selectExpr("*", f"true AS {_HAS}").alias("h"), F.expr(on), "full_outer")
    )
    return pairs.selectExpr(f"inline({changes})")


def _row(columns: Columns, side: str, *, start: str, end: str, gone: str) -> str:
    names = columns.key_names + columns.value_names
    fields = [f"{text(name)}, {side}.{quote(name)}" for name in names]
    return f"named_struct({', '.join(fields)}, '{START}', {start}, '{END}', {end}, '{GONE}', {gone})"


def _same(fields: Iterable[StructField]) -> str:
    pairs = [
        f"{comparable(f'w.{quote(f.name)}', f.dataType)} <=> {comparable(f'h.{quote(f.name)}', f.dataType)}"
        for f in fields
    ]
    return f"({' AND '.join(pairs) or 'true'})"
