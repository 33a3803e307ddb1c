"""Walks over graphs; a graph maps each node to what it needs."""

import random

import pytest

from lakelocal.lakeflow.graph import downstream, levels, nodes_in_cycles, order, upstream

# a -> b -> d, a -> c -> d, and e alone
DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
# a <-> b, both before c; d is free, and before e, which needs c too
CIRCLE = {"a": ["b"], "b": ["a"], "c": ["b"], "d": [], "e": ["d", "c"]}


@pytest.mark.parametrize(
    ("node", "before", "behind"),
    [("a", "", "b c d"), ("b", "a", "d"), ("d", "a b c", ""), ("e", "", "")],
)
def test_what_lies_before_and_behind(node: str, before: str, behind: str) -> None:
    """Directly or not, without the node itself."""
    assert upstream(DIAMOND, node) == set(before.split())
    assert downstream(DIAMOND, node) == set(behind.split())


def test_walks_through_circles_end() -> None:
    """A node in a cycle is upstream and downstream of itself."""
    assert upstream(CIRCLE, "c") == {"a", "b"}
    assert upstream(CIRCLE, "a") == {"a", "b"}
    assert downstream(CIRCLE, "a") == {"a", "b", "c", "e"}
    assert upstream({"a": ["a"]}, "a") == {"a"}


def test_an_unknown_node_lies_upstream_and_keeps_nothing_waiting() -> None:
    """Its name may be reported; it has no place in an order."""
    needs = {"a": ["gone"], "b": ["a"]}

    assert upstream(needs, "b") == {"a", "gone"}
    assert order(needs) == ["a", "b"]
    assert levels(needs) == {"a": 0, "b": 1}


def test_an_order_puts_first_what_is_needed() -> None:
    """The order of the definition is kept where possible."""
    assert order({"c": ["b"], "b": ["a"], "a": [], "z": []}) == ["a", "b", "c", "z"]
    assert order(DIAMOND) == ["a", "b", "c", "d", "e"]
    assert order({}) == []


def test_an_order_is_that_of_a_search_for_the_first_free_node() -> None:
    """In random graphs, compared with the naive way: again and again the first node whose needs are met."""
    draw = random.Random(7)
    for _ in range(200):
        names = [f"n{number}" for number in range(8)]
        needs = {name: draw.sample(names[:at], draw.randint(0, min(at, 3))) for at, name in enumerate(names)}
        needs = {name: needs[name] for name in draw.sample(names, len(names))}
        left, expected = list(needs), []
        while left:
            expected.append(next(name for name in left if set(needs[name]) <= set(expected)))
            left.remove(expected[-1])
        assert order(needs) == expected


def test_circles_have_no_place_in_an_order() -> None:
    """Nor do nodes that need one of their nodes; all others do."""
    assert order(CIRCLE) == ["d"]


def test_a_level_is_the_length_of_the_longest_way() -> None:
    """Not that of the shortest."""
    assert levels({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c"]}) == {"a": 0, "b": 1, "c": 2, "d": 3}


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        (DIAMOND, []),
        (CIRCLE, ["a", "b"]),
        ({"a": ["a"]}, ["a"]),
        ({"a": ["b"], "b": ["a"], "x": ["y"], "y": ["x"], "z": ["a", "x"]}, ["a", "b", "x", "y"]),
    ],
    ids=["none", "one", "of itself", "two"],
)
def test_the_nodes_of_circles(needs: dict[str, list[str]], found: list[str]) -> None:
    """Nodes that are merely downstream of a cycle are not at fault, and not named."""
    assert nodes_in_cycles(needs) == found
