"""`run`, and `runs list` and `get`."""

import json
from argparse import Namespace
from datetime import UTC, datetime

from local.bundle import Bundle
from local.cli.scope import bundle_of, pairs, project_of, state_of
from local.errors import UsageError
from local.jobs import RunOptions, exit_code, get_run, list_runs, run_job
from local.jobs.first import run_first
from local.server import ensure_server


def run(options: Namespace) -> int:
    """Run a job to its end; the exit code says how it ended."""
    bundle: Bundle = bundle_of(options, pairs("--var", options.var))
    state = project_of(options).state(bundle.catalog)
    parameters = pairs("--param", options.param)
    how = RunOptions(
        only=options.only, strict=options.strict, json=options.json, before_run=lambda: ensure_server(state)
    )
    if options.before:
        if not options.before.is_file():
            raise UsageError(f"--before: found no notebook `{options.before}`. Correct its path.")
        run_first(bundle, options.job, options.before.resolve(), state=state, parameters=parameters, quiet=options.json)
    shape = run_job(bundle, options.job, state=state, parameters=parameters, options=how)
    if options.json:
        print(json.dumps(shape, indent=1, ensure_ascii=False))
    return exit_code(shape)


def list_(options: Namespace) -> int:
    """The newest runs first."""
    found = list_runs(state_of(options), limit=options.limit, active_only=options.active_only)
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("run id", "job", "started (UTC)", "seconds", "state", "result")
    for shape in found:
        start, end = shape["start_time"], shape.get("end_time")
        began = datetime.fromtimestamp(start / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        took = f"{(end - start) / 1000:.1f}" if end else ""
        state = shape["state"]
        table.add_row(
            str(shape["run_id"]), shape["run_name"], began, took, state["life_cycle_state"], state.get("result_state")
        )
    Console().print(table if found else "no runs yet: `python -m local run JOB` makes one")
    return 0


def get(options: Namespace) -> int:
    """One run, as JSON."""
    print(json.dumps(get_run(state_of(options), options.run_id), indent=1, ensure_ascii=False))
    return 0
