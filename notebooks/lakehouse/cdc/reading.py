"""What a target has not yet applied of its source: which events, which keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from lakehouse.cdc.columns import (
    DELETE,
    INTERNAL,
    SEQUENCE,
    TRUNCATE,
    Columns,
    comparable,
    is_null,
    quote,
)
from lakehouse.cdc.pruning import FEW_KEYS, bounds, extremes, is_bounded
from lakehouse.cdc.request import Request, refuse
from lakehouse.errors import SAMPLES, ChangeEventsError
from lakehouse.tables.progress import REMOVED, Feed, open_changes

# What Delta says where the versions to read from are gone, or the source keeps no change data feed.
_VERSIONS_GONE = ("VERSION", "CHANGE_DATA", "CHANGE_TABLE", "LOG_FILE", "STATE_RECOVER", "FAILED_READ_FILE")
TIE, _ROWS, _REMOVED = (INTERNAL + name for name in ("tie", "rows", "removed"))


@dataclass(frozen=True)
class Batch:
    """The events that a target lacks.

    *events* are those rows, *ledger* is the whole source at the same version, both with the columns that `_normal`
    makes. *within* is SQL over `{t}` that bounds the keys by literals. *truncated* tells of a truncate in the batch.
    """

    feed: Feed
    events: DataFrame
    ledger: DataFrame
    events_read: int = 0
    keys_touched: int = 0
    ties: int = 0
    truncated: bool = False
    within: str = "true"

    @property
    def is_all(self) -> bool:
        """Are the keys of the whole source touched?"""
        return self.feed.is_all or self.truncated


def read_batch(spark: SparkSession, request: Request, columns: Columns, feed: Feed) -> Batch:
    """The events of *feed*, checked and counted; all of the source where rows were changed in it, or taken from it.

    Raises:
        ChangeArgumentsError: a condition of the request does not fit the source.
        ChangeEventsError: an event has no key or no sequence.
    """
    ledger = spark.read.option("versionAsOf", feed.last).table(feed.source)
    feed, changes = open_changes(spark, feed)
    if not feed.is_all:
        try:
            found = _checked(request, columns, Batch(feed, changes, ledger))
            if found:
                return found
            print(f"{feed.source}: rows were changed or removed since version {feed.first}, reading all of it")
        except PySparkException as error:
            if not any(word in (error.getCondition() or str(error)) for word in _VERSIONS_GONE):
                raise
    return _checked(request, columns, Batch(replace(feed, first=None), ledger, ledger))


def _checked(request: Request, columns: Columns, batch: Batch) -> Batch | None:
    """*batch* with its counts; None where it is a part of the source, and more than additions."""
    removed = "false" if batch.feed.is_all else REMOVED
    events = _normal(request, columns, batch.events, f"{removed} AS {_REMOVED}")
    lacks = _missing_parts(columns)
    rows, keys, ties, truncated, removed, *rest = _counted(columns, events, lacks)
    if removed:
        return None
    counts = dict(zip(lacks, rest, strict=False))
    if any(counts.values()):
        _raise_incomplete(request, columns, batch.events, counts)
    found = replace(
        batch,
        events=events,
        ledger=_normal(request, columns, batch.ledger),
        events_read=rows,
        keys_touched=keys,
        ties=ties,
        truncated=truncated,
    )
    return found if found.is_all else replace(found, within=_within(columns, found, rest[len(lacks) :]))


def _counted(columns: Columns, events: DataFrame, lacks: dict[str, str]) -> Row:
    """Events, keys, ties; is there a truncate, a row that was removed; events without each of *lacks*; key bounds."""
    names = [quote(name) for name in columns.key_names]
    touched = events.groupBy(*names, SEQUENCE, TRUNCATE).agg(
        F.expr(f"count(*) AS {_ROWS}"),
        F.expr(f"{differs(columns)} AS {TIE}"),
        F.expr(f"bool_or({_REMOVED}) AS {_REMOVED}"),
    )
    return touched.agg(
        F.expr(f"coalesce(sum({_ROWS}), 0)"),
        F.expr(f"count(DISTINCT CASE WHEN NOT {TRUNCATE} THEN struct({', '.join(names)}) END)"),
        F.expr(f"count_if({TIE} AND NOT {TRUNCATE})"),
        F.expr(f"coalesce(bool_or({TRUNCATE}), false)"),
        F.expr(f"coalesce(bool_or({_REMOVED}), false)"),
        *[F.expr(f"coalesce(sum({_ROWS}) FILTER (WHERE {sql}), 0)") for sql in lacks.values()],
        *_extremes(columns),
    ).first()


def _normal(request: Request, columns: Columns, rows: DataFrame, *more: str) -> DataFrame:
    """The stored columns of *rows*, with the sequence and what kind of event it is; NULL conditions are not true."""
    marks = {DELETE: request.apply_as_deletes, TRUNCATE: request.apply_as_truncates}
    stored = [quote(name) for name in columns.key_names + columns.value_names]
    conditions = [f"{is_true(sql)} AS {mark}" for mark, sql in marks.items()]
    normal = rows.selectExpr(*stored, f"{columns.sequence} AS {SEQUENCE}", *conditions, *more)
    try:
        normal.schema  # noqa: B018 - asks the server, which looks at the conditions
    except PySparkException as error:
        condition = error.getCondition() or ""
        if condition.startswith(("UNRESOLVED", "PARSE", "DATATYPE", "INVALID", "CAST")):
            shown = " and ".join(f"`{sql}`" for sql in marks.values() if sql)
            refuse(
                request.target,
                f"the condition {shown} ({str(error).splitlines()[0]})",
                f"SQL that is true or false over the columns of `{request.source}`",
                "Correct the condition",
            )
        raise
    return normal


def is_true(condition: str | None) -> str:
    """SQL: does *condition* hold? NULL does not; the line's end is that of a comment in it."""
    return f"coalesce(({condition}\n), false)" if condition else "false"


def _missing_parts(columns: Columns) -> dict[str, str]:
    """SQL by what an event lacks: `SEQUENCE`, and each column of its key."""
    lacks = {SEQUENCE: is_null(SEQUENCE, columns.sequence_type)}
    return lacks | {name: f"({quote(name)} IS NULL AND NOT {TRUNCATE})" for name in columns.key_names}


def _raise_incomplete(request: Request, columns: Columns, raw: DataFrame, counts: dict[str, int]) -> None:
    truncate = is_true(request.apply_as_truncates)
    parts = _missing_parts(columns).values()
    broken = " OR ".join(sql.replace(SEQUENCE, columns.sequence).replace(TRUNCATE, truncate) for sql in parts)
    rows = [str(row.asDict()) for row in raw.where(broken).limit(SAMPLES).collect()]
    named = [f"{counts[name]:,} with a NULL in key `{name}`" for name in columns.key_names if counts[name]]
    if counts[SEQUENCE]:
        named.insert(0, f"{counts[SEQUENCE]:,} with a NULL sequence")
    raise ChangeEventsError(
        f"`{request.source}`: found events {', '.join(named)}; expected a key and a sequence in each, so none was "
        f"applied to `{request.target}`. Quarantine them before they are staged. The first: " + "; ".join(rows),
        table=request.source,
        counts={"sequence": counts[SEQUENCE]} | {name: counts[name] for name in columns.key_names},
    )


def differs(columns: Columns) -> str:
    """SQL over the events of one key and sequence: do they differ in anything that the target would show?"""
    shown = [f"CASE WHEN NOT {DELETE} THEN {comparable(quote(f.name), f.dataType)} END" for f in columns.values]
    content = f"struct({', '.join([DELETE, *shown])})"
    return f"NOT (min({content}) <=> max({content}))"


def _extremes(columns: Columns) -> list:
    parts: list[Callable] = []
    for key in columns.keys:
        name = quote(key.name) if is_bounded(key.dataType) else "NULL"
        parts += [F.expr(f"{kind}({name}) FILTER (WHERE NOT {TRUNCATE})") for kind in ("min", "max")]
    return parts


def _within(columns: Columns, batch: Batch, extreme_values: list) -> str:
    if batch.keys_touched > FEW_KEYS:
        return extremes(columns.keys, extreme_values)
    names = [quote(name) for name in columns.key_names]
    rows = batch.events.where(f"NOT {TRUNCATE}").select(*names).distinct().collect()
    return bounds(columns.keys, rows)
