"""`condition_task`: a comparison, whose outcome decides which of the tasks after it start.

It supports neither retries nor notifications. Source: Jobs API 2.2, `ConditionTask`.
"""

from collections.abc import Iterator

from lakelocal.lakeflow import conditions
from lakelocal.lakeflow.field_values import as_text, has_reference
from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.task_types.task_type import Inner, TaskType
from lakelocal.lakeflow.verdicts import HONOURED, for_fields

SIDES = ("left", "right")


def constant_outcome(inner: Inner) -> str | None:
    """`"true"` or `"false"` if no run can change the outcome; None if one can, or if the task fails."""
    left, right = (as_text(inner.get(side)) for side in SIDES)
    if has_reference(left) or has_reference(right):
        return None
    try:
        return conditions.outcome(str(inner.get("op")), left, right)
    except ValueError:
        return None  # `condition-operand` says which operand fails the task


def _check(inner: Inner) -> Iterator[Finding]:
    """Findings for operands that make the task fail, and for a condition with only one possible outcome."""
    op = str(inner.get("op"))
    for side in SIDES:
        text = as_text(inner.get(side))
        if has_reference(text):
            continue
        if conditions.is_list(text):
            found, expected = f"the list `{text}` as `{side}`", "a single value: a list fails the task"
            yield Finding(Where(path=(side,)), "condition-operand", found, expected, "Compare a value, or its length.")
        elif op in conditions.NUMBERS and conditions.number(text) is None:
            found, expected = f"`{text}` as `{side}` of {op}", "a number: anything else fails the task"
            action = "Write a number, or compare with EQUAL_TO."
            yield Finding(Where(path=(side,)), "condition-operand", found, expected, action)
    outcome = constant_outcome(inner)
    if outcome is not None:
        found = f"a condition of two literals: its outcome is always `{outcome}`"
        expected, action = "a reference on one side", "Use a reference, or remove the task."
        yield Finding(Where(), "constant-condition", found, expected, action)


CONDITION = TaskType(
    "condition_task",
    fields={"": (HONOURED, ""), **for_fields("", "left op right", HONOURED)},
    operands=SIDES,
    branches=True,
    check=_check,
)
