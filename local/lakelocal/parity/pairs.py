"""Pairs of rows from the two sides that are two states of the same row, so that they are shown together. Pure.

No key is known here. Two rows may belong together if they agree in half of their values; pairs that agree in more
values come first, then those that agree in more of the first columns, where keys usually are.
"""

from collections.abc import Sequence
from itertools import takewhile

from lakelocal.parity.search import Differing, Row

Pair = tuple[Row | None, Row | None]


def shown_pairs(differing: Differing, most: int) -> list[Pair]:
    """At most *most* rows of each side, in pairs where the rows of *differing* can be paired."""
    if differing.aligned:
        pairs = paired(differing.a, differing.b)
    else:
        pairs = [*((row, None) for row in differing.a), *((None, row) for row in differing.b)]
    shown, left = [], [most, most]
    for pair in pairs:
        if all(left[side] for side in (0, 1) if pair[side]):
            shown.append(pair)
            left = [left[side] - bool(pair[side]) for side in (0, 1)]
    return shown


def paired(a: Sequence[Row], b: Sequence[Row]) -> list[Pair]:
    """Each row once, paired or alone: first the pairs, then the rows that only one side has, in their order."""
    agreeing = [
        (agreement, i, j)
        for i, left in enumerate(a)
        for j, right in enumerate(b)
        if 2 * (agreement := _agreement(left, right))[0] >= len(left.cells)
    ]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(agreeing, key=lambda each: each[0], reverse=True):
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    pairs = [(a[i], b[partner[i]]) for i in sorted(partner)]
    alone_a = [(row, None) for i, row in enumerate(a) if i not in partner]
    return [*pairs, *alone_a, *((None, row) for j, row in enumerate(b) if j not in taken)]


def telling_columns(pairs: Sequence[Pair], most: int) -> list[int]:
    """The indexes of at most *most* columns to show: those that differ within a pair, then the first ones."""
    width = max((len(row.cells) for pair in pairs for row in pair if row), default=0)
    differ = [
        i for i in range(width) if any(left and right and left.cells[i] != right.cells[i] for left, right in pairs)
    ][:most]
    others = [i for i in range(width) if i not in differ][: most - len(differ)]
    return sorted([*differ, *others])


def _agreement(a: Row, b: Row) -> tuple[int, int]:
    """The number of values in which two rows agree, and how many of them come before the first difference."""
    equal = [left == right for left, right in zip(a.cells, b.cells, strict=True)]
    return sum(equal), len(list(takewhile(bool, equal)))
