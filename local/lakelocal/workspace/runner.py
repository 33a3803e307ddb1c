"""The process of one run of a deployed job: `python -m lakelocal.workspace.runner ROOT CATALOG RUN_ID REPAIR`.

It takes over the run from the server that recorded it, so that the run no longer depends on the server, and does it as
the command `run` does a run of a bundle's job. Its output is the log of the run.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.errors import LocalError
from lakelocal.history.api import run_shape
from lakelocal.history.records import Records, now_ms, this_process
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.attempts import Engine
from lakelocal.jobs.checks import check_run
from lakelocal.jobs.command import RunOptions, engine_of, exit_code, say_warnings
from lakelocal.jobs.prepare import prepare
from lakelocal.jobs.repair import execute_repair
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.model import Job
from lakelocal.lakeflow.references import Scope, WorkspaceAddress
from lakelocal.lakeflow.trigger_events import TriggerEvent
from lakelocal.project import Project, State
from lakelocal.workspace.deployed import Deployed, read_deployed
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.job_store import DeployedJob, JobStore
from lakelocal.workspace.places import WorkspacePlaces, workspace_id
from lakelocal.workspace.running import RunningServer


def main(arguments: list[str]) -> int:
    """Do the run that *arguments* name, unless another process has it; the exit code says how it ended."""
    root, catalog, run_id, repair = arguments
    project = Project.at(Path(root))
    places = WorkspacePlaces.of(project)
    store = JobStore(places.jobs_db)
    content = store.take(catalog, int(run_id), int(repair))
    if content is None:
        return 0
    state = project.state(catalog)
    records = Records.of(state)
    records.update_run(int(run_id), **this_process())
    recorded = records.run(int(run_id))
    try:
        as_it_was = DeployedJob(recorded.job_id, recorded.settings, 0, 0, "")
        deployed = read_deployed(as_it_was, store, places.tree, key=recorded.job_key)
        server = RunningServer.of(places)
        address = WorkspaceAddress(workspace_id(project), server.url if server else "local")
        _run(deployed, recorded, content, state, address)
    except (LocalError, ApiError) as error:
        print(f"error: {error}", file=sys.stderr)
        if records.run(recorded.run_id).end_time is None:
            records.update_run(
                recorded.run_id,
                life_cycle_state="INTERNAL_ERROR",
                result_state="FAILED",
                state_message=str(error),
                end_time=now_ms(),
            )
    return exit_code(run_shape(records, recorded.run_id))


def _run(
    deployed: Deployed, recorded: RecordedRun, content: Mapping[str, Any], state: State, address: WorkspaceAddress
) -> None:
    bundle = replace(deployed.bundle, target=recorded.target)
    job: Job = bundle.job(deployed.job.key)
    known = {name: value for name, (_, value) in recorded.job_parameters.items()}
    given = {str(name): str(value) for name, value in content["parameters"].items()}
    only = frozenset(recorded.only_tasks) if recorded.only_tasks is not None else None
    scheduled = recorded.trigger_time is not None
    event = TriggerEvent.of(recorded.trigger_event) if recorded.trigger_event else None
    values = {**known, **given}
    warnings = check_run(bundle, job, parameters=values, only=only, scheduled=scheduled, event=event)

    def begin(engine: Engine, stop: Stop) -> None:
        if "again" in content:
            execute_repair(engine, stop, job, recorded.run_id, again=content["again"], parameters=given)
            return
        run = JobRun(engine, job, Scope.of_run(vars(recorded), workspace=engine.workspace), only=only)
        run.take_parameters(given)
        run.execute(stop, prepare)

    with engine_of(bundle, job, state, RunOptions(start_ahead=True, workspace=address)) as (engine, stop):
        say_warnings(engine, warnings)
        begin(engine, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
