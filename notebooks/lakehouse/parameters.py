"""Parameters of a notebook: typed literals in its `parameters` cell, strings in a job, one checked object in code."""

import re
from dataclasses import make_dataclass
from datetime import date
from typing import Any

from lakehouse.errors import ParameterError

REFRESH_MODES = ("incremental", "full")


def parameters(dbutils: Any, **defaults: str | int | float | bool) -> Any:
    """The values of this run, each with the type of its default.

    Declares a widget for each parameter with its default and reads it back: on Databricks and in a local job, the job's
    value wins; under papermill, the injected value has become the default; elsewhere the default applies.

    Args:
        dbutils: the notebook's `dbutils`.
        **defaults: the names of the `parameters` cell, each with the variable of that name as its value.

    Returns:
        A frozen object with one attribute per parameter.

    Raises:
        ParameterError: a value does not have the type of its default, or `catalog`, `run_date` or `refresh_mode` is not
            a valid name, ISO date or mode.
    """
    values = {}
    for name, default in defaults.items():
        dbutils.widgets.text(name, _to_text(default))
        values[name] = _cast(name, dbutils.widgets.get(name), default)
        _check(name, values[name])
    fields = [(name, type(value)) for name, value in values.items()]
    return make_dataclass("Parameters", fields, frozen=True)(**values)


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cast(name: str, text: str, default: str | int | float | bool) -> str | int | float | bool:
    kind = type(default)
    if kind is bool:
        if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        raise _unfit(name, text, "`true` or `false`")
    if kind not in (str, int, float):
        raise _unfit(name, text, f"a default that is text, a number or a truth value, not {kind.__name__}")
    try:
        return kind(text)
    except ValueError:
        raise _unfit(name, text, "a whole number" if kind is int else "a number") from None


def _check(name: str, value: object) -> None:
    if name == "catalog" and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", str(value)):
        raise _unfit(name, value, "letters, digits, `_` and `-`")
    if name == "refresh_mode" and value not in REFRESH_MODES:
        raise _unfit(name, value, " or ".join(f"`{mode}`" for mode in REFRESH_MODES))
    if name == "run_date" and value:
        try:
            date.fromisoformat(str(value))
        except ValueError:
            raise _unfit(name, value, "an ISO date such as 2018-08-29") from None


def _unfit(name: str, value: object, expected: str) -> ParameterError:
    return ParameterError(
        f"Parameter `{name}`: found `{value}`, expected {expected}. Correct it in the job or in the parameters cell.",
        parameter=name,
        value=value,
    )
