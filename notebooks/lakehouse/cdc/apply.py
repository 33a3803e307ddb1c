"""SCD type 1 and 2 tables from change events or snapshots, right for any order, batching or repetition of the events.

The names and their meaning are those of Databricks' `create_auto_cdc_flow`. What differs there, or is left open:

- a target is a function of the set of events in its source; there is no limit on how late an event may be;
- at the same sequence of a key a delete wins, else the greatest by the stored values, NULL lowest; counted as `ties`;
- a delete that follows nothing is never a visible row;
- columns whose names begin with `_` tell of the delivery, and are stored only where `column_list` names them;
- a truncate deletes every key at its sequence, also keys that are seen later with a lower one; it wins a tie;
- a new column is added before `__START_AT`, and every key is derived again, since the source may have had it before;
- a column that is gone from the source stays: rows that are there keep what they hold, rows written later hold NULL;
- an event that is removed from the source, or corrected there, is so in the target: every key is derived again;
- so it is where a call has other conditions, or another sequence of the same type, than the one before;
- rows of a target that were edited by hand are put right only where a later event touches their key.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession

from lakehouse.cdc.columns import resolve_columns
from lakehouse.cdc.deriving import count_ties, wanted_rows
from lakehouse.cdc.growing import grow_target, missing_columns
from lakehouse.cdc.merging import Applied, create_target, difference, held_rows, merge_difference
from lakehouse.cdc.reading import Batch, read_batch
from lakehouse.cdc.request import Request, check_request
from lakehouse.cdc.settings import (
    check_kind,
    check_settings,
    in_target_order,
    read_target,
    reads_otherwise,
    remember_reading,
    settings_of,
)
from lakehouse.cdc.snapshot import apply_snapshots
from lakehouse.cdc.source import find_feed, forget_progress, source_columns
from lakehouse.tables.progress import record_progress


@dataclass(frozen=True)
class ChangeCounts:
    """What one call did.

    *ties* are the keys and sequences of this call's events at which events with different content meet. *version* is
    the target's version that the call committed, None where nothing had to be written.
    """

    events_read: int
    keys_touched: int
    num_upserted_rows: int
    num_deleted_rows: int
    ties: int
    version: int | None


_NOTHING = ChangeCounts(0, 0, 0, 0, 0, None)


def apply_changes(
    spark: SparkSession,
    *,
    source: str,
    target: str,
    keys: list[str],
    sequence_by: str | list[str],
    apply_as_deletes: str | None = None,
    apply_as_truncates: str | None = None,
    column_list: list[str] | None = None,
    except_column_list: list[str] | None = None,
    stored_as_scd_type: int = 1,
    track_history_column_list: list[str] | None = None,
    track_history_except_column_list: list[str] | None = None,
    ignore_null_updates: bool = False,
) -> ChangeCounts:
    """Bring *target* up to date with the change events that *source* gained since the last call.

    Reads what is new, derives the rows of the keys concerned from all events of those keys, and writes what differs
    in one commit. Nothing new, or nothing that differs, makes no commit. A call that was killed is simply repeated.

    Args:
        source: a Delta table of events, to which they are appended; with `delta.enableChangeDataFeed` only what is new
            is read. Without it, or after events were removed or changed, all of it is read. Events equal on all
            columns but those that begin with `_` are one event.
        target: created where it is absent; an empty table is replaced, with its comments and properties kept. It
            remembers keys, sequence type, tracked columns, SCD type; a call that differs in them is refused.
        keys: the columns that identify a row; never NULL but in truncates.
        sequence_by: the column that orders the events of a key, or several, which become a STRUCT; never NULL.
        apply_as_deletes: SQL condition; true where the event deletes its key.
        apply_as_truncates: SQL condition; true where the event deletes all keys (SCD type 1 only).
        column_list: the columns to store, keys among them, instead of all that do not begin with `_`.
        except_column_list: the columns not to store.
        stored_as_scd_type: 1 keeps the latest row of a key, 2 all versions with `__START_AT` and `__END_AT`.
        track_history_column_list: the columns whose change opens a version, instead of all that are no keys; a change
            of another column is written into the current version.
        track_history_except_column_list: the columns whose change opens no version.
        ignore_null_updates: a NULL keeps the value before it, back to the last delete; in structs field by field.

    Raises:
        ChangeArgumentsError: the arguments do not fit together, or not the source.
        ChangeTargetError: the target was made in another way, or holds rows of another origin.
        ChangeEventsError: an event has a NULL key or sequence; nothing is written.
        PlaceError: there is no source.
    """
    arguments = {name: value for name, value in locals().items() if name != "spark"}
    request = check_request(**arguments)
    columns = resolve_columns(request, source_columns(spark, request))
    held = read_target(spark, target)
    check_kind(held, "change events")
    settings = settings_of(request, columns)
    check_settings(held, settings)
    columns = in_target_order(columns, held) if held.is_made else columns
    feed = find_feed(spark, request, held)
    grows = held.is_made and bool(missing_columns(held, columns))
    rereads = reads_otherwise(held, settings)
    if grows or rereads:
        feed = replace(feed, first=None)  # a column may be new here and old in the source: every key is concerned
    if feed.is_empty:
        return _NOTHING
    batch = read_batch(spark, request, columns, feed)
    if batch.events_read or batch.is_all or not held.is_made:
        ties = count_ties(batch, columns)
        if not held.is_made:
            rows = wanted_rows(request, columns, batch)
            done = create_target(spark, held, rows, columns, settings=settings, events=batch.events_read)
        else:
            if grows:
                forget_progress(spark, feed)
                grow_target(spark, held, columns, settings)
            done = _merge(spark, request, columns, batch)
            if rereads:
                remember_reading(spark, held, settings)
    else:
        ties, done = 0, Applied(0, 0, None)
    record_progress(spark, [feed])
    return ChangeCounts(batch.events_read, batch.keys_touched, done.upserted, done.deleted, ties, done.version)


def _merge(spark: SparkSession, request: Request, columns, batch: Batch) -> Applied:
    has = held_rows(spark, request.target, columns, history=request.keeps_history)
    if not batch.is_all:
        within = batch.within.format(t="h")
        touched = batch.events.select(*columns.key_names).distinct()
        has = has.alias("h").where(within).join(touched, columns.key_names, "left_semi")
    rows = difference(wanted_rows(request, columns, batch), has, columns)
    return merge_difference(spark, request.target, rows, columns, within=batch.within)


def apply_changes_from_snapshot(
    spark: SparkSession,
    *,
    target: str,
    source: str | Callable[[object], tuple[DataFrame, object] | None],
    keys: list[str],
    stored_as_scd_type: int = 1,
    track_history_column_list: list[str] | None = None,
    track_history_except_column_list: list[str] | None = None,
) -> ChangeCounts:
    """Bring *target* up to date with the snapshots of a table that it has not seen: whole copies, one a version.

    A key that is new is inserted, one whose values differ is updated, one that is absent is deleted. Versions are
    applied in ascending order, one commit each; `__START_AT` and `__END_AT` are versions.

    Args:
        source: the name of a Delta table, whose version is the snapshot's; or a function that gets the version
            applied last (None at first) and gives the next snapshot with its version, or None. A version is an int, a
            date, or a datetime with a zone.

    Returns:
        The sums over all snapshots of this call; *events_read* counts the rows of the snapshots, *ties* is 0.

    Raises:
        ChangeArgumentsError, ChangeTargetError: as `apply_changes`.
        SnapshotError: a key is twice in a snapshot, or NULL; nothing of that snapshot is written.
    """
    arguments = {name: value for name, value in locals().items() if name not in ("spark", "source")}
    total = _NOTHING
    for rows, keys_touched, done in apply_snapshots(spark, source, arguments):
        total = ChangeCounts(
            total.events_read + rows,
            total.keys_touched + keys_touched,
            total.num_upserted_rows + done.upserted,
            total.num_deleted_rows + done.deleted,
            0,
            total.version if done.version is None else done.version,
        )
    return total
