"""The fewest deliveries that still fail, found with few judgements."""

from lakehouse.verification.shrinking import smallest


class Judge:
    """Fails if all of *needed* are among the deliveries; counts how often it is called."""

    def __init__(self, *needed: int) -> None:
        self.needed, self.asked = set(needed), 0

    def __call__(self, candidates: list[list[int]]) -> list[bool]:
        self.asked += 1
        return [self.needed <= set(candidate) for candidate in candidates]


def test_only_the_deliveries_that_matter_are_left():
    """Two of forty, far apart, in their order."""
    judge = Judge(3, 37)

    assert smallest(list(range(40)), judge) == [3, 37]
    assert judge.asked < 40


def test_a_single_delivery_needs_no_judgement():
    """There is nothing to leave out."""
    judge = Judge(0)

    assert smallest([0], judge) == [0]
    assert judge.asked == 0


def test_where_every_delivery_matters_all_are_left():
    """Nothing is dropped if that would change the failure."""
    assert smallest([1, 2, 3, 4, 5], Judge(1, 2, 3, 4, 5)) == [1, 2, 3, 4, 5]
