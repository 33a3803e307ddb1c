"""One side of a comparison: the name of a run, which run that is, and where its tables can be read."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lakelocal.compute import REMOTE, WORKSPACE, Compute, compute_of
from lakelocal.errors import RunError, UsageError
from lakelocal.history.reading import LATEST, History
from lakelocal.history.recorded import Run, read_run
from lakelocal.program import PROGRAM
from lakelocal.project import State

EXPECTED = "RUN_ID, `latest`, TARGET:RUN_ID or FOLDER/OF/A/STATE:RUN_ID, such as 12, staging:latest or ./dev:12"


@dataclass(frozen=True)
class RunName:
    """A run as it is named on the command line.

    *place* is a target, or the path of a state folder; empty for the command's target. *run_id* is None for the run
    that ended last.
    """

    place: str
    run_id: int | None

    @property
    def is_folder(self) -> bool:
        """Is *place* a path? It is one if it contains a slash or begins with `~`."""
        return "/" in self.place or self.place.startswith("~")


@dataclass(frozen=True)
class Side:
    """An ended run and the state that it belongs to; *name* is what the user called it."""

    name: str
    state: State
    run: Run

    @property
    def end_ms(self) -> int:
        """The time as of which its tables are compared (epoch ms)."""
        end: int = self.run.shape["end_time"]
        return end


def parse_name(text: str) -> RunName:
    """Parse `[PLACE:]RUN_ID` or `[PLACE:]latest`.

    Raises:
        UsageError: *text* is neither.
    """
    place, colon, run = text.rpartition(":")
    if (colon and not place) or not (run == LATEST or (run.isascii() and run.isdecimal())):
        raise UsageError(f"found `{text}`; expected {EXPECTED}. See `{PROGRAM} runs list`.")
    return RunName(place, None if run == LATEST else int(run))


def find_side(text: str, state_of: Callable[[str | None], State]) -> Side:
    """The run that *text* names; *state_of* returns the state of a target, or for None that of the command's target.

    Raises:
        UsageError: *text* is not the name of a run, or the run has not ended.
        RunError: there is no such state or run.
    """
    name = parse_name(text)
    state = _folder(Path(name.place)) if name.is_folder else state_of(name.place or None)
    if not state.runs_db.is_file():
        raise RunError(
            f"`{text}`: found no run history in `{state.folder}`; expected the state folder of a catalog, such as "
            f"`.local/{state.catalog}`. Name another folder or target, or run a job there first."
        )
    history = History.of(state)
    run = read_run(history, _newest(text, history) if name.run_id is None else name.run_id)
    if run.is_active:
        raise UsageError(f"`{text}`: run {run.run_id} has not ended. Wait for it, then compare.")
    return Side(text, state, run)


def compute_for(side: Side, remote: str | None, option: str) -> Compute:
    """Where the tables of *side* can be read: where the run ran, or where *remote* says.

    Without *remote* (the value of *option*), a run on the state's own server is read there, and any other run through
    the environment, if that names the place of the run. With *remote*, the user says where the tables are now: a server
    may have moved. Each connection verifies that the place has the tables of this state.

    Raises:
        UsageError: the environment does not name the place of the run.
    """
    recorded = side.run.shape.get("remote", "")
    if remote is not None:
        return compute_of(side.state, remote)
    if not recorded:
        return compute_of(side.state, "")
    found = compute_of(side.state)
    if found.remote == WORKSPACE:
        found.check()  # its host is known only then
    if _place(found.label) != _place(recorded):
        raise UsageError(
            f"`{side.name}`: this run ran at `{recorded}`; found {REMOTE} with `{found.label or 'nothing'}`. Its "
            f"records have no token: set {REMOTE} to the URL of that place, or give it with {option}."
        )
    return found


def _folder(folder: Path) -> State:
    """The state in *folder*, which is named after its catalog."""
    folder = folder.expanduser().resolve()
    return State(folder, folder.name, folder)


def _newest(text: str, history: History) -> int:
    """The run that ended last, among those that no other run has started.

    Not the one with the highest id: the notebook that a state needs before a run is a run too, and is recorded later.
    """
    ended = [run for run in history.runs(limit=None) if run.end_time is not None and run.parent_run_id is None]
    if not ended:
        raise RunError(f"`{text}`: `{history.place}` has no ended run. Run a job first: `{PROGRAM} run JOB`.")
    return max(ended, key=lambda run: run.end_time or 0).run_id


def _place(label: str) -> str:
    """A label without the cluster of a workspace: the tables are the same from every cluster."""
    return label.partition(" (")[0]


def is_same_place(a: Compute, b: Compute) -> bool:
    """Can one session read the tables of both?"""
    return (os.path.realpath(a.state.folder), a.remote) == (os.path.realpath(b.state.folder), b.remote)
