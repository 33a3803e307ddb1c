"""States for tests: a catalog's tables, volumes and runs in a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.project import State
from local.server import stop_server


@contextmanager
def state_in(folder: Path, catalog: str = "olist_dev", *, root: Path | None = None) -> Iterator[State]:
    """The state of *catalog* in *folder*, of the project *root*; its server, if one was started, ends with it."""
    state = State(root or folder, catalog, folder / catalog).make()
    yield state
    stop_server(state)
