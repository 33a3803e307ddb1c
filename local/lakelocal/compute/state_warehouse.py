"""Which warehouse has the tables of a state: a state belongs to exactly one.

Volumes and checkpoints are folders of the state, tables are where Spark runs. With another warehouse, the checkpoints
would say that files have been read, while the tables lack their rows. So the first use records where the tables are,
and any use elsewhere is refused. If nothing is recorded, a state with a metastore has its own tables.
"""

import contextlib
import os
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lakelocal.catalogs import INFORMATION_SCHEMA, SAMPLES, SYSTEM, unmapped
from lakelocal.errors import ServerError
from lakelocal.project import State


def claim(state: State, warehouse: str) -> None:
    """Record that the tables of *state* are in *warehouse*, a URI, from now on.

    Raises:
        ServerError: they are in another one.
    """
    if warehouse_of(state) is None:
        _write(state, canonical(warehouse))
    verify(state, warehouse)


def verify(state: State, warehouse: str) -> None:
    """Make sure that the tables of *state*, if it has any, are in *warehouse*.

    Raises:
        ServerError: they are in another one.
    """
    wanted = canonical(warehouse)
    known = warehouse_of(state) or wanted
    if known != wanted:
        raise ServerError(
            f"`{state.folder}`: found a state whose tables are in `{known}`; expected `{wanted}`, where Spark runs, "
            "since its volumes and checkpoints do not fit other tables. Use another state folder (LOCAL_STATE), or run "
            "Spark where the tables are."
        )


def warehouse_of(state: State) -> str | None:
    """The warehouse of the tables of *state*, a URI; None if it has had no Spark yet."""
    try:
        return state.warehouse_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return own(state) if state.metastore.exists() else None


def own(state: State) -> str:
    """The warehouse of the state's own server."""
    return canonical(str(state.warehouse))


def tables_folder(state: State) -> Path | None:
    """The folder of the tables of *state*; None if this machine does not see it."""
    place = urlsplit(warehouse_of(state) or own(state))
    folder = Path(unquote(place.path))
    return folder if place.scheme == "file" and folder.is_dir() else None


def other_catalogs(state: State) -> list[str]:
    """The catalogs other than the run's that have user tables; none if this machine does not see the tables."""
    folder = tables_folder(state)
    found = (unmapped(each.name.removesuffix(".db")) for each in folder.glob("*.db")) if folder else ()
    made = {catalog for catalog, schema in filter(None, found) if schema != INFORMATION_SCHEMA}
    return sorted(made - {SAMPLES, SYSTEM})


def canonical(warehouse: str) -> str:
    """*warehouse* as a URI without a trailing slash; a path is one of the file system, with links followed."""
    place = urlsplit(warehouse)
    if place.scheme in ("", "file"):
        return Path(os.path.realpath(unquote(place.path))).as_uri()
    return warehouse.rstrip("/")


def _write(state: State, warehouse: str) -> None:
    """Record *warehouse*, unless someone was faster. The state's own need not be recorded."""
    if warehouse == own(state):
        return
    state.make()
    part = state.warehouse_file.with_suffix(f".{uuid.uuid4().hex}")
    part.write_text(warehouse + "\n", encoding="utf-8")
    with contextlib.suppress(FileExistsError):
        os.link(part, state.warehouse_file)
    part.unlink()
