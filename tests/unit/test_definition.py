"""The definition of SCD 1 and 2 that verifications trust: the documentation's example, ties, and the tests' own one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.verification.definition import Event, current, versions
from tests.cdc import oracle

A, B = ("A",), ("B",)


def up(sequence: int, values: tuple) -> Event:
    return Event(sequence, False, values)


def gone(sequence: int) -> Event:
    return Event(sequence, True, (None,))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([up(1, A)], [(A, 1, None)]),
        ([up(6, ("Guadalajara",)), up(2, ("Tijuana",)), up(5, ("Mexicali",))],
         [(("Tijuana",), 2, 5), (("Mexicali",), 5, 6), (("Guadalajara",), 6, None)]),
        ([up(1, ("Monterrey",)), gone(6), up(5, ("Chihuahua",))], [(("Monterrey",), 1, 5), (("Chihuahua",), 5, 6)]),
        ([up(1, A), up(2, A), up(3, B)], [(A, 1, 3), (B, 3, None)]),
        ([up(1, A), gone(2), up(3, A)], [(A, 1, 2), (A, 3, None)]),
        ([gone(1), gone(2)], []),
        ([up(1, A), gone(3), gone(5)], [(A, 1, 3)]),
        ([up(1, A), up(1, A)], [(A, 1, None)]),
    ],
)  # fmt: skip
def test_versions_are_blocks_of_equal_upserts(events, expected):
    """In whatever order they arrived."""
    assert versions(events) == expected
    assert versions(reversed(events)) == expected


def test_of_a_tie_a_delete_wins_else_the_greatest_values():
    """The same in both types; NULL is lowest."""
    assert versions([gone(1), up(1, A)]) == versions([up(1, A), gone(1)]) == []
    assert versions([up(1, B), up(1, A), up(1, (None,))]) == [(B, 1, None)]
    assert versions([up(1, (9,)), up(1, (10,))]) == [((10,), 1, None)]


def test_the_current_row_is_the_open_version():
    """A deleted key has none."""
    assert current([up(1, A), up(2, B)]) == [(B,)]
    assert current([up(1, A), gone(2)]) == []


ONE = st.sampled_from([None, 1, 2])
STRUCTS = st.one_of(st.none(), st.tuples(ONE, ONE))
EVENTS = st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.tuples(ONE, STRUCTS)), max_size=8)


def as_oracle(event: tuple) -> oracle.Event:
    """The same event for the tests' own definition, which names its values."""
    sequence, is_delete, (one, struct) = event
    values = {"one": one, "struct": struct and dict(zip(("x", "y"), struct, strict=True))}
    return oracle.Event("k", sequence, oracle.DELETE if is_delete else oracle.UPSERT, values)


@given(events=EVENTS, only_one=st.booleans(), ignore_nulls=st.booleans())
def test_it_says_what_the_definition_of_the_tests_says(events, only_one, ignore_nulls):
    """Two independently written programs: tracked lists, ignored NULLs, structs field by field, ties."""
    given_events, theirs = [Event(*event) for event in events], list(map(as_oracle, events))

    found = versions(given_events, tracked=[0] if only_one else None, ignore_nulls=ignore_nulls)
    expected = oracle.history(theirs, tracked=["one"] if only_one else None, ignore_nulls=ignore_nulls)

    named = [as_oracle((0, False, values)).values for values, _, _ in found]
    assert named == [version.values for version in expected]
    assert [bounds for _, *bounds in found] == [[version.start, version.end] for version in expected]
