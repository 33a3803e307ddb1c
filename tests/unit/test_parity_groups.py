"""Which rows of large tables `diff` looks at, and which of these it shows."""

from pyspark.sql.types import LongType

from lakelocal.parity.groups import GROUPS, Groups, groups_of, leading_hashes
from lakelocal.parity.hashing import row_hash
from lakelocal.parity.pairs import shown_pairs
from lakelocal.parity.search import Differing, Row

A, B = (tuple(Row((f"{side}{n}", "x"), 1) for n in range(9)) for side in "ab")


def differing(aligned: bool) -> Differing:
    return Differing(("id", "x"), A, B, 9, 9, exact=True, aligned=aligned)


def test_a_row_is_in_a_group_for_each_number_of_its_first_columns():
    """The query for rows does not know yet how many columns a key has."""
    columns = {name: LongType() for name in "edcba"}
    hashes = [row_hash({name: LongType() for name in names}) for names in ("e", "ed", "edc", "edcb")]

    assert leading_hashes(columns) == f"array({', '.join(hashes)})"


def test_groups_are_those_of_the_fewest_columns_that_tell_rows_apart():
    """An order is identified by its number; a state or a category has too many rows."""
    by_second = [(1, n) for n in range(100)]

    assert groups_of([(n, n) for n in range(3)], [(7, 7)]) == Groups(1, (0, 1, 2, 7))
    assert groups_of(by_second, []) == Groups(2, tuple(range(GROUPS)))


def test_a_few_rows_may_share_a_key():
    """The versions of a customer in a history belong together; what follows the key may differ."""
    assert groups_of([(min(n, 94), n) for n in range(100)], []).width == 1


def test_rows_that_no_first_columns_tell_apart_have_no_groups():
    """Fetching all rows of a state would mean fetching the table."""
    assert groups_of([(1, n % 2) for n in range(20)], []) is None
    assert groups_of([(n, n) for n in range(20)], [(1, 1)] * 20) is None


def test_rows_of_both_sides_are_shown_as_often_as_asked():
    """Nine rows of one side must not hide those of the other."""
    assert shown_pairs(differing(aligned=True), 2) == [(A[0], B[0]), (A[1], B[1])]
    assert shown_pairs(differing(aligned=False), 2) == [(A[0], None), (A[1], None), (None, B[0]), (None, B[1])]
