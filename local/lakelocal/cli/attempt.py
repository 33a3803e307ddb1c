"""`attempt CONTEXT OUTPUT`: run one notebook without a runner, for `dbutils.notebook.run`; people use `run`."""

import argparse

from lakelocal.cli.verbs import Verbs


def add(verbs: Verbs) -> None:
    """Declare the verb; it has no help text, so it is not listed."""
    attempt = verbs.add_parser("attempt", description=__doc__)
    attempt.add_argument("context", help="JSON file of the attempt's context")
    attempt.add_argument("output", help="the executed notebook")
    attempt.set_defaults(command=_attempt)


def _attempt(options: argparse.Namespace) -> int:
    from lakelocal.attempt.attempt import run_alone

    return run_alone(options.context, options.output)
