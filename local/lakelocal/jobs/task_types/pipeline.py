"""`pipeline_task`: an update of a pipeline of the bundle, in one kernel, whose executed notebook shows what it did.

What happens in the update is recorded as it is told, so that everything that shows the run has it at once.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pprint import pformat
from typing import Any

from lakelocal.errors import RunError
from lakelocal.history.updates import UpdateRecords
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types.in_kernel import Cells, run_cells
from lakelocal.lakeflow.field_values import as_switch
from lakelocal.lakeflow.model import Bundle, Task
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.update_progress import (
    COMPLETED,
    JOB_TASK,
    RETRY,
    STOPPED,
    UPDATE_ENDS,
    USER_ACTION,
    WAITING,
    Event,
    Progress,
    flow_event,
    unsuccessful_end,
    update_event,
)
from lakelocal.pipelines.order import Selection, UpdateOrder
from lakelocal.sources.read import code_cell, markdown_cell

POLL_SECONDS = 0.5


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
    pipeline, selection = bundle.pipelines[task.pipeline], selection_of(inner)
    update = _Recorded.begun(attempt, pipeline, selection, parameters)
    order = order_of(pipeline, parameters, selection, update.id)
    try:
        with _stopping(update, stop) as part:
            outcome = run_cells(attempt, part, cells(order, task, bundle), parameters, hear=update.hear)
    except Exception as error:  # for example, a library is missing: no event of the kernel reports it
        update.close("FAILED", str(error))
        raise
    update.close(outcome.result, outcome.error)
    return outcome


@dataclass
class _Recorded:
    """The update *id*, as the history and the view of the run get it."""

    attempt: TaskAttempt
    records: UpdateRecords
    id: str
    progress: Progress = field(default_factory=Progress)
    _told: set[str] = field(default_factory=set)

    @classmethod
    def begun(
        cls, attempt: TaskAttempt, pipeline: Pipeline, selection: Selection, parameters: Mapping[str, str]
    ) -> "_Recorded":
        """The update that *attempt* does: the one that waits for it, or a new one."""
        records = UpdateRecords(attempt.owner.engine.records)
        update_id = records.begin(attempt.run.run_id, pipeline.id, attempt.run_id) or records.create(
            pipeline_id=pipeline.id,
            pipeline_name=pipeline.name,
            job_run_id=attempt.run.run_id,
            attempt_id=attempt.run_id,
            cause=RETRY if attempt.number else USER_ACTION if attempt.run.job.is_update else JOB_TASK,
            selection=selection.as_fields,
            parameters=parameters,
        )
        update = cls(attempt, records, update_id)
        update.take(update_event(update_id, WAITING))
        return update

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take an event of the attempt's process; a line that says the same as an event of the update is left out."""
        if event["event"] == "update":
            self.take(Event.of(event["told"]))
        elif event["event"] != "printed" or event["line"] not in self._told:
            self.attempt.owner.hear(event)

    def take(self, event: Event) -> None:
        """Record *event* and show it."""
        self._told.add(event.message)
        self.progress.take(event)
        self.records.add(self.id, [event])
        self.attempt.owner.engine.view.update_changed(self.attempt.owner.path, self.progress, event)

    def close(self, result: str, error: str) -> None:
        """End the update like its attempt, with its *error*, unless an event has reported its end."""
        if self.progress.state in UPDATE_ENDS:
            return
        for flow in list(self.progress.unended()):
            self.take(flow_event(flow.name, flow.dataset, STOPPED))
        state = COMPLETED if meaning(result).succeeded else unsuccessful_end(result)
        self.take(update_event(self.id, state, error))

    @property
    def is_to_stop(self) -> bool:
        """Has someone asked to stop the pipeline?"""
        return self.records.cancel_requested(self.id)


@contextlib.contextmanager
def _stopping(update: _Recorded, stop: Stop) -> Iterator[Stop]:
    """A stop that is also requested when someone asks to stop the pipeline, whose run then continues."""
    over = threading.Event()

    def watch(part: Stop) -> None:
        while not over.wait(POLL_SECONDS):
            if update.is_to_stop:
                part.request("CANCELED")
                return

    part = Stop()
    watching = threading.Thread(target=watch, args=(part,), daemon=True)
    with stop.calling(lambda: part.request(stop.reason or "CANCELED")):
        watching.start()
        try:
            yield part
        finally:
            over.set()
            watching.join()


def selection_of(inner: Mapping[str, Any]) -> Selection:
    """What the fields of the task say is refreshed."""
    return Selection(
        refresh=tuple(map(str, inner.get("refresh_selection") or ())),
        full_refresh=tuple(map(str, inner.get("full_refresh_selection") or ())),
        full_refresh_all=as_switch(inner.get("full_refresh")),
        validate_only=as_switch(inner.get("validate_only")),
    )


def order_of(pipeline: Pipeline, parameters: Mapping[str, str], selection: Selection, update_id: str) -> UpdateOrder:
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
        update_id=update_id,
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
