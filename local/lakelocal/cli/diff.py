"""`diff`: are two runs the same, in their tasks and the tables of their catalogs?"""

import argparse
import json
from argparse import Namespace

from lakelocal.cli.scope import project_of, state_of
from lakelocal.cli.values import count
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.compute import REMOTE
from lakelocal.errors import ComparisonError, LocalError
from lakelocal.program import PROGRAM
from lakelocal.project import State
from lakelocal.waiting import waiting

ROWS = 5
_HELP = f"""\
Compare two ended runs: how their tasks ended, and the tables of their catalogs as they were at the end of each run, by
schema, row count and a hash that is independent of the order of rows. Exit code 0: equal, 1: different, 2: wrong usage,
or the runs could not be compared (no such run, no connection).

A and B are each one of
  12, latest               run 12, or the run that ended last, of --target
  staging:12               a run of another target of the bundle
  ../x/.local/dev:latest   a run of the state in this folder; a path contains a slash (./dev:12)

  {PROGRAM} diff 3 latest                            an earlier run and the last one, in the same tables
  {PROGRAM} diff latest /tmp/other/dev:latest        another LOCAL_STATE, of a local or a remote run
  {PROGRAM} diff latest /tmp/other/dev:latest --tables 'silver.*' --tables 'gold.*'

Delta tables are read at their version at that time. Views, and tables in other formats, have no versions: they are
compared if no table of their catalog was written after the run, and otherwise reported as left out. A table that did
not exist then, or a version that no longer exists, is a difference.

Left out by default are columns that begin with one underscore, which describe the delivery (`_ingested_at`; two, as in
`__START_AT`, are content), columns named run_id, job_run_id and task_run_id, which differ between any two runs,
tables that only a pipeline sees, and what the project lists in pyproject.toml, [tool.lakelocal.diff] `exclude` and
`ignore`. Patterns are like those for file names and match `schema.table`.

A run that went elsewhere with --remote is read there: its records contain no token, so {REMOTE} has to name that place
again. --remote-a and --remote-b say where the tables of a side are now, if not where the run ran."""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = add_verb(verbs, "diff", diff, "compare two runs: tasks, schemas, row counts and rows of their tables")
    command.description = _HELP
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_argument("a", metavar="A", help="a run: [TARGET:|FOLDER:]RUN_ID, or latest instead of the id")
    command.add_argument("b", metavar="B", help="the other run")
    for name, what in (
        ("--tables", "compare only these tables and views"),
        ("--exclude", "leave out these tables and views"),
        ("--ignore", "leave out these columns (`column` or `schema.table.column`)"),
    ):
        command.add_argument(name, action="append", default=[], metavar="PATTERN", help=f"{what}; may be repeated")
    command.add_argument("--all-columns", action="store_true", help="do not leave out any columns by default")
    command.add_argument(
        "--rows",
        type=count,
        default=ROWS,
        metavar="N",
        help=f"rows to show of a table that differs (default {ROWS})",
    )
    for side in "ab":
        command.add_argument(
            f"--remote-{side}", metavar="URL", help=f"where the tables of {side.upper()} are now, as for `run --remote`"
        )
    command.add_argument("--json", action="store_true", help="print the comparison as JSON")


def diff(options: Namespace) -> int:
    """Print the comparison; the exit code is 1 if something differs.

    Raises:
        ComparisonError: the runs cannot be compared.
    """
    try:
        return _diff(options)
    except LocalError as error:
        raise ComparisonError(str(error)) from error


def _diff(options: Namespace) -> int:
    from lakelocal.parity import DiffScope, Options, compare_runs, find_side  # imported here: it imports Spark's client

    def state(target: str | None) -> State:
        return state_of(Namespace(**{**vars(options), "target": target or options.target}))

    scope = DiffScope.of(
        project_of(options).root,
        tables=options.tables,
        excluded=options.exclude,
        ignored=options.ignore,
        all_columns=options.all_columns,
    )
    a, b = find_side(options.a, state), find_side(options.b, state)
    with waiting(f"comparing {options.a} with {options.b}") as wait:
        comparison = compare_runs(a, b, Options(scope, options.remote_a, options.remote_b), wait.tell)
    if options.json:
        from lakelocal.parity.report import as_json

        print(json.dumps(as_json(a, b, comparison, scope, rows=options.rows), indent=1, ensure_ascii=False))
    else:
        from lakelocal.console import console_for_people
        from lakelocal.parity.report import print_report

        print_report(a, b, comparison, scope, rows=options.rows, console=console_for_people())
    return 0 if comparison.equal else 1
