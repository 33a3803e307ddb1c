"""What a target has not yet applied from its source: which events, which keys."""

from dataclasses import dataclass, replace

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from .columns import DELETE, INTERNAL, SEQUENCE, TRUNCATE, Columns, comparable, is_null, quote
from .delta import only_row
from .errors import SAMPLES, ChangeEventsError
from .flow import Flow, refuse
from .pruning import FEW_KEYS, bounds, extremes, is_bounded

# What Delta reports if the versions to read from are gone, or if the source has no change data feed.
_VERSIONS_GONE = ("VERSION", "CHANGE_DATA", "CHANGE_TABLE", "LOG_FILE", "STATE_RECOVER", "FAILED_READ_FILE")
_OF_A_FEED = frozenset({"_change_type", "_commit_version", "_commit_timestamp"})  # what Delta adds to each change
_REMOVAL = "_change_type <> 'insert'"  # a change by which a row was removed, or changed in place
BROADCAST = 200_000  # up to so many events, each task may hold the keys of a batch
TIE, _ROWS, _REMOVED, _TIES, _LACKS, _PLACE = (
    INTERNAL + name for name in ("tie", "rows", "removed", "ties", "lacks", "place")
)
_HASH, _NESTED = INTERNAL + "hash", INTERNAL + "nested"


@dataclass(frozen=True)
class Feed:
    """The part of *source* that a target lacks: versions *first* to *last*, or all of it if *first* is None."""

    source: str
    first: int | None
    last: int

    @property
    def is_empty(self) -> bool:
        return self.first is not None and self.first > self.last

    @property
    def is_all(self) -> bool:
        return self.first is None


@dataclass(frozen=True)
class Batch:
    """The events that a target lacks.

    *events* are those rows, *ledger* is the whole source at the same version, both with the columns that `_normal`
    produces. *touched* are the keys of the batch. *within* is SQL over `{t}` that bounds the keys by literals.
    *truncated* says whether the batch contains a truncate; *ties* are those within the batch itself.
    """

    feed: Feed
    events: DataFrame
    ledger: DataFrame
    touched: DataFrame | None = None
    events_read: int = 0
    keys_touched: int = 0
    ties: int = 0
    truncated: bool = False
    within: str = "true"

    @property
    def is_all(self) -> bool:
        """Are the keys of the whole source touched?"""
        return self.feed.is_all or self.truncated

    def only_touched(self, rows: DataFrame, columns: Columns) -> DataFrame:
        """The rows of *rows* whose keys the batch touches."""
        assert self.touched is not None  # it has been counted, and is only a part of the source
        return rows.alias("t").where(self.within.format(t="t")).join(self.touched, columns.key_names, "left_semi")


def read_batch(spark: SparkSession, flow: Flow, columns: Columns, feed: Feed) -> Batch:
    """The events of *feed*, checked and counted; all of the source if rows were changed or removed in it.

    Raises:
        ChangeArgumentsError: a condition of the flow does not fit the source.
        ChangeEventsError: an event has no key or no sequence.
    """
    ledger = spark.read.option("versionAsOf", feed.last).table(feed.source)
    changes = None if feed.is_all else _changes(spark, feed, ledger)
    if changes is not None:
        try:
            found = _checked(spark, flow, columns, Batch(feed, changes, ledger))
            if found:
                return found
            print(f"{feed.source}: rows were changed or removed since version {feed.first}, reading all of it")
        except PySparkException as error:
            if not any(word in (error.getCondition() or str(error)) for word in _VERSIONS_GONE):
                raise
    whole = _checked(spark, flow, columns, Batch(replace(feed, first=None), ledger, ledger))
    assert whole is not None  # nothing is removed from the whole of a source
    return whole


def _changes(spark: SparkSession, feed: Feed, ledger: DataFrame) -> DataFrame | None:
    """The rows that *feed* adds or removes, with Delta's `_change_type`; None if they cannot be told from the *ledger*.

    Events from the change data feed of another table may keep its columns, and a second feed would add the same names.
    Delta forgets old versions after the table's log retention. It has many errors for that, and reading everything
    gives the same result: so any failure here leads to that, and if something is really broken, reading everything
    fails.
    """
    if own := sorted(_OF_A_FEED.intersection(map(str.lower, ledger.columns))):
        print(f"{feed.source}: its own columns are named like those of a feed ({', '.join(own)}), reading all of it")
        return None
    changes = (
        spark.read.option("readChangeFeed", "true")
        .option("startingVersion", feed.first)
        .option("endingVersion", feed.last)
        .table(feed.source)
    )
    try:
        changes.schema  # noqa: B018 - asks the server
    except PySparkException:
        print(f"{feed.source}: its versions from {feed.first} on are gone, reading all of it")
        return None
    return changes.drop("_commit_version", "_commit_timestamp")


def _checked(spark: SparkSession, flow: Flow, columns: Columns, batch: Batch) -> Batch | None:
    """*batch* with its counts; None if it is only a part of the source and contains more than additions."""
    removed = "false" if batch.feed.is_all else _REMOVAL
    events = _normal(flow, columns, batch.events, f"{removed} AS {_REMOVED}")
    counts = _counted(columns, events, listing=not batch.feed.is_all)
    if counts["removed"]:
        return None
    if any(counts[f"lacks_{place}"] for place in range(len(_missing_parts(columns)))):
        _raise_incomplete(flow, columns, batch.events, counts)
    found = replace(
        batch,
        events=events,
        ledger=_normal(flow, columns, batch.ledger),
        events_read=counts["events"],
        keys_touched=counts["keys"],
        ties=counts["ties"],
        truncated=counts["truncated"],
    )
    return found if found.is_all else _bounded(spark, columns, found, counts)


def _bounded(spark: SparkSession, columns: Columns, batch: Batch, counts: Row) -> Batch:
    """*batch* with its keys: as literals if there are few, otherwise as the source has them."""
    few = counts["few_keys"]
    if few is not None and len(few) == batch.keys_touched <= FEW_KEYS:
        touched = spark.createDataFrame([tuple(key) for key in few], StructType(list(columns.keys)))
        return replace(batch, touched=F.broadcast(touched), within=bounds(columns.keys, few))
    touched = batch.events.where(f"NOT {TRUNCATE}").select(*[quote(name) for name in columns.key_names])
    touched = F.broadcast(touched) if batch.events_read <= BROADCAST else touched.distinct()
    least_and_greatest = [counts[f"{kind}_{place}"] for place in range(len(columns.keys)) for kind in ("min", "max")]
    return replace(batch, touched=touched, within=extremes(columns.keys, least_and_greatest))


def _counted(columns: Columns, events: DataFrame, *, listing: bool) -> Row:
    """The counts of *events*, in one row with one exchange, because all groupings are within a key.

    Returns:
        `events`, `keys`, `ties`, `truncated`, `removed`; `lacks_<n>`, the number of events without each of
        `_missing_parts`; `min_<n>` and `max_<n>` of the keys that have bounds; with *listing* also `few_keys`, all keys
        if there are few.
    """
    names = [quote(name) for name in columns.key_names]
    lacks = _missing_parts(columns)
    content = events.selectExpr(*names, SEQUENCE, TRUNCATE, _REMOVED, *contents(columns)).repartition(*names)
    at_sequence = content.groupBy(*names, SEQUENCE, TRUNCATE).agg(
        F.expr(f"count(*) AS {_ROWS}"),
        F.expr(f"{differs(columns)} AND NOT {TRUNCATE} AS {TIE}"),
        F.expr(f"bool_or({_REMOVED}) AS {_REMOVED}"),
    )
    of_key = at_sequence.groupBy(*names, TRUNCATE).agg(
        F.expr(f"sum({_ROWS}) AS {_ROWS}"),
        F.expr(f"count_if({TIE}) AS {_TIES}"),
        F.expr(f"bool_or({_REMOVED}) AS {_REMOVED}"),
        *[F.expr(f"sum({_ROWS}) FILTER (WHERE {sql}) AS {_LACKS}{n}") for n, sql in enumerate(lacks.values())],
    )
    parts = [
        f"coalesce(sum({_ROWS}), 0) AS events",
        f"count_if(NOT {TRUNCATE}) AS keys",
        f"coalesce(sum({_TIES}), 0) AS ties",
        f"coalesce(bool_or({TRUNCATE}), false) AS truncated",
        f"coalesce(bool_or({_REMOVED}), false) AS removed",
        *[f"coalesce(sum({_LACKS}{place}), 0) AS lacks_{place}" for place in range(len(lacks))],
    ]
    for place, key in enumerate(columns.keys):
        name = quote(key.name) if is_bounded(key.dataType) else "NULL"
        parts += [f"{kind}({name}) FILTER (WHERE NOT {TRUNCATE}) AS {kind}_{place}" for kind in ("min", "max")]
    if listing and all(is_bounded(key.dataType) for key in columns.keys):
        # The number of a row within its partition: it keeps the list short if there are many keys.
        of_key = of_key.selectExpr("*", f"pmod(monotonically_increasing_id(), {2**33}) AS {_PLACE}")
        few = f"NOT {TRUNCATE} AND {_PLACE} < {FEW_KEYS}"
        parts.append(f"collect_list(struct({', '.join(names)})) FILTER (WHERE {few}) AS few_keys")
    else:
        parts.append("NULL AS few_keys")
    return only_row(of_key.agg(*[F.expr(part) for part in parts]))


def _normal(flow: Flow, columns: Columns, rows: DataFrame, *more: str) -> DataFrame:
    """The stored columns of *rows*, with the sequence and the kind of event; NULL conditions count as false."""
    marks = {DELETE: flow.apply_as_deletes, TRUNCATE: flow.apply_as_truncates}
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
                flow.target,
                f"the condition {shown} ({str(error).splitlines()[0]})",
                f"SQL that is true or false over the columns of `{flow.source}`",
                "Correct the condition",
            )
        raise
    return normal


def is_true(condition: str | None) -> str:
    """SQL: does *condition* hold? NULL counts as false; the line break ends a comment in it."""
    return f"coalesce(({condition}\n), false)" if condition else "false"


def _missing_parts(columns: Columns) -> dict[str, str]:
    """SQL by what an event may lack: `SEQUENCE`, and each column of its key."""
    lacks = {SEQUENCE: is_null(SEQUENCE, columns.sequence_type)}
    return lacks | {name: f"({quote(name)} IS NULL AND NOT {TRUNCATE})" for name in columns.key_names}


def _raise_incomplete(flow: Flow, columns: Columns, raw: DataFrame, found: Row) -> None:
    truncate = is_true(flow.apply_as_truncates)
    lacks = _missing_parts(columns)
    counts = {name: found[f"lacks_{place}"] for place, name in enumerate(lacks)}
    broken = " OR ".join(sql.replace(SEQUENCE, columns.sequence).replace(TRUNCATE, truncate) for sql in lacks.values())
    rows = [str(row.asDict()) for row in raw.where(broken).limit(SAMPLES).collect()]
    named = [f"{counts[name]:,} with a NULL in key `{name}`" for name in columns.key_names if counts[name]]
    if counts[SEQUENCE]:
        named.insert(0, f"{counts[SEQUENCE]:,} with a NULL sequence")
    raise ChangeEventsError(
        f"`{flow.source}`: found events {', '.join(named)}; expected a key and a sequence in each, so none was "
        f"applied to `{flow.target}`. Quarantine them before they are staged. The first: " + "; ".join(rows),
        table=flow.source,
        counts={"sequence": counts[SEQUENCE]} | {name: counts[name] for name in columns.key_names},
    )


def contents(columns: Columns) -> list[str]:
    """SQL of what an event would show, as two comparable columns: a hash, and what a hash would not capture.

    Hashing makes the comparison cheap: numbers are compared as rows arrive, whereas structs have to be sorted. A hash
    skips NULLs, so whether a value is NULL is hashed beside it; that is not possible for nested values, which are
    compared as such.
    """
    flat = [f for f in columns.values if not hasattr(f.dataType, "fields") and not hasattr(f.dataType, "elementType")]
    nested = [f for f in columns.values if f not in flat]
    shown = {f.name: comparable(quote(f.name), f.dataType) for f in columns.values}
    parts = [part for f in flat for part in (f"{shown[f.name]} IS NULL", shown[f.name])]
    hashed = f"CASE WHEN {DELETE} THEN 0 ELSE xxhash64({', '.join(['1', *parts])}) END"
    whole = f"CASE WHEN NOT {DELETE} THEN struct({', '.join(shown[f.name] for f in nested)}) END" if nested else "true"
    return [DELETE, f"{hashed} AS {_HASH}", f"{whole} AS {_NESTED}"]


def differs(columns: Columns) -> str:
    """SQL over the `contents` of one key and sequence: do events differ in anything that the target would show?"""
    return f"({' OR '.join(f'NOT (min({one}) <=> max({one}))' for one in (DELETE, _HASH, _NESTED))})"
