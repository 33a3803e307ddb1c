"""A notebook that a state folder needs once before its first job: it makes schemas and volumes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from local.bundle import Bundle, Task
from local.errors import RunError
from local.jobs.command import RunOptions, exit_code, run_job
from local.project import State


def run_first(
    bundle: Bundle, job_key: str, notebook: Path, *, state: State, parameters: Mapping[str, str], quiet: bool
) -> None:
    """Run *notebook* with the parameters of the job *job_key*, unless it has succeeded in *state* as it is now.

    It is a run of its own, so that the history shows it. A changed notebook runs again, and so does one that failed.

    Raises:
        UsageError: the job or a parameter is unknown; nothing has run.
        RunError: the notebook failed; says where its executed copy is.
    """
    done = state.folder / "first.json"
    content = hashlib.sha256(notebook.read_bytes()).hexdigest()
    known = json.loads(done.read_text()) if done.is_file() else {}
    if known.get(notebook.name) == content:
        return
    if not quiet:
        print(f"first run in `{state.catalog}`: {notebook.name} ...", flush=True)
    task = Task(notebook.stem, "notebook_task", {"notebook_task": {"notebook_path": str(notebook)}}, notebook=notebook)
    job = replace(bundle.job(job_key), key=notebook.stem, name=notebook.stem, id=0, tasks=(task,), timeout_seconds=0)
    alone = replace(bundle, jobs={**bundle.jobs, job.key: job})
    shape = run_job(alone, job.key, state=state, parameters=parameters, options=RunOptions(json=True))
    if exit_code(shape):
        failed = shape["tasks"][-1]
        raise RunError(
            f"`{notebook.name}`: {failed['state'].get('state_message') or failed['state']}. "
            f"The executed notebook is `{failed.get('output_notebook')}`; mend the cause and run again."
        )
    done.write_text(json.dumps(known | {notebook.name: content}))
