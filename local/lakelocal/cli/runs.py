"""`runs list`, `get`, `repair`, `cancel` and `close`: the history of runs, and actions on one of them."""

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from lakelocal.cli import export, prune, run_logs, run_tables
from lakelocal.cli.run import add_checks, add_remote, add_values, run_options
from lakelocal.cli.scope import add_run, bundle_of, parameters_of, project_of, run_named, state_of, variables_of
from lakelocal.cli.values import at_least_one
from lakelocal.cli.verbs import Verbs, add_group, add_verb
from lakelocal.history.reading import History
from lakelocal.history.records import Records
from lakelocal.jobs.cancel import cancel_run
from lakelocal.jobs.command import exit_code, get_run, list_runs
from lakelocal.jobs.repair import repair_run
from lakelocal.program import PROGRAM
from lakelocal.project import Project, State

if TYPE_CHECKING:
    from lakelocal.bundle import Bundle


def add(verbs: Verbs) -> None:
    """Declare the verb and its actions."""
    actions = add_group(
        verbs, "runs", "the history of runs: list, get, logs, tables, open, repair, cancel, close, export, prune"
    )
    listing = add_verb(actions, "list", list_, "list the runs, newest first")
    listing.add_argument("--limit", type=at_least_one, default=20, help="how many (default 20)")
    listing.add_argument("--active-only", action="store_true", help="list only runs that have not ended")
    listing.add_argument("--json", action="store_true")
    one = add_verb(actions, "get", get, "print one run with every attempt, as the Jobs API shows it")
    add_run(one)
    one.add_argument("--json", action="store_true", help="print JSON, which is always the case")
    again = add_verb(actions, "repair", repair, "run the failed tasks of an ended run again, in the same run")
    add_run(again)
    again.add_argument("--tasks", default="", metavar="TASKS", help="run these tasks instead of those that failed: a,b")
    again.add_argument("--no-dependents", action="store_true", help="do not run the tasks that depend on them")
    add_values(again)
    add_checks(again)
    add_remote(again)
    again.add_argument("--json", action="store_true", help="print the run as the Jobs API shows it")
    end = add_verb(actions, "cancel", cancel, "cancel a running or queued run, with all its tasks")
    add_run(end)
    end.add_argument("--json", action="store_true", help="print the run as the Jobs API shows it")
    summary = "record the end of runs whose process is gone; `list` shows them as ended anyway, SQL on runs.db does not"
    add_verb(actions, "close", close, summary)
    run_logs.add(actions)
    run_tables.add(actions)
    export.add(actions)
    prune.add(actions)


def list_(options: Namespace) -> int:
    """List the newest runs first."""
    state = state_of(options)
    if options.json:
        found = list_runs(state, limit=options.limit, active_only=options.active_only)
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from lakelocal.cli.run_table import run_table
    from lakelocal.console import console_for_people

    found = list_runs(state, limit=None, active_only=options.active_only)
    none = "no run is active" if options.active_only else f"no runs yet: `{PROGRAM} run JOB` makes one"
    console_for_people().print(run_table(found, limit=options.limit) if found else none)
    return 0


def get(options: Namespace) -> int:
    """Print one run as JSON."""
    state = state_of(options)
    print(json.dumps(get_run(state, run_named(state, options.run)), indent=1, ensure_ascii=False))
    return 0


def close(options: Namespace) -> int:
    """Record the end of runs whose process is gone; creates the history if it does not exist."""
    closed = Records.of(state_of(options)).close_abandoned()
    print(f"{len(closed)} runs closed{': ' if closed else ''}{', '.join(map(str, closed))}")
    return 0


def repair(options: Namespace) -> int:
    """Repair a run, to its end; the exit code says how it ended."""
    state = state_of(options)
    run_id = run_named(state, options.run)
    bundle = _deployed(state, run_id, project_of(options)) or bundle_of(options, variables_of(options))
    shape = repair_run(
        bundle,
        run_id,
        state=state,
        tasks=options.tasks,
        dependents=not options.no_dependents,
        parameters=parameters_of(options),
        options=run_options(options),
    )
    if options.json:
        print(json.dumps(shape, indent=1, ensure_ascii=False))
    return exit_code(shape)


def _deployed(state: State, run_id: int, project: Project) -> "Bundle | None":
    """The bundle of the run, if it is one of a job that was deployed to the workspace of *project*."""
    from lakelocal.workspace.deployed import bundle_of_run  # few projects have a workspace

    return bundle_of_run(History.of(state).run(run_id), project)


def cancel(options: Namespace) -> int:
    """Cancel a run and wait until it has ended."""
    state = state_of(options)
    run_id = run_named(state, options.run)
    had_ended = Records.of(state).run(run_id).end_time is not None
    shape = cancel_run(state, run_id)
    if options.json:
        print(json.dumps(shape, indent=1, ensure_ascii=False))
    else:
        ended = "had already ended, nothing was done" if had_ended else "has ended"
        print(f"run {run_id} {ended}: {shape['state'].get('result_state')}")
    return 0
