"""The layout of a task graph: layers from left to right, with few crossings. Pure; units are grid cells.

Follows Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures" (1981): the layer
of a node is the length of the longest path to it; an edge over several layers bends in each of them; the order within
a layer follows the mean position of the neighbours, in sweeps to the right and to the left.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from lakelocal.lakeflow.graph import levels

_SWEEPS = 8
Point = tuple[int, float]  # layer, row
Edge = tuple[str, str]  # from, to


@dataclass(frozen=True)
class GraphLayout:
    """*nodes*: the position of each node; *edges*: the points that each edge passes; *layers*, *rows*: the size."""

    nodes: Mapping[str, Point]
    edges: Mapping[Edge, Sequence[Point]]
    layers: int
    rows: int


def layered(nodes: Sequence[str], edges: Iterable[Edge]) -> GraphLayout:
    """Place *nodes*, whose *edges* are acyclic; an edge from or to an unknown node is ignored."""
    known = set(nodes)
    edges = list(dict.fromkeys(edge for edge in edges if known.issuperset(edge)))
    layer = _layers(nodes, edges)
    chains: dict[Edge, list[Hashable]] = {
        edge: [edge[0], *((edge, at) for at in range(layer[edge[0]] + 1, layer[edge[1]])), edge[1]] for edge in edges
    }
    columns: list[list[Hashable]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in nodes:
        columns[layer[node]].append(node)
    for (start, _), chain in chains.items():
        for at, bend in enumerate(chain[1:-1], start=layer[start] + 1):
            columns[at].append(bend)
    _order(columns, [pair for chain in chains.values() for pair in pairwise(chain)])
    rows = max(map(len, columns), default=0)
    place = {
        node: (at, row + (rows - len(column)) / 2)
        for at, column in enumerate(columns)
        for row, node in enumerate(column)
    }
    return GraphLayout(
        {node: place[node] for node in nodes},
        {edge: [place[each] for each in chain] for edge, chain in chains.items()},
        len(columns),
        rows,
    )


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
