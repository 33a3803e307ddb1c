"""Notebooks around a job that are no tasks of it: one that a state folder needs once, one that checks parameters."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lakelocal.bundle import Task
from lakelocal.errors import RunError
from lakelocal.history.api import run_shape
from lakelocal.jobs.new_run import Origin
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.views import Silent
from lakelocal.lakeflow.results import meaning


def run_check(run: JobRun, notebook: Path, given: Mapping[str, str], stop: Stop) -> None:
    """Run *notebook*, which refuses what *run* was given by failing, with its parameters and the variables *given*.

    A task that finds its parameters wrong is tried again, as its job says, and others may have run by then.

    Raises:
        RunError: the notebook failed; in its words.
    """
    failed = _run_alone(run, notebook, {**given, **run.parameters}, stop)
    if failed:
        raise RunError(failed.message)


def run_first(before: JobRun, notebook: Path, stop: Stop) -> None:
    """Run *notebook* with the parameters of the run *before*, unless it has succeeded in the state as it is now.

    It makes schemas and volumes, say. A changed notebook runs again, and so does one that failed.

    Raises:
        RunError: the notebook failed, or is gone; says where its executed copy is.
    """
    engine = before.engine
    done = engine.state.folder / "first.json"
    if not notebook.is_file():
        raise RunError(f"`{notebook}`: found no notebook, which the run needs first. Put it back, or start a new run.")
    content = hashlib.sha256(notebook.read_bytes()).hexdigest()
    known = json.loads(done.read_text()) if done.is_file() else {}
    if known.get(notebook.name) == content:
        return
    engine.view.note(f"first run in `{engine.state.catalog}`: {notebook.name} ...")
    if failed := _run_alone(before, notebook, before.parameters, stop):
        raise RunError(
            f"`{notebook.name}`: {failed.message} The executed notebook is `{failed.executed}`; mend the cause, then "
            "repair the run."
        )
    done.write_text(json.dumps(known | {notebook.name: content}))


class _Failure(NamedTuple):
    """Why a notebook failed, and its executed copy."""

    message: str
    executed: str | None


def _run_alone(beside: JobRun, notebook: Path, parameters: Mapping[str, str], stop: Stop) -> _Failure | None:
    """Run *notebook* as a run of its own, so that the history shows it; why it failed, None where it did not."""
    engine = beside.engine
    task = Task(notebook.stem, "notebook_task", {"notebook_task": {"notebook_path": str(notebook)}}, notebook=notebook)
    job = replace(beside.job, key=notebook.stem, name=notebook.stem, id=0, tasks=(task,), timeout_seconds=0)
    bundle = replace(engine.bundle, jobs={**engine.bundle.jobs, job.key: job})
    quiet = replace(engine, bundle=bundle, view=Silent(), listeners=())
    run = JobRun.new(quiet, job, parameters, origin=Origin(parent=beside.run_id))
    if meaning(run.execute(stop)).succeeded:
        return None
    failed = run_shape(engine.records, run.run_id)["tasks"][-1]
    return _Failure(failed["state"].get("state_message") or str(failed["state"]), failed.get("output_notebook"))
