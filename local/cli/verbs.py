"""How a verb of the command line is declared: each module of verbs has `add(verbs)`, which `parser` calls."""

import argparse
from collections.abc import Callable

Verbs = argparse._SubParsersAction


def add_verb(
    verbs: Verbs, name: str, command: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """The parser of a verb that works on a target of the bundle; *command* does it and gives the exit code."""
    parser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.add_argument("--target", metavar="T", help="target of the bundle (default: the one marked `default: true`)")
    parser.set_defaults(command=command)
    return parser


def add_group(verbs: Verbs, name: str, summary: str) -> Verbs:
    """A verb that only groups others, as `runs` groups `runs list` and `runs get`."""
    parser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    return parser.add_subparsers(title="actions", metavar="ACTION", required=True)


def at_least_one(text: str) -> int:
    """The number of an option such as `--limit`.

    Raises:
        ArgumentTypeError: it is none, or less than 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found `{text}`; expected a whole number from 1, such as 20")
    return int(text)
