"""Condition tasks: their operands, and conditions whose outcome is known before the run.

Source: Jobs API 2.2, `condition_task.op`: EQUAL_TO and NOT_EQUAL compare texts, the others numbers.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from local.bundle.texts import as_text
from local.jobs import conditions
from local.validate.findings import Finding
from local.validate.subject import Subject

SIDES = ("left", "right")


def check_conditions(subject: Subject) -> Iterator[Finding]:
    """Operands that make a condition task fail, and conditions that have one outcome only."""
    for task in subject.all_tasks:
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
                yield subject.finding("condition-operand", found, expected, action, task=task, path=path)
            elif op in conditions.NUMBERS and number(text) is None:
                found, expected = f"`{text}` as `{side}` of {op}", "a number: anything else fails the task"
                action = "Write a number, or compare with EQUAL_TO."
                yield subject.finding("condition-operand", found, expected, action, task=task, path=path)
        outcome = constant_outcome(task.inner)
        if outcome is not None:
            found = f"a condition of two literals: its outcome is always `{outcome}`"
            expected, action = "a reference on one side", "Use a reference, or remove the task."
            yield subject.finding("constant-condition", found, expected, action, task=task, path=("condition_task",))


def constant_outcome(condition: Mapping[str, Any]) -> str | None:
    """`"true"` or `"false"`, where no run can change the outcome of *condition*; else, or where it fails, None."""
    op, left, right = condition.get("op"), *(as_text(condition.get(side)) for side in SIDES)
    if any(is_reference(text) or conditions.is_list(text) for text in (left, right)):
        return None
    if op in conditions.NUMBERS and None in (number(left), number(right)):
        return None
    return conditions.outcome(op, left, right) if op in (*conditions.TEXTS, *conditions.NUMBERS) else None


def is_reference(text: str) -> bool:
    """Does *text* hold something that a run, or a deployment, fills in?"""
    return "{{" in text or "${" in text


def number(text: str) -> float | None:
    """*text* as a number, None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
