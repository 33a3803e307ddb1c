"""The positions of tasks in the graph: layers, bends, order; and the marks of the time axis."""

from itertools import combinations

import pytest

from lakelocal.pages.layout import BEND, GAP_X, GAP_Y, layered
from lakelocal.pages.timeline import tick_step


def of_one_size(*keys: str) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(keys, (100.0, 40.0))


def test_a_node_stands_behind_everything_it_needs():
    """The layer is the length of the longest path, not of the shortest."""
    layout = layered(of_one_size("a", "b", "c", "d"), [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])

    assert sorted(layout.nodes, key=lambda key: layout.nodes[key].left) == ["a", "b", "c", "d"]
    assert layout.layers == 4
    assert layout.width == 4 * 100 + 3 * GAP_X


def test_a_long_edge_passes_beside_the_nodes_between():
    """It has its own position in each layer, so no line runs through a box."""
    layout = layered(of_one_size("a", "b", "c"), [("a", "b"), ("b", "c"), ("a", "c")])

    start, bend, end = layout.edges["a", "c"]
    between = layout.nodes["b"]
    assert (start, end) == (layout.nodes["a"], layout.nodes["c"])
    assert (bend.left, bend.right) == (between.left, between.right)
    assert not between.top <= bend.middle <= between.top + between.height
    assert layout.height == 40 + GAP_Y + BEND


def test_neighbours_are_ordered_without_crossing():
    """Two chains that are given crosswise do not cross."""
    layout = layered(of_one_size("a", "b", "y", "x"), [("a", "x"), ("b", "y")])

    above = layout.nodes["a"].top < layout.nodes["b"].top
    assert (layout.nodes["x"].top < layout.nodes["y"].top) == above


def test_no_two_nodes_share_a_place():
    """Also in a graph that cannot be drawn without crossings, of boxes of different sizes."""
    left, right = [f"l{n}" for n in range(5)], [f"r{n}" for n in range(5)]
    sizes = {key: (50.0 + 30 * at, 20.0 + 17 * at) for at, key in enumerate([*left, *right])}

    boxes = list(layered(sizes, [(a, b) for a in left for b in right]).nodes.values())

    for box, other in combinations(boxes, 2):
        beside = box.right < other.left or other.right < box.left
        assert beside or box.top + box.height < other.top or other.top + other.height < box.top


def test_edges_of_tasks_that_are_not_there_are_left_out():
    """A partial run has tasks whose dependencies were not selected."""
    layout = layered(of_one_size("b"), [("a", "b")])

    assert layout.edges == {}
    assert (layered({}, []).layers, layered({}, []).width, layered({}, []).height) == (0, 0, 0)


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.5, 0.1), (8, 1), (9, 2), (60, 10), (3600, 600), (10_800, 1800), (86_400 * 30, 86_400 * 4)]
)
def test_marks_are_round_and_few(seconds, step):
    """At most eight, at numbers that people count in."""
    assert tick_step(seconds) == step
    assert seconds / step <= 8
