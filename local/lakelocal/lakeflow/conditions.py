"""What a condition task compares: pure functions of two texts, used by the run and by `validate`.

Source: Jobs API 2.2, `ConditionTask`: EQUAL_TO and NOT_EQUAL compare texts ("12.0" is not "12"), the others numbers.
"""

import json
import operator
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

TEXTS: dict[str, Callable[[str, str], bool]] = {"EQUAL_TO": operator.eq, "NOT_EQUAL": operator.ne}
NUMBERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def outcome(op: str, left: str, right: str) -> str:
    """The outcome of a comparison: `"true"` or `"false"`.

    Raises:
        ValueError: an operand is a list, or is not a number although numbers are compared, or there is no operator
            *op*; the text says which.
    """
    for side, text in (("left", left), ("right", right)):
        if is_list(text):
            raise ValueError(f"{side}: found the list `{text}`, expected a text or a number")
    if op in TEXTS:
        return str(TEXTS[op](left, right)).lower()
    if op in NUMBERS:
        return str(NUMBERS[op](_number("left", left, op), _number("right", right, op))).lower()
    raise ValueError(f"op: found `{op}`, expected one of {', '.join([*TEXTS, *NUMBERS])}")


def number(text: str) -> Decimal | None:
    """*text* as a number with all its digits; None for any other text.

    `Infinity` and `NaN` are not numbers: an operand is a numeric value, such as a task value, which is JSON.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def is_list(text: str) -> bool:
    """Is *text* a JSON array? Such an operand fails the task."""
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _number(side: str, text: str, op: str) -> Decimal:
    value = number(text)
    if value is None:
        raise ValueError(f"{side}: found `{text}`, expected a number: {op} compares numbers")
    return value
