"""Condition tasks: their operands, and conditions whose outcome is known before the run.

Source: Jobs API 2.2, `condition_task.op`: EQUAL_TO and NOT_EQUAL compare texts, the others numbers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.bundle.text_values import as_text
from lakelocal.lakeflow import conditions
from lakelocal.lakeflow.findings import Finding
from lakelocal.validate.job_view import JobView

SIDES = ("left", "right")


def check_conditions(view: JobView) -> Iterator[Finding]:
    """Operands that make a condition task fail, and conditions that have one outcome only."""
    for task in view.all_tasks:
        if task.kind != "condition_task":
            continue
        op = str(task.inner.get("op"))
        for side in SIDES:
            text = as_text(task.inner.get(side))
            path = ("condition_task", side)
            if is_reference(text):
                continue
            if conditions.is_list(text):
                found, expected = f"the list `{text}` as `{side}`", "a single value: a list fails the task"
                action = "Compare a value, or its length."
                yield view.finding("condition-operand", found, expected, action, task=task, path=path)
            elif op in conditions.NUMBERS and conditions.number(text) is None:
                found, expected = f"`{text}` as `{side}` of {op}", "a number: anything else fails the task"
                action = "Write a number, or compare with EQUAL_TO."
                yield view.finding("condition-operand", found, expected, action, task=task, path=path)
        outcome = constant_outcome(task.inner)
        if outcome is not None:
            found = f"a condition of two literals: its outcome is always `{outcome}`"
            expected, action = "a reference on one side", "Use a reference, or remove the task."
            yield view.finding("constant-condition", found, expected, action, task=task, path=("condition_task",))


def constant_outcome(condition: Mapping[str, Any]) -> str | None:
    """`"true"` or `"false"`, where no run can change the outcome of *condition*; None where one can, or fails."""
    left, right = (as_text(condition.get(side)) for side in SIDES)
    if is_reference(left) or is_reference(right):
        return None
    try:
        return conditions.outcome(str(condition.get("op")), left, right)
    except ValueError:
        return None  # `condition-operand` says which operand fails the task


def is_reference(text: str) -> bool:
    """Does *text* hold something that a run, or a deployment, fills in?"""
    return "{{" in text or "${" in text
