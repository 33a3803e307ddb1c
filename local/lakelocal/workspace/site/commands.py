"""Actions on jobs of the bundle: runs commands of the command line, each in a process that outlives the server."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from starlette.responses import Response

from lakelocal.errors import RunError
from lakelocal.history.filters import RunFilter
from lakelocal.history.reading import History
from lakelocal.lakeflow.model import Bundle, Job
from lakelocal.program import PROGRAM
from lakelocal.workspace.site.answers import moved
from lakelocal.workspace.workspace import Workspace

LONGEST = 60.0  # seconds that a browser waits for the first sign of a run
_LOOK_SECONDS = 0.1
_LAST_LINES = 5


def start_run(workspace: Workspace, bundle: Bundle, key: str, job: Job, options: Iterable[str]) -> Response:
    """Start `run KEY` of the bundle with *options*; show the new run of *job*, or the list if it has not begun yet."""
    history = History.of(workspace.project.state(bundle.catalog))

    def newest() -> int:
        found = history.newest(RunFilter(job_id=job.id), limit=1)
        return found[0].run_id if found else 0

    last = newest()
    command = ["run", key, "--target", bundle.target, *options]
    if start_command(workspace, command, f"run-{key}", lambda: newest() > last):
        return moved(f"/runs/{workspace.numbers.offset(bundle.catalog) + newest()}")
    return moved(f"/runs?job={job.id}")


def start_command(workspace: Workspace, arguments: Sequence[str], name: str, has_begun: Callable[[], bool]) -> bool:
    """Start the command with *arguments*, and return as soon as *has_begun*; its output goes to the log *name*.

    False if it has not begun after a while: on a busy machine, it may still begin.

    Raises:
        RunError: it ended before it began the run; the message is what it printed last.
    """
    log = workspace.places.logs / f"{name}-{time.time_ns()}.log"
    command = [sys.executable, "-m", "lakelocal", "--project", str(workspace.project.root), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    end = time.monotonic() + LONGEST
    while not has_begun():
        if (status := process.poll()) is not None and not has_begun():
            printed = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LAST_LINES:]
            said = " ".join(printed) or f"exit code {status}"
            raise RunError(f"`{PROGRAM} {' '.join(arguments)}` ended before the run began: {said}")
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
