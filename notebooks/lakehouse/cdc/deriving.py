"""The rows that a target should have, derived from all events of its keys: the definition of SCD 1 and 2 in SQL.

Everything follows from one sort of the events of a key by sequence. Of several events at the same sequence, one counts:
a delete, otherwise the greatest by the stored values in the target's order, with NULL lowest. A run is a block of
upserts without a delete in between that agree on the tracked columns; it is one row, with the values of its last event.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from .columns import DELETE, END, INTERNAL, SEQUENCE, START, TRUNCATE, Columns, comparable, quote
from .delta import only_row, text
from .flow import Flow
from .merging import by_key_ranges
from .reading import BROADCAST, TIE, Batch, contents, differs

_LIFE, _BEFORE, _AFTER, _OPENS, _TRACKED, _NEXT = (
    INTERNAL + name for name in ("life", "before", "after", "opens", "tracked", "next")
)


def touched_events(batch: Batch, columns: Columns) -> DataFrame:
    """All events of the keys that *batch* touches, except truncates."""
    events = batch.ledger.where(f"NOT {TRUNCATE}")
    return events if batch.is_all else batch.only_touched(events, columns)


def count_ties(batch: Batch, columns: Columns) -> int:
    """The number of pairs of key and sequence in *batch* at which the source has events with different content."""
    if batch.feed.is_all:
        return batch.ties
    at = [*columns.key_names, SEQUENCE]
    fresh = batch.events.where(f"NOT {TRUNCATE}").select(*[quote(name) for name in at])
    fresh = F.broadcast(fresh) if batch.events_read <= BROADCAST else fresh
    events = batch.ledger.alias("t").where(f"NOT {TRUNCATE} AND {batch.within.format(t='t')}")
    content = events.join(fresh, at, "left_semi").selectExpr(*map(quote, at), *contents(columns))
    groups = content.groupBy(*map(quote, at)).agg(F.expr(f"{differs(columns)} AS {TIE}"))
    return int(only_row(groups.agg(F.expr(f"count_if({TIE})")))[0])


def wanted_rows(flow: Flow, columns: Columns, batch: Batch, *, files: int = 1) -> DataFrame:
    """The rows that the target should have for the touched keys.

    Args:
        files: the number of ranges of keys into which the events are first split, one per file.

    Returns:
        The keys, the values in the target's order, and for SCD type 2 also `__START_AT` and `__END_AT`.
    """
    events = touched_events(batch, columns)
    if flow.apply_as_truncates:
        events = _after_truncate(batch, events)
    events = _one_a_sequence(by_key_ranges(events, columns, files), columns)
    if flow.ignore_null_updates:
        events = _filled(events, columns)
    if flow.keeps_history:
        return _runs(events, columns)
    return _latest(events, columns)


def _over(columns: Columns, *, order: str = SEQUENCE, more: str = "") -> str:
    keys = ", ".join(quote(name) for name in columns.key_names)
    return f"OVER (PARTITION BY {keys} ORDER BY {order}{more})"


_SO_FAR = " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


def _after_truncate(batch: Batch, events: DataFrame) -> DataFrame:
    """The events after the last truncate; a truncate deletes every key at its sequence, and a delete wins ties."""
    last = batch.ledger.where(TRUNCATE).agg(F.expr(f"max({SEQUENCE}) AS {_LIFE}"))
    joined = events.crossJoin(F.broadcast(last))
    return joined.where(f"{_LIFE} IS NULL OR {SEQUENCE} > {_LIFE}").drop(_LIFE)


def _one_a_sequence(events: DataFrame, columns: Columns) -> DataFrame:
    greatest = [f"{DELETE} DESC", *(f"{comparable(quote(f.name), f.dataType)} DESC" for f in columns.values)]
    order = ", ".join([SEQUENCE, *greatest])
    before = f"lag({SEQUENCE}) {_over(columns, order=order)} AS {_BEFORE}"
    return events.selectExpr("*", before).where(f"NOT ({_BEFORE} <=> {SEQUENCE})").drop(_BEFORE)


def _latest(events: DataFrame, columns: Columns) -> DataFrame:
    after = events.selectExpr("*", f"lead({SEQUENCE}) {_over(columns)} AS {_AFTER}")
    stored = [quote(name) for name in columns.key_names + columns.value_names]
    return after.where(f"{_AFTER} IS NULL AND NOT {DELETE}").select(*stored)


def _runs(events: DataFrame, columns: Columns) -> DataFrame:
    over = _over(columns)
    tracked = ", ".join(quote(name) for name in columns.tracked)
    seen = events.selectExpr(
        "*",
        f"lag({DELETE}) {over} AS {_BEFORE}",
        f"lead({SEQUENCE}) {over} AS {_NEXT}",
        f"{f'lag(struct({tracked})) {over}' if tracked else 'NULL'} AS {_TRACKED}",
    )
    same = f"struct({tracked}) <=> {_TRACKED}" if tracked else "true"
    opens = f"(NOT {DELETE} AND (coalesce({_BEFORE}, true) OR NOT ({same})))"
    opened = seen.selectExpr("*", f"{opens} AS {_OPENS}")
    rows = opened.selectExpr(
        "*",
        f"last_value(CASE WHEN {_OPENS} THEN {SEQUENCE} END) IGNORE NULLS {_over(columns, more=_SO_FAR)} AS {START}",
        f"lead({_OPENS} OR {DELETE}) {over} AS {_AFTER}",
    )
    stored = [quote(name) for name in columns.key_names + columns.value_names]
    return rows.where(f"NOT {DELETE} AND coalesce({_AFTER}, true)").selectExpr(*stored, START, f"{_NEXT} AS {END}")


def _filled(events: DataFrame, columns: Columns) -> DataFrame:
    """Replace each NULL by the last value in the same life, structs field by field; a delete ends a life."""
    lives = events.selectExpr("*", f"count_if({DELETE}) {_over(columns, more=_SO_FAR)} AS {_LIFE}")
    keys = ", ".join([*(quote(name) for name in columns.key_names), _LIFE, DELETE])
    over = f"OVER (PARTITION BY {keys} ORDER BY {SEQUENCE}{_SO_FAR})"
    filled = {f.name: F.expr(_last(quote(f.name), f.dataType, over)) for f in columns.values}
    return lives.withColumns(filled).drop(_LIFE) if filled else lives.drop(_LIFE)


def _last(path: str, kind: DataType, over: str) -> str:
    """SQL: the last value of *path* that is not NULL; for a struct, the last value of each of its fields."""
    if not isinstance(kind, StructType):
        return f"last_value({path}) IGNORE NULLS {over}"
    fields = ", ".join(f"{text(f.name)}, {_last(f'{path}.{quote(f.name)}', f.dataType, over)}" for f in kind.fields)
    return f"CASE WHEN count({path}) {over} > 0 THEN named_struct({fields}) END"
