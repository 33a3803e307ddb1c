"""Which rows of two large tables to look at, so that the two states of one row are both seen. Pure.

The first rows that differ, by their hash, are other rows on each side. So rows are looked at in groups: those that
agree in the first columns, where keys mostly are. No key is known here; as many columns are taken as tell the rows of
a sample apart. A group then has few rows, and whoever fetches it from both sides has both states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql.types import DataType

from lakelocal.parity.hashing import row_hash

COLUMNS = 4  # a key of more columns is rare, and its first ones make small groups too
GROUPS = 50  # of a side
_TOLD_APART = 0.9  # of a sample: several rows may share a key, as the versions in a history
Leading = Sequence[int]  # hashes of the first column of a row, of the first two, and so on


@dataclass(frozen=True)
class Groups:
    """Rows whose first *width* columns have one of *hashes*."""

    width: int
    hashes: tuple[int, ...]


def leading_hashes(columns: Mapping[str, DataType]) -> str:
    """An expression over *columns*: `Leading`."""
    names = list(columns)[:COLUMNS]
    widths = range(1, len(names) + 1)
    return f"array({', '.join(row_hash({name: columns[name] for name in names[:width]}) for width in widths)})"


def groups_of(*samples: Sequence[Leading]) -> Groups | None:
    """The groups of the first rows of each sample; None where no first columns tell rows apart."""
    widest = min((len(row) for sample in samples for row in sample), default=0)
    for width in range(1, widest + 1):
        told = [[row[width - 1] for row in sample] for sample in samples]
        if all(len(set(hashes)) >= _TOLD_APART * len(hashes) for hashes in told):
            return Groups(width, tuple(sorted({each for hashes in told for each in hashes[:GROUPS]})))
    return None
