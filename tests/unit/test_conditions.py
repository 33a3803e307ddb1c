"""What a condition task compares: the run and `validate` read the same rules."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types import RUNNERS
from lakelocal.lakeflow.conditions import number, outcome
from lakelocal.lakeflow.task_types.condition import constant_outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", Decimal(12)),
        (" -1e3 ", Decimal(-1000)),
        (".5", Decimal("0.5")),
        ("1e400", Decimal("1e400")),
        ("9007199254740993", Decimal(9007199254740993)),
        ("Infinity", None),
        ("-inf", None),
        ("NaN", None),
        ("sNaN", None),
        ("ten", None),
        ("true", None),
        ("", None),
    ],
)
def test_which_texts_are_numbers(text: str, expected: Decimal | None) -> None:
    """Those of finite decimal numbers, with all their digits; JSON has no `Infinity` or `NaN`."""
    assert number(text) == expected


@pytest.mark.parametrize("text", ["Infinity", "NaN", "ten", "", "[1]"])
def test_an_operand_that_fails_the_task_has_no_outcome_ahead(text: str) -> None:
    """`Infinity` was a number only for the run."""
    with pytest.raises(ValueError, match=r"right: found .*, expected a"):
        outcome("LESS_THAN", "1", text)
    assert constant_outcome({"op": "LESS_THAN", "left": "1", "right": text}) is None


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("LESS_THAN", "1", "1e400", "true"),
        ("LESS_THAN", "9007199254740992", "9007199254740993", "true"),
        ("EQUAL_TO", True, "true", "true"),
        ("EQUAL_TO", None, "", "true"),
        ("EQUAL_TO", 12, "12", "true"),
        ("LIKE", "a", "a", None),
        ("EQUAL_TO", "{{job.id}}", "1", None),
        ("EQUAL_TO", "${var.x}", "1", None),
    ],
)
def test_the_outcome_of_two_literals(op: str, left: Any, right: Any, expected: str | None) -> None:
    """As the run compares them: numbers too large for a float, and booleans as Databricks writes them."""
    assert constant_outcome({"op": op, "left": left, "right": right}) == expected


@pytest.mark.parametrize(("left", "right"), [(True, "true"), (None, ""), (12.5, "12.5")])
def test_the_run_compares_the_texts_that_validate_reads(left: Any, right: str) -> None:
    """A boolean in the file is `true`, not Python's `True`."""
    fields = {"op": "EQUAL_TO", "left": left, "right": right}
    outcomes: dict[str, str] = {}
    attempt = SimpleNamespace(
        task=SimpleNamespace(inner=fields, key="c"),
        run=SimpleNamespace(progress=SimpleNamespace(outcomes=outcomes)),
        resolved=lambda value, field: value,
        record=lambda **columns: None,
    )

    RUNNERS["condition_task"](attempt, Stop())

    assert outcomes == {"c": "true"}
    assert constant_outcome(fields) == "true"
