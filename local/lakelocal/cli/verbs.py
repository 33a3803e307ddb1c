"""How a verb of the command line is declared: each module of verbs has `add(verbs)`, which `parser` calls."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_verb(
    verbs: Verbs, name: str, command: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """Add a verb that works on a target of the bundle; *command* executes it and returns the exit code."""
    parser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.add_argument("--target", metavar="T", help="target of the bundle (default: the one marked `default: true`)")
    parser.set_defaults(command=command)
    return parser


def add_group(verbs: Verbs, name: str, summary: str) -> Verbs:
    """Add a verb that only groups others, as `runs` groups `runs list` and `runs get`."""
    parser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    return parser.add_subparsers(title="actions", metavar="ACTION", required=True)
