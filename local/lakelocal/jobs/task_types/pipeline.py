"""`pipeline_task`: an update of a pipeline of the bundle, in one kernel, whose executed notebook shows what it did."""

from collections.abc import Mapping
from pprint import pformat
from typing import Any

from lakelocal.errors import RunError
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import Cells, run_cells
from lakelocal.lakeflow.field_values import as_switch
from lakelocal.lakeflow.model import Bundle, Task
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.pipelines.order import Selection, UpdateOrder
from lakelocal.sources.read import code_cell, markdown_cell


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Update the pipeline."""
    task, bundle = attempt.task, attempt.owner.engine.bundle
    if attempt.owner.engine.compute.remote:
        raise RunError(
            f"`{task.where}`: task `{task.key}`: found Spark elsewhere; a pipeline runs on the server of this machine "
            "only, where its checkpoints are. Run it without --remote; in a workspace, deploy the bundle and start it "
            "with `databricks bundle run`."
        )
    assert task.pipeline is not None, "checked when the bundle was read"
    own = attempt.resolved(dict(task.inner.get("parameters") or {}), "parameters")
    parameters = {name: str(value) for name, value in {**own, **attempt.run.parameters}.items()}
    inner = attempt.resolved(dict(task.inner), "pipeline_task")
    order = order_of(bundle.pipelines[task.pipeline], parameters, selection_of(inner))
    return run_cells(attempt, stop, cells(order, task, bundle), parameters)


def selection_of(inner: Mapping[str, Any]) -> Selection:
    """What the fields of the task say is refreshed."""
    return Selection(
        refresh=tuple(map(str, inner.get("refresh_selection") or ())),
        full_refresh=tuple(map(str, inner.get("full_refresh_selection") or ())),
        full_refresh_all=as_switch(inner.get("full_refresh")),
        validate_only=as_switch(inner.get("validate_only")),
    )


def order_of(pipeline: Pipeline, parameters: Mapping[str, str], selection: Selection) -> UpdateOrder:
    """One update of *pipeline*."""
    return UpdateOrder(
        id=pipeline.id,
        name=pipeline.name,
        catalog=pipeline.catalog,
        schema=pipeline.schema,
        sources=tuple(str(file) for file in pipeline.sources),
        root=str(pipeline.root or ""),
        configuration=pipeline.configuration,
        parameters={**pipeline.parameters, **parameters},
        selection=selection,
        notes=pipeline.notes,
    )


def cells(order: UpdateOrder, task: Task, bundle: Bundle) -> Cells:
    """The notebook of an update: what the sources define, what reads what, what was written."""
    yield markdown_cell(f"# {order.name}")
    for install in installs_of(task, bundle):
        yield code_cell(f"%pip install {install.arguments}")
    yield markdown_cell("## What the sources define")
    given = pformat(order.as_json(), width=110, sort_dicts=False)
    yield code_cell(f"from lakelocal.kernel.updates import update_of\n\nupdate = update_of(\n{given}\n)\nupdate.load()")
    yield markdown_cell("## What reads what")
    yield code_cell("update.resolve()")
    yield markdown_cell("## What the flows wrote")
    yield code_cell("update.run()")
