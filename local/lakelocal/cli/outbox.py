"""`outbox`: list or show the notifications of runs."""

import argparse
import json
from argparse import Namespace

from lakelocal.cli.scope import state_of
from lakelocal.cli.values import at_least_one
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.notifications.outbox import Entry, Outbox


def add(verbs: Verbs) -> None:
    """Declare the verb; without an action, it lists."""
    command = add_verb(verbs, "outbox", list_, "the notifications of runs, newest first; `outbox show ID` prints one")
    command.add_argument("--limit", type=at_least_one, default=20, help="how many (default 20)")
    command.add_argument("--json", action="store_true", help="as JSON: time, event, destination, subject, delivery")
    actions = command.add_subparsers(title="actions", metavar="ACTION")
    summary = "show one message: its headers, and its text or payload"
    one = actions.add_parser("show", help=summary, description=f"{summary.capitalize()}.")
    # No default: it would override the option in `outbox --target T show ID`.
    one.add_argument("--target", metavar="T", default=argparse.SUPPRESS, help="target of the bundle")
    one.add_argument("id", metavar="ID", help="the id of a message, or the beginning of one, or `latest`")
    one.set_defaults(command=show)


def list_(options: Namespace) -> int:
    """List the newest messages, newest first."""
    outbox = Outbox(state_of(options).outbox)
    found = outbox.entries(options.limit)
    if options.json:
        print(json.dumps([entry.shape for entry in found], indent=1, ensure_ascii=False))
    elif found:
        _print_table(found)
    else:
        print(f"no messages in `{outbox.folder}`: a run writes them if its job has notifications")
    return 0


def show(options: Namespace) -> int:
    """Show one message for people."""
    entry = Outbox(state_of(options).outbox).entry(options.id)
    for label, value in (
        ("Time", f"{entry.time:%Y-%m-%d %H:%M:%S} UTC"),
        ("Event", entry.event_type),
        ("To", ", ".join(entry.to)),
        ("Subject", entry.subject),
        ("Delivery", entry.delivery),
        ("File", entry.file),
    ):
        print(f"{label + ':':<10}{value}")
    print(f"\n{entry.body.rstrip()}")
    return 0


def _print_table(entries: list[Entry]) -> None:
    from rich.table import Table
    from rich.text import Text

    from lakelocal.console import console_for_people

    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for name in ("time (UTC)", "event", "to", "subject", "delivery"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        cells = (
            entry.id,
            f"{entry.time:%Y-%m-%d %H:%M:%S}",
            entry.event_type.removeprefix("jobs."),
            "\n".join(entry.to),
            entry.subject,
            entry.delivery,
        )
        table.add_row(*(Text(cell) for cell in cells))
    console_for_people().print(table)
