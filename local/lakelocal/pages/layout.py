"""The layout of a task graph: layers from left to right, with few crossings. Pure; units are pixels.

Follows Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures" (1981): the layer
of a node is the length of the longest path to it; an edge over several layers bends in each of them; the order within
a layer follows the mean position of the neighbours, in sweeps to the right and to the left. Nodes may differ in size.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from lakelocal.lakeflow.graph import levels

GAP_X, GAP_Y = 70, 26
BEND = 10  # the height that an edge needs where it passes through a layer
_SWEEPS = 8
Edge = tuple[str, str]  # from, to


@dataclass(frozen=True)
class Box:
    """A rectangle: a node, or the place where an edge passes through a layer."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass(frozen=True)
class GraphLayout:
    """*nodes*: the box of each node; *edges*: the boxes on the way of each edge, including its first and last node."""

    nodes: Mapping[str, Box]
    edges: Mapping[Edge, Sequence[Box]]
    layers: int
    width: float
    height: float


def layered(sizes: Mapping[str, tuple[float, float]], edges: Iterable[Edge]) -> GraphLayout:
    """Place the nodes of *sizes* (width, height), whose *edges* are acyclic.

    An edge from or to an unknown node is ignored.
    """
    known = set(sizes)
    edges = list(dict.fromkeys(edge for edge in edges if known.issuperset(edge)))
    layer = _layers(list(sizes), edges)
    chains: dict[Edge, list[Hashable]] = {
        edge: [edge[0], *((edge, at) for at in range(layer[edge[0]] + 1, layer[edge[1]])), edge[1]] for edge in edges
    }
    columns: list[list[Hashable]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in sizes:
        columns[layer[node]].append(node)
    for (start, _), chain in chains.items():
        for at, bend in enumerate(chain[1:-1], start=layer[start] + 1):
            columns[at].append(bend)
    _order(columns, [pair for chain in chains.values() for pair in pairwise(chain)])
    place, width, height = _placed(columns, sizes)
    return GraphLayout(
        {node: place[node] for node in sizes},
        {edge: [place[each] for each in chain] for edge, chain in chains.items()},
        len(columns),
        width,
        height,
    )


def _placed(
    columns: Sequence[Sequence[Hashable]], sizes: Mapping[str, tuple[float, float]]
) -> tuple[dict[Hashable, Box], float, float]:
    """The boxes of all *columns*, each centred on the tallest one; and the width and height of the drawing."""
    of_any: dict[Hashable, tuple[float, float]] = dict(sizes.items())
    heights = [sum(of_any.get(each, (0, BEND))[1] for each in column) + GAP_Y * (len(column) - 1) for column in columns]
    height = max(heights, default=0.0)
    place: dict[Hashable, Box] = {}
    left = 0.0
    for column, own in zip(columns, heights, strict=True):
        width = max(of_any.get(each, (0, 0))[0] for each in column)
        top = (height - own) / 2
        for each in column:
            box = Box(left, top, *of_any.get(each, (width, BEND)))
            place[each] = box
            top += box.height + GAP_Y
        left += width + GAP_X
    return place, max(left - GAP_X, 0.0), height


def _layers(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    above: dict[str, set[str]] = {node: set() for node in nodes}
    for start, end in edges:
        above[end].add(start)
    return levels(above)


def _order(columns: list[list[Hashable]], pairs: Sequence[tuple[Hashable, Hashable]]) -> None:
    """Sort each column by the mean position of its neighbours in the column before it in the sweep."""
    left: dict[Hashable, list[Hashable]] = {}
    right: dict[Hashable, list[Hashable]] = {}
    for start, end in pairs:
        left.setdefault(end, []).append(start)
        right.setdefault(start, []).append(end)
    for sweep in range(_SWEEPS):
        neighbours, order = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        for before, column in pairwise(order):
            # Relative to the column's middle, because columns of different lengths are centred on each other.
            row = {node: at - len(before) / 2 for at, node in enumerate(before)}
            own = {node: at - len(column) / 2 for at, node in enumerate(column)}
            column.sort(key=partial(_position, neighbours, row, own))


def _position(
    neighbours: Mapping[Hashable, Sequence[Hashable]],
    row: Mapping[Hashable, float],
    own: Mapping[Hashable, float],
    node: Hashable,
) -> float:
    """The mean *row* of the *neighbours* of *node*; its *own* position if it has none."""
    rows = [row[each] for each in neighbours.get(node, ())]
    return sum(rows) / len(rows) if rows else own[node]
