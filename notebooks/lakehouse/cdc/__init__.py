"""SCD type 1 and 2 tables from change events or snapshots.

The package needs only pyspark with Delta: copied beside any notebook, it can be imported from there.

apply       `apply_changes`, `apply_together` and `apply_changes_from_snapshot`: what a user calls
together    several targets at the same time, with common queries made only once
flow        the arguments of a call, checked for consistency
columns     the same, checked against the columns of the source
progress    how far each target has read its source
settings    what a target remembers of how it was made, and how a call is checked against that
growing     the columns that a target gains with its source
reading     what the source gained since the last call
pruning     literal bounds on the keys, by which Delta skips files
deriving    events of a key become the rows that the target should have
merging     the difference between those rows and the target, written in one commit
snapshot    the same for whole copies of a table instead of events
versions    which snapshots exist, and which was applied last
delta       what Delta knows of a table
errors      the errors that are raised on purpose

A target is a function of the set of events in its source: the rows of each touched key are derived again from all
events of that key, so neither their order, nor their batches, nor repetitions matter.
"""

from .apply import apply_changes, apply_changes_from_snapshot, apply_together
from .errors import ChangesError
from .together import ChangeCounts, TableComments

__all__ = [
    "ChangeCounts",
    "ChangesError",
    "TableComments",
    "apply_changes",
    "apply_changes_from_snapshot",
    "apply_together",
]
