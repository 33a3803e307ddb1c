"""A notebook that a state folder needs once before its first job: it makes schemas and volumes."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from lakelocal.bundle import Task
from lakelocal.errors import RunError
from lakelocal.history.api import run_shape
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.views import Silent
from lakelocal.lakeflow.results import meaning


def run_first(before: JobRun, notebook: Path, stop: Stop) -> None:
    """Run *notebook* with the parameters of the run *before*, unless it has succeeded in the state as it is now.

    It is a run of its own, so that the history shows it. A changed notebook runs again, and so does one that failed.

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
    task = Task(notebook.stem, "notebook_task", {"notebook_task": {"notebook_path": str(notebook)}}, notebook=notebook)
    job = replace(before.job, key=notebook.stem, name=notebook.stem, id=0, tasks=(task,), timeout_seconds=0)
    bundle = replace(engine.bundle, jobs={**engine.bundle.jobs, job.key: job})
    run = JobRun.new(replace(engine, bundle=bundle, view=Silent(), listeners=()), job, before.parameters)
    if not meaning(run.execute(stop)).succeeded:
        failed = run_shape(engine.records, run.run_id)["tasks"][-1]
        raise RunError(
            f"`{notebook.name}`: {failed['state'].get('state_message') or failed['state']} "
            f"The executed notebook is `{failed.get('output_notebook')}`; mend the cause, then repair the run."
        )
    done.write_text(json.dumps(known | {notebook.name: content}))
