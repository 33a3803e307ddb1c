"""The command line as a whole: every module of verbs adds its own. `python -m local VERB --help` teaches each."""

import argparse
from pathlib import Path

from local.cli import backfill, diff, outbox, run, runs, schedule, server, sql, validate

DESCRIPTION = """\
Databricks on this machine: runs the jobs of a bundle as they are deployed, on a local Spark Connect server with Delta.

  python -m local run olist_daily_job                the job of the default target
  python -m local run olist_daily_job --param run_date=2018-09-02 --var scale=5000
  python -m local sql "SELECT * FROM gold.gold_daily_orders"
  python -m local runs list                          what ran, newest first
  python -m local down                               stop the server; tables stay
  python -m local --project ../other run some_job    any other bundle; its state in ../other/.local
"""

# The order is that of the help.
MODULES = (
    run,
    backfill,
    schedule,
    validate,
    runs,
    diff,
    outbox,
    sql,
    server,
)


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The options of one command; `options.command` is the function that does it."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, metavar="DIR", help="folder of the bundle (default: here or above)")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for module in MODULES:
        module.add(verbs)
    return parser.parse_args(arguments)
