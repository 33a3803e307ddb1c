"""`runs list`, `runs get`: the history of runs."""

import json
from argparse import Namespace
from datetime import UTC, datetime

from local.cli.scope import state_of
from local.cli.verbs import Verbs, add_group, add_verb
from local.jobs import get_run, list_runs


def add(verbs: Verbs) -> None:
    """Declare the verb and its actions."""
    actions = add_group(verbs, "runs", "the history of runs: list, get")
    listing = add_verb(actions, "list", list_, "the newest runs first")
    listing.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    listing.add_argument("--active-only", action="store_true", help="only runs that have not ended")
    listing.add_argument("--json", action="store_true")
    one = add_verb(actions, "get", get, "one run with every attempt, as the Jobs API shows it")
    one.add_argument("run_id", type=int)


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
