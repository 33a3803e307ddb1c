"""Walks over a directed graph: upstream and downstream nodes, the order of the nodes, their levels, cycles.

A graph maps each node to the nodes that it *needs*, like `depends_on` of tasks. A node that is needed but is not a key
of the mapping is unknown: it has no place in the order and no level, and keeps nothing waiting.
"""

import heapq
from collections.abc import Collection, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

Needs = Mapping[str, Collection[str]]


def upstream(needs: Needs, node: str) -> set[str]:
    """All nodes that *node* needs, directly or not, including unknown ones; itself only if it is in a cycle."""
    found: set[str] = set()
    todo = [node]
    while todo:
        fresh = set(needs.get(todo.pop(), ())) - found
        found |= fresh
        todo += fresh
    return found


def downstream(needs: Needs, node: str) -> set[str]:
    """All nodes that need *node*, directly or not; itself only if it is in a cycle."""
    needed_by: dict[str, list[str]] = {}
    for each, needed in needs.items():
        for other in needed:
            needed_by.setdefault(other, []).append(each)
    return upstream(needed_by, node)


def order(needs: Needs) -> list[str]:
    """The nodes, each after all nodes that it needs, otherwise in the order of *needs*.

    The nodes of a cycle, and those that need one of them, are left out: they have no place in any order.
    """
    place = {node: at for at, node in enumerate(needs)}
    sorter = TopologicalSorter({node: [each for each in needed if each in place] for node, needed in needs.items()})
    with suppress(CycleError):  # the sorter continues as far as the cycle allows
        sorter.prepare()
    found: list[str] = []
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heapq.heappush(ready, (place[node], node))
        if not ready:
            break
        _, node = heapq.heappop(ready)
        found.append(node)
        sorter.done(node)
    return found


def levels(needs: Needs) -> dict[str, int]:
    """The level of each node in `order`: the length of the longest path to it, from 0."""
    found: dict[str, int] = {}
    for node in order(needs):
        found[node] = max((found[each] + 1 for each in needs[node] if each in found), default=0)
    return found


def nodes_in_cycles(needs: Needs) -> list[str]:
    """The nodes that need themselves, directly or not, in the order of *needs*."""
    placed = set(order(needs))
    return [node for node in needs if node not in placed and node in upstream(needs, node)]
