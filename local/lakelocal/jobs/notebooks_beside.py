"""Notebooks that run around a job but are not its tasks: one sets up a state folder, one checks parameters."""

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
    """Run *notebook* with the parameters of *run* and the variables *given*; it refuses them by failing.

    A task that finds its parameters wrong would be retried as its job says, and other tasks might have run by then.

    Raises:
        RunError: the notebook failed; the message is the notebook's own.
    """
    run.engine.view.preparing(f"checking the parameters: {notebook.name}")
    failed = _run_alone(run, notebook, {**given, **run.parameters}, stop)
    if failed:
        raise RunError(failed.message)


def run_first(before: JobRun, notebook: Path, stop: Stop) -> None:
    """Run *notebook* with the parameters of the run *before*, unless it has already succeeded in the current state.

    It creates schemas and volumes, for example. It runs again after it has changed or failed.

    Raises:
        RunError: the notebook failed or no longer exists; the message names its executed copy.
    """
    engine = before.engine
    done = engine.state.folder / "first.json"
    if not notebook.is_file():
        raise RunError(f"`{notebook}`: not found, but the run needs it first. Restore it, or start a new run.")
    content = hashlib.sha256(notebook.read_bytes()).hexdigest()
    known = json.loads(done.read_text()) if done.is_file() else {}
    if known.get(notebook.name) == content:
        return
    engine.view.preparing(f"first run in `{engine.state.catalog}`: {notebook.name}")
    if failed := _run_alone(before, notebook, before.parameters, stop):
        raise RunError(
            f"`{notebook.name}`: {failed.message} The executed notebook is `{failed.executed}`; fix the cause, then "
            "repair the run."
        )
    done.write_text(json.dumps(known | {notebook.name: content}))


class _Failure(NamedTuple):
    """Why a notebook failed, and its executed copy."""

    message: str
    executed: str | None


def _run_alone(beside: JobRun, notebook: Path, parameters: Mapping[str, str], stop: Stop) -> _Failure | None:
    """Run *notebook* as a run of its own, so that the history shows it; return why it failed, or None if it did not."""
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
