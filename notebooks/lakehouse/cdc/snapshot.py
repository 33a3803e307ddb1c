"""Whole copies of a table, one a version, become SCD type 1 or 2 rows.

Applying a snapshot again changes nothing, so a call killed between its data and its progress is simply repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.cdc.columns import END, GONE, INTERNAL, START, Columns, comparable, quote, resolve_columns
from lakehouse.cdc.growing import grow_target
from lakehouse.cdc.merging import Applied, create_target, difference, held_rows, merge_difference
from lakehouse.cdc.request import Request, check_request, refuse
from lakehouse.cdc.settings import Target, check_settings, in_target_order, read_target, settings_of
from lakehouse.cdc.versions import given_by, last_version, number_of, versions_of
from lakehouse.errors import SAMPLES, SnapshotError, samples
from lakehouse.tables.delta import text
from lakehouse.tables.progress import Feed, record_progress

_A_FUNCTION = "a function of versions"
_WANTED, _HAS = INTERNAL + "wanted", INTERNAL + "has"


def apply_snapshots(
    spark: SparkSession, source: str | Callable, arguments: dict[str, object]
) -> Iterator[tuple[int, int, Applied]]:
    """Apply the snapshots that the target has not seen; gives rows read, keys, and what was written, of each.

    Raises:
        ChangeArgumentsError, ChangeTargetError, SnapshotError: nothing of the snapshot was written.
    """
    request = check_request(source=source if isinstance(source, str) else _A_FUNCTION, **arguments)
    if not isinstance(source, str) and not callable(source):
        refuse(request.target, f"`source={source!r}`", "the name of a table, or a function of versions", "Give one")
    last, at_ms = last_version(spark, request)
    snapshots = versions_of(spark, request) if isinstance(source, str) else given_by(request, source)
    while found := snapshots(last, at_ms):
        rows, version, at_ms = found
        if last is not None and version <= last:
            return
        yield _apply(spark, request, rows, version, at_ms)
        last = version


def _apply(
    spark: SparkSession, request: Request, rows: DataFrame, version: object, at_ms: int
) -> tuple[int, int, Applied]:
    number, kind, literal = number_of(request, version)
    columns = replace(resolve_columns(request, rows.schema), sequence=literal, sequence_type=kind)
    held = read_target(spark, request.target)
    settings = settings_of(request, columns)
    check_settings(held, settings)
    columns = in_target_order(columns, held) if held.is_made else columns
    count = _checked_count(request, rows, columns, version)
    wanted = rows.selectExpr(*[quote(name) for name in columns.key_names + columns.value_names])
    generation = held.settings.get("generation", uuid4().hex)
    if held.is_made:
        grow_target(spark, held, columns, settings)
        done = _merge(spark, request, wanted, columns)
    else:
        settings |= {"generation": generation, "first_version": str(number)}
        done = _create(spark, request, held, wanted, columns, settings=settings, rows=count)
    record_progress(spark, [Feed(request.target, request.source, generation, None, number, at_ms)])
    return count, count, done


def _checked_count(request: Request, rows: DataFrame, columns: Columns, version: object) -> int:
    """How many rows the snapshot has, each with a key of its own."""
    names = [quote(name) for name in columns.key_names]
    null = " OR ".join(f"{name} IS NULL" for name in names)
    keys = rows.groupBy(*names).agg(F.expr(f"count(*) AS {_HAS}"))
    one = f"to_json(struct({', '.join(names)}), map('ignoreNullFields', 'false'))"
    many = f"CASE WHEN {_HAS} > 1 AND NOT ({null}) THEN {one} END"
    count, nulls, twice, found = keys.agg(
        F.expr(f"coalesce(sum({_HAS}), 0)"),
        F.expr(f"coalesce(sum({_HAS}) FILTER (WHERE {null}), 0)"),
        F.expr(f"count({many})"),
        F.expr(f"slice(array_sort(collect_list({many})), 1, {SAMPLES})"),
    ).first()
    if nulls or twice:
        what = [f"{nulls:,} rows with a NULL key"] if nulls else []
        if twice:
            more = found + [""] * (twice - len(found))
            what.append(f"{twice:,} keys more than once: {samples(more)}")
        raise SnapshotError(
            f"`{request.target}`: found in the snapshot of version {version} {' and '.join(what)}; expected each key "
            "once, so the snapshot was not applied. Correct the snapshot, or name more `keys`.",
            table=request.target,
            version=version,
            keys=found,
        )
    return count


def _create(
    spark: SparkSession,
    request: Request,
    held: Target,
    wanted: DataFrame,
    columns: Columns,
    *,
    settings: dict,
    rows: int,
) -> Applied:
    if request.keeps_history:
        kind = columns.sequence_type.simpleString()
        wanted = wanted.selectExpr("*", f"{columns.sequence} AS {START}", f"CAST(NULL AS {kind}) AS {END}")
    return create_target(spark, held, wanted, columns, settings=settings, events=rows)


def _merge(spark: SparkSession, request: Request, wanted: DataFrame, columns: Columns) -> Applied:
    has = held_rows(spark, request.target, columns, history=request.keeps_history)
    changed = _versions(wanted, has.where(f"{END} IS NULL"), columns) if request.keeps_history else None
    rows = difference(wanted, has, columns) if changed is None else changed
    return merge_difference(spark, request.target, rows, columns)


def _versions(wanted: DataFrame, has: DataFrame, columns: Columns) -> DataFrame:
    """What a snapshot changes in the open rows: some are closed, some opened, some written in place."""
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


def _same(fields) -> str:
    pairs = [
        f"{comparable(f'w.{quote(f.name)}', f.dataType)} <=> {comparable(f'h.{quote(f.name)}', f.dataType)}"
        for f in fields
    ]
    return f"({' AND '.join(pairs) or 'true'})"
