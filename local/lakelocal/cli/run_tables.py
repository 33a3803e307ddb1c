"""`runs tables`: the tables that a run changed, and those that it did not."""

from argparse import Namespace
from itertools import groupby

from lakelocal.cli.scope import add_run, run_named, state_of
from lakelocal.cli.verbs import Verbs, add_verb


def add(actions: Verbs) -> None:
    """Declare the action."""
    parser = add_verb(actions, "tables", tables, "the tables that a run changed, with their rows, and the other tables")
    add_run(parser)


def tables(options: Namespace) -> int:
    """Print the changes, one table a row, then the names of the other tables, one schema a line."""
    from rich.text import Text

    from lakelocal.console import console_for_people
    from lakelocal.history.reading import History
    from lakelocal.jobs.changes import changes_of
    from lakelocal.jobs.summary import change_table

    state = state_of(options)
    changes = changes_of(run_named(state, options.run), History.of(state), state)
    changed = [change for change in changes if change.commits]
    console = console_for_people()
    console.print(change_table(changed) if changed else "no table was changed")
    for schema, group in groupby((each for each in changes if not each.commits), key=lambda each: each.schema):
        names = ", ".join(each.name.removeprefix(f"{schema}.") for each in group)
        console.print(Text(f"\nunchanged in {schema}: {names}"))
    return 0
