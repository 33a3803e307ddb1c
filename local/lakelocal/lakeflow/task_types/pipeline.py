"""`pipeline_task`: an update of a declarative pipeline of the bundle. Source: Jobs API 2.2, `PipelineTask`."""

from collections.abc import Iterator

from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.task_types.task_type import Inner, TaskType
from lakelocal.lakeflow.verdicts import HONOURED, REFUSED, for_fields

_BETA = "it is a Beta of Databricks; use `full_refresh_selection`"


def _check(inner: Inner) -> Iterator[Finding]:
    """A finding for a full refresh of everything beside names."""
    named = [name for name in ("refresh_selection", "full_refresh_selection") if inner.get(name)]
    if str(inner.get("full_refresh")).lower() == "true" and named:
        yield Finding(
            Where(path=("full_refresh",)), "pipeline", f"it beside `{named[0]}`", "one of them", "Remove one."
        )


PIPELINE = TaskType(
    "pipeline_task",
    fields={
        "": (HONOURED, "by an executor of its own, on Delta; see the README for what differs"),
        "pipeline_id": (HONOURED, "a pipeline of the bundle"),
        **for_fields("", "full_refresh refresh_selection full_refresh_selection parameters", HONOURED),
        **for_fields("", "refresh_flow_selection reset_checkpoint_selection", REFUSED, _BETA),
    },
    parameters=("parameters",),
    check=_check,
)
