"""Which rows of two large tables to look at, so that both states of the same row are found. Pure.

The first rows that differ, ordered by hash, are different rows on each side. So rows are looked at in groups: those
that agree in the first columns, where keys usually are. No key is known here; as many columns are used as it takes to
tell the rows of a sample apart. Each group then has few rows, and fetching it from both sides yields both states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql.types import DataType

from lakelocal.parity.hashing import row_hash

COLUMNS = 4  # longer keys are rare, and their first columns also make small groups
GROUPS = 50  # per side
_TOLD_APART = 0.9  # share of a sample: several rows may have the same key, such as the versions in a history
Leading = Sequence[int]  # hashes of a row's first column, its first two columns, and so on


@dataclass(frozen=True)
class Groups:
    """The rows whose first *width* columns have one of *hashes*."""

    width: int
    hashes: tuple[int, ...]


def leading_hashes(columns: Mapping[str, DataType]) -> str:
    """A SQL expression over *columns* that yields `Leading`."""
    names = list(columns)[:COLUMNS]
    widths = range(1, len(names) + 1)
    return f"array({', '.join(row_hash({name: columns[name] for name in names[:width]}) for width in widths)})"


def groups_of(*samples: Sequence[Leading]) -> Groups | None:
    """The groups of the first rows of each sample; None if no leading columns tell rows apart."""
    widest = min((len(row) for sample in samples for row in sample), default=0)
    for width in range(1, widest + 1):
        told = [[row[width - 1] for row in sample] for sample in samples]
        if all(len(set(hashes)) >= _TOLD_APART * len(hashes) for hashes in told):
            return Groups(width, tuple(sorted({each for hashes in told for each in hashes[:GROUPS]})))
    return None
