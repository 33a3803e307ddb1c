"""Values of fields as a bundle writes them: parameters are text, and variables turn switches and numbers into text."""

from typing import Any


def as_text(value: Any) -> str:
    """A parameter's value as Databricks passes it: always text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def as_number(value: Any, default: int = 0) -> int:
    """A whole number; *default* where there is none, or where the check of its shape has refused it."""
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError):
        return default


def as_switch(value: Any) -> bool:
    """A switch, also as the text `true` or `false` that a variable gives."""
    return as_text(value).lower() == "true"


def has_reference(text: str) -> bool:
    """Does *text* hold something that a run, or a deployment, fills in?"""
    return "{{" in text or "${" in text
