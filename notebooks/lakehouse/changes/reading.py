"""What a target has not yet applied of its source: which versions, which events, which keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.changes.columns import (
    DELETE,
    SEQUENCE,
    TRUNCATE,
    Columns,
    comparable,
    is_null,
    quote,
)
from lakehouse.changes.pruning import FEW_KEYS, bounds, extremes, is_bounded
from lakehouse.changes.request import Request, refuse
from lakehouse.changes.settings import Target
from lakehouse.errors import SAMPLES, ChangeEventsError, PlaceError
from lakehouse.operations import create_operations_tables, read_operations
from lakehouse.progress import Feed, open_feed, record_progress
from lakehouse.tables import identity, latest_commit, text

# What Delta says where the versions to read from are gone, or the source keeps no change data feed.
_VERSIONS_GONE = ("VERSION", "CHANGE_DATA", "CHANGE_TABLE", "LOG_FILE", "STATE_RECOVER", "FAILED_READ_FILE")
_CREATING = Lock()


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


def find_feed(spark: SparkSession, request: Request, target: Target) -> Feed:
    """The versions of the source that *target* lacks; all of them where it was not made yet.

    Raises:
        PlaceError: the source does not exist.
    """
    source = request.source
    commit = latest_commit(spark, source)
    if commit is None:
        raise _no_source(request)
    known = _progress(spark, request.target, source)
    if known and (known["source_version"], known["source_committed_ms"]) == (commit.version, commit.at_ms):
        table_id = known["source_table_id"]
    else:
        table_id = identity(spark, source).id
    same = target.is_made and known is not None and known["source_table_id"] == table_id
    first = known["source_version"] + 1 if same and known["source_version"] <= commit.version else None
    return Feed(request.target, source, table_id, first, commit.version, commit.at_ms)


def _progress(spark: SparkSession, target: str, source: str):
    query = (
        f"SELECT * FROM ops.progress WHERE target = {text(target)} AND source = {text(source)} "
        "ORDER BY recorded_at DESC, source_version DESC LIMIT 1"
    )
    rows = progress_rows(spark, query)
    return rows[0] if rows else None


def progress_rows(spark: SparkSession, query: str) -> list[Row]:
    """The rows of *query* over `ops.progress`, which is created where it is missing."""
    try:
        return read_operations(spark, query)
    except PlaceError:
        with _CREATING:  # the targets of a pipeline are applied at the same time, in threads
            try:
                return read_operations(spark, query)
            except PlaceError:
                spark.sql("CREATE SCHEMA IF NOT EXISTS ops")
                create_operations_tables(spark)
        return read_operations(spark, query)


def forget_progress(spark: SparkSession, feed: Feed) -> None:
    """Let the target of *feed* read all of its source the next time, should this call not come to its end."""
    record_progress(spark, [Feed(feed.target, feed.source, None, None, None, None)])


def read_batch(spark: SparkSession, request: Request, columns: Columns, feed: Feed) -> Batch:
    """The events of *feed*, checked and counted.

    Raises:
        ChangeArgumentsError: a condition of the request does not fit the source.
        ChangeEventsError: an event has no key or no sequence.
    """
    ledger = spark.read.option("versionAsOf", feed.last).table(feed.source)
    feed, rows = open_feed(spark, feed)
    if not feed.is_all:
        try:
            return _checked(request, columns, Batch(feed, rows, ledger))
        except PySparkException as error:
            if not any(word in (error.getCondition() or str(error)) for word in _VERSIONS_GONE):
                raise
    return _checked(request, columns, Batch(replace(feed, first=None), ledger, ledger))


def _checked(request: Request, columns: Columns, batch: Batch) -> Batch:
    events, raw = _normal(request, columns, batch.events), batch.events
    kept = {name: F.expr(sql) for name, sql in _missing_parts(columns).items()}
    touched = events.groupBy(*[quote(name) for name in columns.key_names], SEQUENCE, TRUNCATE).agg(
        F.expr("count(*) AS n"), F.expr(f"{_differs(columns)} AS tie")
    )
    keys = f"struct({', '.join(quote(name) for name in columns.key_names)})"
    row = touched.agg(
        F.expr("coalesce(sum(n), 0)"),
        F.expr(f"count(DISTINCT CASE WHEN NOT {TRUNCATE} THEN {keys} END)"),
        F.expr(f"count_if(tie AND NOT {TRUNCATE})"),
        F.expr(f"coalesce(bool_or({TRUNCATE}), false)"),
        *[F.expr(f"coalesce(sum(n) FILTER (WHERE {sql}), 0)") for sql in _missing_parts(columns).values()],
        *_extremes(columns),
    ).first()
    first_count, last_count = 4, 4 + len(kept)
    counts = dict(zip(kept, row[first_count:last_count], strict=True))
    if any(counts.values()):
        _raise_incomplete(request, columns, raw, counts)
    found = replace(
        batch,
        events=events,
        ledger=_normal(request, columns, batch.ledger),
        events_read=row[0],
        keys_touched=row[1],
        ties=row[2],
        truncated=row[3],
    )
    if found.is_all:
        return found
    return replace(found, within=_within(columns, found, row[last_count:]))


def _normal(request: Request, columns: Columns, rows: DataFrame) -> DataFrame:
    """The stored columns of *rows*, with the sequence and what kind of event it is; NULL conditions are not true."""
    marks = {DELETE: request.apply_as_deletes, TRUNCATE: request.apply_as_truncates}
    stored = [quote(name) for name in columns.key_names + columns.value_names]
    conditions = [f"coalesce({f'({sql})' if sql else 'false'}, false) AS {mark}" for mark, sql in marks.items()]
    normal = rows.selectExpr(*stored, f"{columns.sequence} AS {SEQUENCE}", *conditions)
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


def _missing_parts(columns: Columns) -> dict[str, str]:
    """SQL by what an event lacks: its sequence, and each column of its key."""
    lacks = {"sequence": is_null(SEQUENCE, columns.sequence_type)}
    return lacks | {name: f"({quote(name)} IS NULL AND NOT {TRUNCATE})" for name in columns.key_names}


def _raise_incomplete(request: Request, columns: Columns, raw: DataFrame, counts: dict[str, int]) -> None:
    truncate = f"coalesce(({request.apply_as_truncates or 'false'}), false)"
    parts = _missing_parts(columns).values()
    broken = " OR ".join(sql.replace(SEQUENCE, columns.sequence).replace(TRUNCATE, truncate) for sql in parts)
    rows = [str(row.asDict()) for row in raw.where(broken).limit(SAMPLES).collect()]
    named = [f"{counts[name]:,} with a NULL in key `{name}`" for name in columns.key_names if counts[name]]
    if counts["sequence"]:
        named.insert(0, f"{counts['sequence']:,} with a NULL sequence")
    raise ChangeEventsError(
        f"`{request.source}`: found events {', '.join(named)}; expected a key and a sequence in each, so none was "
        f"applied to `{request.target}`. Quarantine them before they are staged. The first: " + "; ".join(rows),
        table=request.source,
        counts=counts,
    )


def _differs(columns: Columns) -> str:
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


def source_columns(spark: SparkSession, request: Request) -> StructType:
    """The columns of the source.

    Raises:
        PlaceError: the source does not exist.
    """
    try:
        return spark.table(request.source).schema
    except PySparkException as error:
        if (error.getCondition() or "").startswith(("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND")):
            raise _no_source(request) from error
        raise


def _no_source(request: Request) -> PlaceError:
    return PlaceError(
        f"`{request.target}`: found no table `{request.source}`; expected the change events. Create it first.",
        table=request.source,
    )
