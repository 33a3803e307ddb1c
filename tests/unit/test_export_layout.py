"""The positions of tasks in the graph: layers, bends, order; and the marks of the time axis."""

import pytest

from lakelocal.export.layout import layered
from lakelocal.export.timeline import tick_step


def test_a_node_stands_behind_everything_it_needs():
    """The layer is the length of the longest path, not of the shortest."""
    layout = layered(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])

    assert {key: layer for key, (layer, _) in layout.nodes.items()} == {"a": 0, "b": 1, "c": 2, "d": 3}
    assert layout.layers == 4


def test_a_long_edge_passes_beside_the_nodes_between():
    """It has its own position in each layer, so no line runs through a box."""
    layout = layered(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])

    start, bend, end = layout.edges["a", "c"]
    assert (start, end) == (layout.nodes["a"], layout.nodes["c"])
    assert bend[0] == 1
    assert bend[1] != layout.nodes["b"][1]
    assert layout.rows == 2


def test_neighbours_are_ordered_without_crossing():
    """Two chains that are given crosswise do not cross."""
    layout = layered(["a", "b", "y", "x"], [("a", "x"), ("b", "y")])

    above = layout.nodes["a"][1] < layout.nodes["b"][1]
    assert (layout.nodes["x"][1] < layout.nodes["y"][1]) == above


def test_no_two_nodes_share_a_place():
    """Also in a graph that cannot be drawn without crossings."""
    left, right = [f"l{n}" for n in range(5)], [f"r{n}" for n in range(5)]
    layout = layered([*left, *right], [(a, b) for a in left for b in right])

    assert len(set(layout.nodes.values())) == 10


def test_edges_of_tasks_that_are_not_there_are_left_out():
    """A partial run has tasks whose dependencies were not selected."""
    layout = layered(["b"], [("a", "b")])

    assert layout.edges == {}
    assert layered([], []).layers == 0


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.5, 0.1), (8, 1), (9, 2), (60, 10), (3600, 600), (10_800, 1800), (86_400 * 30, 86_400 * 4)]
)
def test_marks_are_round_and_few(seconds, step):
    """At most eight, at numbers that people count in."""
    assert tick_step(seconds) == step
    assert seconds / step <= 8
