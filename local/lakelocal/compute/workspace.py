"""A Databricks workspace, through databricks-connect and unified authentication; its dialect needs no translation.

The host and the credentials are given as for every Databricks tool: DATABRICKS_CONFIG_PROFILE, or DATABRICKS_HOST with
DATABRICKS_TOKEN (or another method). DATABRICKS_CLUSTER_ID names a cluster; without one, it is serverless compute.

Source: databricks-sdk 0.162, `databricks/sdk/config.py`; databricks-connect 18.3, `databricks/connect/session.py`,
whose builder compares the version of the runtime with its own and waits for a cluster that is starting.
"""

import logging
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lakelocal.compute import state_warehouse
from lakelocal.compute.client import DATABRICKS, check_client
from lakelocal.errors import ServerError
from lakelocal.project import State

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# Seconds for queries to the workspace, so that a wrong host or a lost network is reported soon. There are two of them:
# the SDK first asks the host for its configuration.
_LIMITS = {"http_timeout_seconds": 5, "retry_timeout_seconds": 3}
_TELLING = ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_HOST")
_PATIENCE = 20.0  # the proxies of a workspace are replaced now and then, which does not mean that it is lost


class Workspace:
    """See `lakelocal.compute.choice.Compute`."""

    deploys = True
    libraries = ("databricks.connect.session", "databricks.sdk")

    def __init__(self, state: State, remote: str) -> None:
        self.state = state
        self.remote = remote

    @property
    def label(self) -> str:
        """The workspace and its compute, as far as they are known."""
        if "config" not in vars(self):
            return self.remote
        return f"{self.config.host} ({self.config.cluster_id or 'serverless'})"

    @cached_property
    def config(self) -> Any:
        """The SDK's configuration.

        Raises:
            SetupError: this environment has no databricks-connect.
            ServerError: no credentials are found, or they contradict each other.
        """
        return _configured(**_LIMITS)

    def warm_up(self) -> None:
        """Do nothing: a cluster starts when it gets a request."""

    def check(self) -> None:
        """Ask the workspace for the current user, then connect.

        Raises:
            SetupError: this environment has no databricks-connect.
            ServerError: no credentials, a workspace that does not answer or refuses them, a runtime that is older than
                the client, or another warehouse than that of the state's tables.
        """
        config = self.config
        from databricks.sdk import WorkspaceClient

        try:
            WorkspaceClient(config=config).current_user.me()
        except Exception as error:  # whatever the SDK, requests or an authentication method raises
            raise self._refused(error) from error
        self.session().stop()

    def session(self) -> "SparkSession":
        """A session of databricks-connect, connected.

        Raises:
            SetupError, ServerError: as `check`.
        """
        config = self.config
        warehouse = f"{config.host}/{self.state.catalog}"
        state_warehouse.verify(self.state, warehouse)
        try:
            session: SparkSession = _builder().sdkConfig(config).validateSession(True).create()
        except Exception as error:  # the builder raises plain exceptions
            raise self._refused(error) from error
        state_warehouse.claim(self.state, warehouse)
        # Only the client of databricks-connect has it.
        from pyspark.sql.connect.client.retries import DatabricksClusterWaitPolicy  # type: ignore[attr-defined]

        from lakelocal.compute.channel import Link
        from lakelocal.compute.session import follow

        link = Link(WorkspaceEndpoint(session.client._channel, self.label), patience=_PATIENCE)
        follow(session, link, DatabricksClusterWaitPolicy())
        return session

    def utilities(self) -> Any:
        """The SDK's `dbutils` of the workspace.

        Raises:
            SetupError, ServerError: as `config`.
        """
        config = _configured()  # without limits: files may take long
        from databricks.sdk import WorkspaceClient

        return WorkspaceClient(config=config).dbutils

    def _refused(self, error: Exception) -> ServerError:
        cause: BaseException = error
        while cause.__cause__ is not None:  # the SDK's own error says only that the time is over
            cause = cause.__cause__
        return ServerError(f"`{self.label}`: {type(cause).__name__}: {_first_line(cause)}. {_next_step(error)}")


class WorkspaceEndpoint:
    """The workspace at the other end of *channel*, which databricks-connect has created; see `compute.channel`."""

    def __init__(self, channel: Any, label: str) -> None:
        self._channel = channel
        self._label = label

    def connect(self) -> Any:
        """The channel; it reconnects by itself."""
        return self._channel

    def has_died(self) -> bool:
        """False: only its answers can tell."""
        return False

    def lost(self, what: str) -> ServerError:
        return ServerError(
            f"`{self._label}`: the workspace {what}: the connection is lost, and with it temporary views and running "
            "statements. Check the network and the cluster, then repair the run or run the notebook again."
        )


def _configured(**limits: Any) -> Any:
    check_client(DATABRICKS, "a Databricks workspace")
    from databricks.sdk.core import Config

    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # errors are raised as well
    try:
        config = Config(**limits)
    except ValueError as error:
        told = [f"{name}={os.environ[name]}" for name in _TELLING if os.environ.get(name)]
        raise ServerError(
            f"No credentials for a Databricks workspace: {_first_line(error)} (found "
            f"{', '.join(told) or 'neither a profile nor a host'}). Set DATABRICKS_CONFIG_PROFILE to a profile of "
            "~/.databrickscfg, or DATABRICKS_HOST and DATABRICKS_TOKEN; then repair the run. For a plain Spark "
            'Connect server: REMOTE="sc://host:port/;token=...".'
        ) from None
    if not config.cluster_id and not config.serverless_compute_id:
        config.serverless_compute_id = "auto"
    return config


def _builder() -> Any:
    """A builder of databricks-connect itself, even if a kernel gives notebooks its own builder."""
    from databricks.connect.session import DatabricksSession

    return getattr(DatabricksSession, "__wrapped__", DatabricksSession).Builder()


def _first_line(error: BaseException) -> str:
    """The first line of *error*, without the SDK's list of its configuration and its authentication method."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    return lines[0].partition(". Config:")[0].removeprefix("default auth: ").rstrip(".")[:300]


def _next_step(error: Exception) -> str:
    named, text = type(error).__name__, str(error)
    if named in ("Unauthenticated", "PermissionDenied"):
        return "Renew the token or the login (`databricks auth login`), or ask for access; then repair the run."
    if "Unsupported combination" in text or "unsupported with serverless" in text:
        return "Choose compute with the runtime of this client, or pin the client to it in environment-remote.yml."
    if os.environ.get("DATABRICKS_HOST") or os.environ.get("DATABRICKS_CONFIG_PROFILE"):
        return "Check the host, the cluster and the network; then repair the run."
    return "Check the profile in ~/.databrickscfg and the network; then repair the run."
