"""Condition tasks: their operands, and conditions whose outcome is known before the run.

Source: Jobs API 2.2, `condition_task.op`: EQUAL_TO and NOT_EQUAL compare texts, the others numbers.
"""

import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.validate.findings import Finding
from local.validate.subject import Subject

_NUMERIC: Mapping[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}
_TEXTUAL: Mapping[str, Callable[[str, str], bool]] = {"EQUAL_TO": operator.eq, "NOT_EQUAL": operator.ne}
SIDES = ("left", "right")


def check_conditions(subject: Subject) -> Iterator[Finding]:
    """Operands that make a condition task fail, and conditions that have one outcome only."""
    for task in subject.all_tasks:
        if task.kind != "condition_task":
            continue
        op = str(task.inner.get("op"))
        for side in SIDES:
            text = _text(task.inner.get(side))
            path = ("condition_task", side)
            if is_reference(text):
                continue
            if _is_list(text):
                found, expected = f"the list `{text}` as `{side}`", "a single value: a list fails the task"
                action = "Compare a value, or its length."
                yield subject.finding("condition-operand", found, expected, action, task=task, path=path)
            elif op in _NUMERIC and number(text) is None:
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
    op, left, right = condition.get("op"), *(_text(condition.get(side)) for side in SIDES)
    if any(is_reference(text) or _is_list(text) for text in (left, right)):
        return None
    if op in _TEXTUAL:
        return str(_TEXTUAL[op](left, right)).lower()
    numbers = number(left), number(right)
    if op not in _NUMERIC or numbers[0] is None or numbers[1] is None:
        return None
    return str(_NUMERIC[op](numbers[0], numbers[1])).lower()


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


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False
