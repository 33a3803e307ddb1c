"""The decision where Spark runs."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from lakelocal.errors import UsageError
from lakelocal.project import State

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

REMOTE = "LOCAL_REMOTE"
WORKSPACE = "databricks"


class Compute(Protocol):
    """A place where Spark runs, for the catalog of *state*.

    *remote* is what selected it, and may contain a token. *deploys*: schemas and volumes that a bundle declares are
    created there by its deployment, not by a run. *libraries* are modules that a session imports besides Spark's
    client.
    """

    @property
    def state(self) -> State: ...

    @property
    def remote(self) -> str: ...

    @property
    def deploys(self) -> bool: ...

    @property
    def libraries(self) -> tuple[str, ...]: ...

    @property
    def label(self) -> str:
        """What a run records; never a secret. Empty for the state's own server."""

    def warm_up(self) -> None:
        """Start what takes a while to start, if this machine can start it."""

    def check(self) -> None:
        """Make sure that Spark can be used from here.

        Raises:
            LocalError: it cannot; one line says why and what to do.
        """

    def session(self) -> "SparkSession":
        """A Spark session. It may connect only on first use, and then raise the errors of `check`."""

    def utilities(self) -> Any:
        """The place's own `dbutils`, for `fs` and `secrets`; None if the volumes are folders of the state."""


def compute_of(state: State, remote: str | None = None, tell: Callable[[str], None] = lambda what: None) -> Compute:
    """Where Spark runs for *state*: as *remote* says, otherwise as the environment says.

    *tell* is called with what a caller is waiting for, while the server of this machine starts.

    Raises:
        UsageError: it names no such place.
    """
    remote = os.environ.get(REMOTE, "") if remote is None else remote
    # Imported here: most commands and many kernels never ask for Spark.
    if not remote:
        from lakelocal.compute.local_server import LocalServer

        return LocalServer(state, tell)
    if remote == WORKSPACE:
        from lakelocal.compute.workspace import Workspace

        return Workspace(state, remote)
    if remote.startswith("sc://"):
        from lakelocal.compute.connect_server import ConnectServer

        return ConnectServer(state, remote)
    raise UsageError(
        f"--remote ({REMOTE}): found `{remote.partition(';')[0]}`; expected `sc://host:port/;token=...` for a Spark "
        f"Connect server, or `{WORKSPACE}` for a workspace. Correct it."
    )


def open_session(state: State, remote: str | None = None) -> "SparkSession":
    """A session for *state*, where *remote* says or otherwise the environment.

    Raises:
        LocalError: Spark cannot be used; in some cases raised only on first use.
    """
    return compute_of(state, remote).session()
