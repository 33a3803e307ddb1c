"""The definition of SCD 1 and 2 that verifications trust: the documentation's example and the rules for ties."""

import pytest

from lakehouse.definition import Event, current, versions

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
    """In whatever order they came."""
    assert versions(events) == expected
    assert versions(reversed(events)) == expected


def test_of_a_tie_a_delete_wins_else_the_greatest_values():
    """The same in both types; NULL is the lowest."""
    assert versions([gone(1), up(1, A)]) == versions([up(1, A), gone(1)]) == []
    assert versions([up(1, B), up(1, A), up(1, (None,))]) == [(B, 1, None)]
    assert versions([up(1, (9,)), up(1, (10,))]) == [((10,), 1, None)]


def test_the_current_row_is_the_open_version():
    """A deleted key has none."""
    assert current([up(1, A), up(2, B)]) == [(B,)]
    assert current([up(1, A), gone(2)]) == []
