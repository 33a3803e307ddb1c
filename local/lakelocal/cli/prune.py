"""`runs prune`: free space by deleting old runs."""

from argparse import Namespace
from datetime import timedelta

from lakelocal.cli.scope import state_of
from lakelocal.cli.values import count, span
from lakelocal.cli.verbs import Verbs, add_verb

# The time for which Databricks keeps runs. Source: Jobs API, `runs/get-output`: "automatically removed after 60 days".
KEPT_ON_DATABRICKS = timedelta(days=60)


def add(actions: Verbs) -> None:
    """Declare the action."""
    parser = add_verb(actions, "prune", prune, "delete old runs with their notebooks and logs; active runs are kept")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--keep", type=count, metavar="N", help="delete all but the newest N runs of each job")
    which.add_argument(
        "--older-than", type=span, metavar="AGE", default=KEPT_ON_DATABRICKS,
        help="delete runs that ended longer ago, such as 36h, 30d or 8w (default: 60d, as on Databricks)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only print what would be deleted")


def prune(options: Namespace) -> int:
    """Delete the runs, and print what was deleted and its size."""
    from rich.filesize import decimal
    from rich.table import Table
    from rich.text import Text

    from lakelocal.console import console_for_people
    from lakelocal.export.pruning import keep_newest, older_than, prune_packages
    from lakelocal.export.pruning import prune as prune_runs
    from lakelocal.history.recorded import utc

    rule = older_than(options.older_than) if options.keep is None else keep_newest(options.keep)
    state = state_of(options)
    deleted = prune_runs(state, rule, dry_run=options.dry_run)
    packages = prune_packages(state, deleted, dry_run=options.dry_run)
    console = console_for_people()
    if deleted:
        table = Table("run id", "job", "ended (UTC)", "result", box=None, pad_edge=False)
        for name in ("runs with child runs", "files"):
            table.add_column(name, justify="right")
        for each in deleted:
            run = each.run
            size = decimal(each.size)
            ended = utc(run.end_time or 0)
            table.add_row(str(run.run_id), Text(run.run_name), ended, run.result_state, str(len(each.run_ids)), size)
        console.print(table)
    runs, freed = sum(len(each.run_ids) for each in deleted), sum(each.size for each in deleted)
    done = "would delete" if options.dry_run else "deleted"
    console.print(f"{done} {runs} run{'s' * (runs != 1)}, {freed:,} bytes of notebooks and logs", soft_wrap=True)
    if packages:
        console.print(f"{done} {packages:,} bytes of packages that no other run has used", soft_wrap=True)
    return 0
