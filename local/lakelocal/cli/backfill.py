"""`backfill`: run a job once for each of several past times."""

import json
import shlex
from argparse import Namespace
from datetime import timedelta
from typing import Any

from lakelocal.cli.run import add_checks, add_remote, add_values, run_options
from lakelocal.cli.scope import bundle_of, parameters_of, project_of, variables_of
from lakelocal.cli.values import interval, moment
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.jobs.backfill import backfill_job, backfill_times, label
from lakelocal.jobs.command import exit_code
from lakelocal.jobs.views import duration
from lakelocal.program import PROGRAM


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = add_verb(verbs, "backfill", backfill, "run a job once for each of several past times")
    command.add_argument("job", help="the job's key in the bundle, for example daily")
    command.add_argument(
        "--from", dest="start", type=moment, required=True, metavar="D", help="the first date or time, ISO 8601"
    )
    command.add_argument("--to", dest="end", type=moment, required=True, metavar="D", help="the last date or time")
    command.add_argument(
        "--every", type=interval, default="1d", metavar="N", help="the interval: 30m, 6h, 1d, 1w (default 1d)"
    )
    add_values(command, "a job parameter, such as run_date={{backfill.iso_date}}; may be repeated")
    add_checks(command)
    add_remote(command)
    command.add_argument("--json", action="store_true", help="print the runs as the Jobs API shows them")


def backfill(options: Namespace) -> int:
    """Run all of them; the exit code is 1 if one did not succeed."""
    bundle = bundle_of(options, variables_of(options))
    state = project_of(options).state(bundle.catalog)
    times = backfill_times(options.start, options.end, options.every)
    runs = backfill_job(
        bundle,
        options.job,
        times,
        state=state,
        parameters=parameters_of(options),
        options=run_options(options),
    )
    if options.json:
        print(json.dumps(runs, indent=1, ensure_ascii=False))
    else:
        _print_summary([label(each) for each in times], runs)
        for step in next_steps(options, [label(each) for each in times], runs):
            print(step)
    return max((exit_code(run) for run in runs), default=1) if len(runs) == len(times) else 1


def next_steps(options: Namespace, labels: list[str], runs: list[dict[str, Any]]) -> list[str]:
    """The commands that make good what did not succeed: a repair for each run, and a backfill of what is left."""
    target = ["--target", options.target] if options.target else []
    steps = [("repair", ["runs", "repair", str(run["run_id"]), *target]) for run in runs if exit_code(run)]
    if left := labels[len(runs) :]:
        values = [word for name in ("param", "var") for each in getattr(options, name) for word in (f"--{name}", each)]
        period = ["--from", left[0], "--to", left[-1], "--every", _span(options.every)]
        steps.append(("go on", ["backfill", options.job, *period, *target, *values]))
    return [f"{name:<7} {PROGRAM} {shlex.join(words)}" for name, words in steps]


def _span(every: timedelta) -> str:
    """*every* as `--every` takes it, in the largest unit that needs no fraction."""
    seconds = every // timedelta(seconds=1)
    size, unit = next(
        (size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0
    )
    return f"{seconds // size}{unit}"


def _print_summary(labels: list[str], runs: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from lakelocal.console import console_for_people

    table = Table("for", "run id", "result", "time", box=None, pad_edge=False)
    for name, run in zip(labels, runs, strict=False):
        took = duration((run["end_time"] - run["start_time"]) / 1000)
        table.add_row(name, str(run["run_id"]), run["state"].get("result_state"), took)
    for name in labels[len(runs) :]:
        table.add_row(name, "", "not started", "")
    console_for_people().print(table)
