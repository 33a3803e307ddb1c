"""States for tests: a catalog's tables, volumes and runs in a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakelocal.compute import open_session
from lakelocal.project import State
from lakelocal.server import stop_server
from lakelocal.testing.lakeflow import empty


@contextmanager
def state_in(folder: Path, catalog: str = "olist_dev", *, root: Path | None = None) -> Iterator[State]:
    """The state of *catalog* in *folder*, for the project *root*; its server, if started, is stopped at the end."""
    state = State(root or folder, catalog, folder / catalog).make()
    try:
        yield state
    finally:
        stop_server(state)


def emptied(state: State) -> State:
    """*state* without schemas, volumes and runs, as if new; a running server keeps running."""
    session = open_session(state)  # connects on first use
    empty(state, session)
    session.stop()
    return state
