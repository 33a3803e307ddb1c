"""`runs logs`: what the tasks of a run print, afterwards or while they run."""

import time
from argparse import Namespace

from lakelocal.cli.scope import add_run, run_named, state_of
from lakelocal.cli.verbs import Verbs, add_verb

_SECONDS = 0.5  # between two looks at a run that is followed


def add(actions: Verbs) -> None:
    """Declare the action."""
    parser = add_verb(actions, "logs", logs, "what the tasks of a run print: their cells, lines and errors")
    add_run(parser)
    parser.add_argument("task", metavar="TASK", nargs="?", default="", help="the key of one task (default: all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run has ended")


def logs(options: Namespace) -> int:
    """Print the log of a run, in the order of time."""
    from lakelocal.history.reading import History
    from lakelocal.jobs.run_log import RunLog

    state = state_of(options)
    log = RunLog(state, History.of(state), run_named(state, options.run), options.task)
    while True:
        has_ended = log.has_ended()  # asked first: what comes between is then printed too
        for line in log.new_lines():
            print(line, flush=True)
        if has_ended or not options.follow:
            return 0
        time.sleep(_SECONDS)
