"""States for tests: a catalog's tables, volumes and runs in a folder of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakelocal.compute import open_session
from lakelocal.project import State
from lakelocal.server import find_server, stop_server


@contextmanager
def state_in(folder: Path, catalog: str = "olist_dev", *, root: Path | None = None) -> Iterator[State]:
    """The state of *catalog* in *folder*, of the project *root*; its server, if one was started, ends with it."""
    state = State(root or folder, catalog, folder / catalog).make()
    try:
        yield state
    finally:
        stop_server(state)


def emptied(state: State) -> State:
    """*state* without schemas, volumes and runs, as a new one; its server, if one runs, goes on."""
    if find_server(state):
        session = open_session(state)
        schemas = {name for (name,) in session.sql("SHOW SCHEMAS").collect()} - {"default"}
        for name in sorted(schemas):
            session.sql(f"DROP SCHEMA {name} CASCADE")
        session.stop()
    for folder in (state.volumes, state.dbfs, state.runs):
        shutil.rmtree(folder)
    for file in state.folder.glob(f"{state.runs_db.name}*"):
        file.unlink()
    return state.make()
