"""SCD type 1 and 2 tables from change events or snapshots.

apply       `apply_changes` and `apply_changes_from_snapshot`: what a user calls, and what they promise
request     what a call asks for, checked by itself
columns     the same, held against the columns of the source
settings    what a target remembers of how it was made, and how a call is held against that
growing     the columns that a target gains with its source
source      the source's columns, and which of its versions the target lacks
reading     what the source gained since the last call
pruning     literal bounds on the keys, by which Delta leaves files out
deriving    events of a key become the rows that the target should have
merging     the difference between those rows and the target, written in one commit
snapshot    the same for whole copies of a table instead of events
versions    which snapshots there are, and which was applied last

A target is a function of the set of events in its source: the rows of each touched key are derived again from all
events of that key, so neither their order, nor their batches, nor repetitions matter.
"""

from lakehouse.cdc.apply import ChangeCounts, apply_changes, apply_changes_from_snapshot

__all__ = ["ChangeCounts", "apply_changes", "apply_changes_from_snapshot"]
