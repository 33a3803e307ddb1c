"""The verbs and their options. `python -m local VERB --help` teaches each."""

import argparse
from collections.abc import Callable
from pathlib import Path

from local.cli import runs, server, sql, validate

DESCRIPTION = """\
Databricks on this machine: runs the jobs of a bundle as they are deployed, on a local Spark Connect server with Delta.

  python -m local run olist_daily_job                the job of the default target
  python -m local run olist_daily_job --param run_date=2018-09-02 --var scale=5000
  python -m local sql "SELECT * FROM gold.gold_daily_orders"
  python -m local runs list                          what ran, newest first
  python -m local down                               stop the server; tables stay
  python -m local --project ../other run some_job    any other bundle; its state in ../other/.local
"""


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The options of one command; `options.command` is the function that does it."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, metavar="DIR", help="folder of the bundle (default: here or above)")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_server_verbs(verbs)
    _add_sql(verbs)
    _add_run(verbs)
    _add_runs(verbs)
    validate.add(verbs)
    return parser.parse_args(arguments)


def _add_server_verbs(verbs) -> None:
    up = _verb(verbs, "up", server.up, "start the Spark Connect server of a target's catalog, if it does not run")
    up.add_argument("--json", action="store_true", help="print the status as JSON")
    down = _verb(verbs, "down", server.down, "stop the server; tables, views and volumes stay")
    down.add_argument("--all", action="store_true", help="stop the servers of all catalogs of the project")
    status = _verb(verbs, "status", server.status, "say whether the server runs, and how to connect to it")
    status.add_argument("--json", action="store_true", help='as JSON; "remote" is the Spark Connect URL with its token')
    _verb(verbs, "reset", server.reset, "stop the servers and delete the state of all local runs, saying what goes")


def _add_sql(verbs) -> None:
    command = _verb(verbs, "sql", sql.sql, "run one SQL statement in the target's catalog and print the result")
    command.add_argument("statement", help='for example "SELECT * FROM gold.gold_daily_orders"')
    command.add_argument("--format", choices=sql.FORMATS, default="table", help="json and csv have all rows")
    command.add_argument("--limit", type=int, default=100, help="rows of a table (default 100)")


def _add_run(verbs) -> None:
    command = _verb(verbs, "run", runs.run, "run a job of the bundle, with its parameters, retries and timeouts")
    command.add_argument("job", help="the job's key in the bundle, for example olist_daily_job")
    command.add_argument("--param", action="append", default=[], metavar="K=V", help="a job parameter; may be repeated")
    command.add_argument("--var", action="append", default=[], metavar="K=V", help="a bundle variable; may be repeated")
    command.add_argument(
        "--only", metavar="TASKS", help="only these tasks: a,b; +a with all that it needs, a+ with all that needs it"
    )
    command.add_argument(
        "--strict", action="store_true", help="refuse a task parameter that its notebook does not take"
    )
    command.add_argument(
        "--before", type=Path, metavar="NOTEBOOK", help="run this notebook first, once for a state folder"
    )
    command.add_argument("--json", action="store_true", help="print the run as `runs get` of the Jobs API shows it")


def _add_runs(verbs) -> None:
    parser = verbs.add_parser("runs", help="the history of runs: list, get")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _verb(actions, "list", runs.list_, "the newest runs first")
    listing.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    listing.add_argument("--active-only", action="store_true", help="only runs that have not ended")
    listing.add_argument("--json", action="store_true")
    get = _verb(actions, "get", runs.get, "one run with every attempt, as the Jobs API shows it")
    get.add_argument("run_id", type=int)


def _verb(verbs, name: str, command: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.add_argument("--target", metavar="T", help="target of the bundle (default: the one marked `default: true`)")
    parser.set_defaults(command=command)
    return parser
