"""SCD type 1 and 2 tables from change events or snapshots, correct for any order, batching or repetition of the events.

The names and their meanings are those of Databricks' `create_auto_cdc_flow`. What differs from it, or is left open
there:

- a target is a function of the set of events in its source; an event may be arbitrarily late;
- if several events of a key have the same sequence, a delete wins, otherwise the greatest by the stored values, with
  NULL lowest; these are counted as `ties`;
- a delete without a preceding row is never a visible row;
- columns whose names begin with `_` describe the delivery, and are stored only if `column_list` names them;
- a truncate deletes every key at its sequence, including keys that appear later with a lower sequence; it wins ties;
- a new column is added before `__START_AT`, and every key is derived again, because the source may have had it before;
- a column that has left the source stays: existing rows keep their values, rows written later have NULL;
- an event that is removed or corrected in the source is removed or corrected in the target: every key is derived again;
- the same applies if a call has other conditions, or another sequence of the same type, than the call before it;
- rows of a target that were edited by hand are corrected only when a later event touches their key.
"""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame, SparkSession

from .errors import failed
from .flow import make_flow
from .progress import Progress
from .snapshot import apply_snapshots
from .together import NOTHING, ChangeCounts, TableComments, apply_flows


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
    """Bring *target* up to date with the change events that *source* has gained since the last call.

    Reads what is new, derives the rows of the affected keys from all events of those keys, and writes what differs in
    one commit. If nothing is new, or nothing differs, there is no commit. A call that was killed is simply repeated.

    Args:
        source: a Delta table to which events are appended; with `delta.enableChangeDataFeed`, only what is new is read.
            Without it, or after events were removed or changed, all of it is read. Events that are equal in all columns
            except those that begin with `_` are one event.
        target: created if absent; an empty table is replaced, keeping its comments and properties. It remembers keys,
            sequence type, tracked columns and SCD type; a call that differs in them is refused.
        keys: the columns that identify a row; never NULL except in truncates.
        sequence_by: the column that orders the events of a key, or several, which form a STRUCT; never NULL.
        apply_as_deletes: SQL condition; true if the event deletes its key.
        apply_as_truncates: SQL condition; true if the event deletes all keys (SCD type 1 only).
        column_list: the columns to store, including the keys, instead of all that do not begin with `_`.
        except_column_list: the columns not to store.
        stored_as_scd_type: 1 keeps the latest row of a key, 2 all versions with `__START_AT` and `__END_AT`.
        track_history_column_list: the columns whose changes open a version, instead of all that are not keys; a change
            of any other column is written into the current version.
        track_history_except_column_list: the columns whose changes do not open a version.
        ignore_null_updates: a NULL keeps the previous value, back to the last delete; in structs field by field.

    Raises:
        ChangeArgumentsError: the arguments contradict each other, or do not fit the source.
        ChangeTargetError: the target was made in another way, or has rows of another origin.
        ChangeEventsError: an event has a NULL key or sequence; nothing is written.
        ChangeSourceError: the source does not exist.
    """
    flow = make_flow(
        source=source,
        target=target,
        keys=keys,
        sequence_by=sequence_by,
        apply_as_deletes=apply_as_deletes,
        apply_as_truncates=apply_as_truncates,
        column_list=column_list,
        except_column_list=except_column_list,
        stored_as_scd_type=stored_as_scd_type,
        track_history_column_list=track_history_column_list,
        track_history_except_column_list=track_history_except_column_list,
        ignore_null_updates=ignore_null_updates,
    )
    done = apply_flows(spark, [flow], Progress(spark, [target]))
    if done.errors:
        raise done.errors[target]
    return done.counts[target]


def apply_together(
    spark: SparkSession,
    calls: Mapping[str, Mapping[str, object]],
    *,
    full: bool = False,
    comments: Mapping[str, TableComments] | None = None,
    progress: Progress | None = None,
) -> dict[str, ChangeCounts]:
    """Do what `apply_changes` does for several targets at the same time, with common queries made only once.

    A source that feeds several targets is read and counted once; the progress of all targets is read once and written
    in one commit. If no source has anything new, reading the progress is the only statement.

    Args:
        calls: by target, the other arguments of its `apply_changes`.
        full: derive every target again from all events; it keeps its rows until then, and what differs is written.
        comments: by target, the comments with which it is created if it is absent.
        progress: what is known of the targets, if it has already been read.

    Returns:
        What each call did, by target, in the order of *calls*.

    Raises:
        ChangeArgumentsError: the arguments of a call contradict each other; nothing is written.
        TargetsFailedError: a target failed; the others were written.
    """
    flows = [make_flow(**{"sequence_by": None, **arguments}, target=target) for target, arguments in calls.items()]
    done = apply_flows(spark, flows, progress or Progress(spark, calls), full=full, comments=comments or {})
    if done.errors:
        raise failed(done.errors, len(flows)) from next(iter(done.errors.values()))
    return done.counts


def apply_changes_from_snapshot(
    spark: SparkSession,
    *,
    target: str,
    source: str | Callable[[object], tuple[DataFrame, object] | None],
    keys: list[str],
    stored_as_scd_type: int = 1,
    track_history_column_list: list[str] | None = None,
    track_history_except_column_list: list[str] | None = None,
    progress: Progress | None = None,
) -> ChangeCounts:
    """Bring *target* up to date with the snapshots of a table that it has not seen: full copies, one per version.

    A new key is inserted, a key with different values is updated, a missing key is deleted. Versions are applied in
    ascending order, with one commit each; `__START_AT` and `__END_AT` are versions.

    Args:
        source: the name of a Delta table, whose version is the snapshot's; or a function that receives the version
            applied last (None at first) and returns the next snapshot with its version, or None. A version is an int, a
            str, a date or a datetime.
        progress: what is known of the target, if it has already been read.

    Returns:
        The sums over all snapshots of this call; *events_read* counts the rows of the snapshots, *ties* is 0.

    Raises:
        ChangeArgumentsError, ChangeTargetError: as `apply_changes`.
        SnapshotError: a key occurs twice in a snapshot, or is NULL; nothing of that snapshot is written.
    """
    arguments = {
        "target": target,
        "keys": keys,
        "stored_as_scd_type": stored_as_scd_type,
        "track_history_column_list": track_history_column_list,
        "track_history_except_column_list": track_history_except_column_list,
    }
    total = NOTHING
    for snapshot in apply_snapshots(spark, source, arguments, progress):
        done = snapshot.applied
        total = ChangeCounts(
            total.events_read + snapshot.rows,
            total.keys_touched + snapshot.rows,
            total.num_upserted_rows + done.upserted,
            total.num_deleted_rows + done.deleted,
            0,
            total.version if done.version is None else done.version,
        )
    return total
