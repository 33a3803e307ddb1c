"""Conditions, inputs of for-each tasks and slots: small rules compared with their tables."""

import pytest
from conformance import cases, concurrency, conditions, foreach

from lakelocal.errors import RunError
from lakelocal.jobs.admission import verdict
from lakelocal.jobs.task_types.for_each import read_inputs
from lakelocal.lakeflow.conditions import outcome


@pytest.mark.parametrize(("op", "left", "right", "expected"), cases(conditions.RULES))
def test_conditions(op: str, left: str, right: str, expected: str | None) -> None:
    """Texts or numbers are compared; what cannot be compared fails the task, and the message says what was found."""
    if expected is not None:
        assert outcome(op, left, right) == expected
        return
    with pytest.raises(ValueError, match=r"found .*, expected"):
        outcome(op, left, right)


@pytest.mark.parametrize(("text", "expected"), cases(foreach.RULES))
def test_inputs(text: str, expected: list | None) -> None:
    """A JSON array, or the task fails with what was found."""
    if expected is not None:
        assert read_inputs(text) == expected
        return
    with pytest.raises(RunError, match=r"inputs: found .*, expected a JSON array"):
        read_inputs(text)


@pytest.mark.parametrize(("limit", "active", "waiting", "queue", "expected"), cases(concurrency.RULES))
def test_slots(limit: int, active: int, waiting: int, queue: bool, expected: str) -> None:
    """A run starts, waits or is skipped."""
    assert verdict(limit=limit, active=active, waiting=waiting, queue=queue) == expected
