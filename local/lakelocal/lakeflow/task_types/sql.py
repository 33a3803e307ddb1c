"""`sql_task`: a file of SQL; queries, alerts and dashboards are in a workspace. Source: Jobs API 2.2, `SqlTask`."""

from collections.abc import Iterator

from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.task_types.task_type import ALERT, ROWS, Inner, TaskType
from lakelocal.lakeflow.verdicts import COMPUTE, HONOURED, IGNORED, REFUSED, for_fields, source_of_file

_ONE_OF = ("query", "alert", "dashboard", "file")


def _check(inner: Inner) -> Iterator[Finding]:
    """Findings unless there is exactly one of query, alert, dashboard and file."""
    given = [name for name in _ONE_OF if inner.get(name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "nothing to run"
        yield Finding(Where(), "sql-task", found, f"one of {', '.join(_ONE_OF)}", "Name one of them.")


def _unusable(inner: Inner) -> tuple[str, str] | None:
    if inner.get("file"):
        return None
    return "a `sql_task` without a `file`", "it has nothing to run; use `sql_task.file`"


SQL = TaskType(
    "sql_task",
    fields={
        "": (HONOURED, "on the local Spark server"),
        **for_fields("", "file file.path parameters", HONOURED),
        **source_of_file("file"),
        "warehouse_id": (IGNORED, COMPUTE),
        **for_fields("", "query alert dashboard", REFUSED, "it lives in the workspace; use `sql_task.file`"),
    },
    file=("file", "path"),
    parameters=("parameters",),
    leaves=frozenset({ROWS, ALERT}),
    check=_check,
    unusable=_unusable,
)
