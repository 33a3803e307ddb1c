"""Values of fields as a bundle writes them: parameters are text, and variables turn booleans and numbers into text."""

from decimal import Decimal
from typing import Any

_PLAIN_DIGITS = range(-4, 6)  # powers of ten that are written out inside a text; beyond them, Go prints an exponent


def as_text(value: Any) -> str:
    """A value as the text that a text field takes: `true`, `1` for 1.0, all digits of 1e20.

    Source: Databricks CLI 1.13, `libs/dyn/convert/normalize.go`.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _written_out(value) if value == value and abs(value) != float("inf") else _unbounded(value)
    return "" if value is None else str(value)


def interpolated(value: Any) -> str:
    """A single value as a reference inside a text yields it: like `as_text`, but `1e+20`, and `<nil>` for null.

    Source: Databricks CLI 1.13, `libs/dyn/dynvar/resolve.go`, which prints it as Go does.
    """
    if value is None:
        return "<nil>"
    if not isinstance(value, float) or value != value or abs(value) in (0.0, float("inf")):
        return as_text(value)
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if exponent in _PLAIN_DIGITS:
        return as_text(value)
    digits = "".join(map(str, number.as_tuple().digits))
    sign, fraction = "-" if value < 0 else "", f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _written_out(value: float) -> str:
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unbounded(value: float) -> str:
    return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"


def as_number(value: Any, default: int = 0) -> int:
    """A whole number; *default* if there is none, or if the check of its shape has refused it."""
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError):
        return default


def as_switch(value: Any) -> bool:
    """A boolean, including the text `true` or `false` that a variable yields."""
    return as_text(value).lower() == "true"


def has_reference(text: str) -> bool:
    """Does *text* contain something that a run, or a deployment, fills in?"""
    return "{{" in text or "${" in text
