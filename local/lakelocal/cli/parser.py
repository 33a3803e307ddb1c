"""The whole command line: each module of verbs adds its own. `python -m lakelocal VERB --help` explains each verb."""

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lakelocal.near_names import next_step
from lakelocal.program import PROGRAM

DESCRIPTION = f"""\
Databricks on this machine: runs the jobs of a bundle as they are deployed, on a local Spark Connect server with Delta.

  {PROGRAM} init shop                         create a small bundle to start from
  {PROGRAM} jobs                              list the jobs of the bundle, with their last runs
  {PROGRAM} run daily                         run the job `daily` of the default target
  {PROGRAM} run daily --target prod --param run_date=2018-09-02 --var scale=5000
  {PROGRAM} sql "SELECT * FROM gold.daily_orders"
  {PROGRAM} runs list                         list the runs, newest first
  {PROGRAM} down                              stop the server; tables stay
  {PROGRAM} --project ../other run daily      run another bundle, with its state in ../other/.local
"""

# The module of each verb, in the order of the help. Only that of the verb in use is imported: all of them take 0.3 s.
MODULES = {
    "init": "init",
    "jobs": "jobs",
    "pipelines": "pipelines",
    "run": "run",
    "backfill": "backfill",
    "schedule": "schedule",
    "serve": "serve",
    "validate": "validate",
    "runs": "runs",
    "diff": "diff",
    "outbox": "outbox",
    "sql": "sql",
    "lab": "lab",
    "up": "server",
    "down": "server",
    "status": "server",
    "reset": "server",
    "attempt": "attempt",
}


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command, with the name that was probably meant."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {_in_words(message)} See `{self.prog} --help`.\n")


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The options of one command; `options.command` is the function that executes it."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, metavar="DIR", help="folder of the bundle (default: here or above)")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for module in _needed(sys.argv[1:] if arguments is None else arguments):
        importlib.import_module(f"lakelocal.cli.{module}").add(verbs)
    return parser.parse_args(arguments)


def _needed(words: Sequence[str]) -> list[str]:
    """The module of the verb in *words*; all modules if there is none, for the help or the error that follows."""
    for before, word in zip(["", *words], words, strict=False):
        is_value = before.startswith("-") and "=" not in before
        if not word.startswith("-") and not is_value:
            return [MODULES[word]] if word in MODULES else list(dict.fromkeys(MODULES.values()))
    return list(dict.fromkeys(MODULES.values()))


_CHOICE = re.compile(r"argument (?P<what>.+?): invalid choice: '?(?P<given>.*?)'? \(choose from (?P<all>.*)\)")


def _in_words(message: str) -> str:
    """A *message* of argparse as a sentence; for a wrong choice, with the most similar choice."""
    wrong = _CHOICE.fullmatch(message)
    if not wrong:
        return f"{message}."
    choices = re.findall(r"[\w.-]+", wrong["all"])
    step = next_step(wrong["given"], choices)
    return f"{wrong['what']}: found `{wrong['given']}`, expected one of {', '.join(choices)}. {step}"
