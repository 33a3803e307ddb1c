"""`up`, `down`, `status`, `reset`."""

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

from lakelocal.cli.scope import project_of, state_of
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.compute import compute_of, state_warehouse
from lakelocal.errors import ProjectError, UsageError
from lakelocal.program import PROGRAM
from lakelocal.project import Project, State
from lakelocal.roots.enter import described, which_way
from lakelocal.server import find_server, server_status, stop_server
from lakelocal.waiting import waiting
from lakelocal.workspace.job_store import JobStore
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.running import RunningServer


def add(verbs: Verbs) -> None:
    """Declare the verbs."""
    start = add_verb(verbs, "up", up, "start the Spark Connect server of a target's catalog, if it is not running")
    start.add_argument("--json", action="store_true", help="print the status as JSON")
    stop = add_verb(verbs, "down", down, "stop the server; tables, views and volumes are kept")
    stop.add_argument("--all", action="store_true", help="stop the servers of all catalogs of the project")
    say = add_verb(verbs, "status", status, "print whether the server is running, and how to connect to it")
    say.add_argument("--json", action="store_true", help='print JSON; "remote" is the Spark Connect URL with its token')
    clear = add_verb(verbs, "reset", reset, "stop the servers and delete the state of all local runs, after asking")
    clear.add_argument("--yes", action="store_true", help="do not ask; nobody is asked without a terminal either")
    clear.add_argument("--dry-run", action="store_true", help="only print what would be deleted")


def up(options: Namespace) -> int:
    """Start the server, unless it is already running."""
    state = state_of(options)
    if not options.json and not find_server(state):
        print(f"starting the server of `{state.catalog}` ...", flush=True)
    with waiting(f"starting the server of `{state.catalog}`"):
        compute_of(state, "").warm_up()
    return status(options)


def down(options: Namespace) -> int:
    """Stop the server, or the servers of all catalogs."""
    if options.all:
        project = project_of(options)
        states = [project.state(folder.name) for folder in _state_folders(project.states)]
    else:
        states = [state_of(options)]
    for state in states:
        with waiting(f"stopping the server of `{state.catalog}`"):
            stopped = stop_server(state)
        print(f"the server of `{state.catalog}` {'has stopped' if stopped else 'was not running'}")
    return 0


def status(options: Namespace) -> int:
    """Print the status of the server; the exit code is 0 even if it is not running."""
    way, reason = which_way()
    found = server_status(state_of(options)) | {"paths": way}
    print(json.dumps(found) if options.json else f"{_readable(found)}\n{described(reason)}")
    return 0


def reset(options: Namespace) -> int:
    """Delete what local runs left behind: tables, views, volumes, checkpoints, executed notebooks, history."""
    project = project_of(options)
    folders = _state_folders(project.states)
    if not folders:
        print(f"nothing to delete: `{project.states}` holds no state")
        return 0
    for folder in folders:
        with waiting(f"counting what is in `{folder}`"):
            contents = _contents(State(project.root, folder.name, folder))
        print(f"`{folder}`: {contents}")
    if options.dry_run:
        return 0
    _check_not_served(project)
    if not options.yes and not _is_agreed():
        print("nothing was deleted")
        return 0
    for folder in folders:
        state = State(project.root, folder.name, folder)
        print(f"deleting `{folder}`")
        if state.warehouse_file.exists():
            print(f"  its tables are in `{state_warehouse.warehouse_of(state)}` and are kept")
        try:
            with waiting(f"deleting `{folder}`"):
                stop_server(state)
                shutil.rmtree(folder)
        except OSError as error:
            raise ProjectError(f"`{folder}`: not deleted whole ({error}). Close what uses it, and repeat.") from error
    _forget_runs(project)
    return 0


def _is_agreed() -> bool:
    """Ask whether to delete; a pipe may answer as a person does.

    Raises:
        UsageError: nobody answers.
    """
    try:
        return input("Delete all of this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError as error:
        raise UsageError("reset: found nobody to ask; nothing was deleted. Add --yes.") from error


def _check_not_served(project: Project) -> None:
    """Refuse to delete what a server of the workspace works with.

    Raises:
        UsageError: it runs.
    """
    if server := RunningServer.of(WorkspacePlaces.of(project)):
        raise UsageError(
            f"reset: found a server of the workspace at {server.url} (process {server.pid}). End it first."
        )


def _forget_runs(project: Project) -> None:
    """Let the workspace forget its deleted runs; deployed jobs and files stay, as their deployment knows them."""
    places = WorkspacePlaces.of(project)
    if places.jobs_db.is_file():
        JobStore(places.jobs_db).forget_all_runs()
        print(f"kept: the deployed jobs and files in `{places.folder}`")


def _agrees(question: str) -> bool:
    return input(question).strip().lower() in ("y", "yes")


def _readable(found: dict[str, Any]) -> str:
    line = f"server of `{found['catalog']}`: {found['state']}"
    if found["state"] == "running":
        return (
            f"{line} (process {found['pid']}, port {found['port']})\n"
            "connect any Spark Connect client with the URL that `status --json` prints (it holds a token)"
        )
    if found["state"] == "stopped":
        return f"{line}; the next run starts it"
    if found["state"] == "died":
        return f"{line}; the next run starts it again. Why: see {found['log']}"
    return f"{line} (process {found['pid']}): `{PROGRAM} down`, then run again. Its log: {found['log']}"


def _state_folders(states: Path) -> list[Path]:
    """The folders of catalogs in *states*, recognised by files that only this program creates."""
    if not states.is_dir():
        return []
    return sorted(folder for folder in states.iterdir() if (folder / "warehouse").is_dir())


def _contents(state: State) -> str:
    tables = len(list(state.warehouse.glob("*.db/*/_delta_log")))
    files = [place for place in state.volumes.rglob("*") if place.is_file()]
    runs = len(list(state.runs.iterdir())) if state.runs.is_dir() else 0
    return f"{tables} tables, {len(files)} files in volumes, {runs} runs"
