"""`DeltaTable.forName` and `forPath` fail at once where there is no Delta table, as Delta documents them.

The class for Spark Connect asks nothing before it is used, so that code which makes a table where there is none, in an
`except` around `forName`, would never get there.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from lakelocal.imports import when_imported

_MODULE = "delta.connect.tables"
_CONDITION = "DELTA_MISSING_DELTA_TABLE"


def find_out_at_once() -> None:
    """Let both look for the table, in whatever imports them."""
    when_imported(_MODULE, _take_over)


def _take_over() -> None:
    from delta.connect.tables import DeltaTable

    for name in ("forName", "forPath"):
        setattr(DeltaTable, name, classmethod(_looking(getattr(DeltaTable, name).__func__)))


def _looking(opened: Callable[..., Any]) -> Callable[..., Any]:
    names = list(signature(opened).parameters)

    @wraps(opened)
    def look(cls: type, *arguments: Any, **named: Any) -> Any:
        found = opened(cls, *arguments, **named)
        _check(found, {**dict(zip(names[1:], arguments, strict=False)), **named}[names[2]])
        return found

    return look


def _check(table: Any, name: str) -> None:
    """Ask for the format of *table*.

    Raises:
        AnalysisException: there is none, it is a view, or of another format.
    """
    from pyspark.errors import AnalysisException

    try:
        format = table.detail().select("format").first()["format"]
    except AnalysisException as error:
        raise _missing(name) from error
    if format != "delta":
        raise _missing(name)


def _missing(name: str) -> Exception:
    from pyspark.errors import AnalysisException

    parameters = {"tableName": f"`{name}`"}
    return AnalysisException(f"[{_CONDITION}] `{name}` is not a Delta table.", _CONDITION, parameters)
