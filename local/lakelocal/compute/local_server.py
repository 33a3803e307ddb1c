"""The state's own Spark Connect server, started on this machine when it is needed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import psutil

from lakelocal.compute import state_warehouse
from lakelocal.compute.client import PYSPARK, check_client
from lakelocal.errors import ServerError
from lakelocal.program import PROGRAM
from lakelocal.project import State
from lakelocal.server import Server, ensure_server
from lakelocal.server.log import OUT_OF_MEMORY, ran_out_of_memory

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

MESSAGE_LIMIT = 128 * 1024 * 1024
_OPTIONS = [
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.enable_http_proxy", 0),  # a company's proxy knows nothing about this machine
]


class LocalServer:
    """See `lakelocal.compute.choice.Compute`."""

    remote = ""
    label = ""
    deploys = False
    libraries = ()

    def __init__(self, state: State, tell: Callable[[str], None] = lambda what: None) -> None:
        """*tell* is called with what a caller is waiting for, while a server starts."""
        self.state = state
        self.tell = tell

    def warm_up(self) -> None:
        """Start the server, which then leaves its classes to later servers.

        Raises:
            SetupError, ServerError: it may not run here, or does not start.
        """
        self.check()
        ensure_server(self.state, make_archive=True, tell=self.tell)

    def check(self) -> None:
        """Make sure that the server may run here, and that it has the tables of the state; starts nothing.

        Raises:
            SetupError: this is the environment without a server.
            ServerError: the tables of the state are elsewhere.
        """
        check_client(PYSPARK, "Spark on this machine")
        state_warehouse.verify(self.state, state_warehouse.own(self.state))

    def session(self) -> "SparkSession":
        """A session that finds or starts the server on first use."""
        from lakelocal.compute.functions import Carrier
        from lakelocal.compute.session import LinkedSession, translated_link
        from lakelocal.pipelines.standalone import Standalone

        datasets = Standalone(self.state, self.session)
        link = translated_link(LocalEndpoint(self), self.state, Carrier(self.state), datasets)
        return LinkedSession(link, again=self.session)

    def utilities(self) -> None:
        """None: the volumes are the state's folders."""


class LocalEndpoint:
    """The server of a state as a link uses it; see `lakelocal.compute.channel.Endpoint`.

    Args:
        compute: the place whose server it is.
        ensure: finds or starts the server.
    """

    def __init__(self, compute: LocalServer, ensure: Callable[[State], Server] | None = None) -> None:
        self._compute = compute
        self._ensure = ensure or partial(ensure_server, tell=compute.tell)
        self._server: Server | None = None

    def connect(self) -> grpc.Channel:
        """A channel to the running server.

        Raises:
            SetupError, ServerError: as `LocalServer.check`, or the server does not start.
        """
        self._compute.check()
        self._server = self._ensure(self._compute.state)
        # "localhost", not 127.0.0.1: local credentials, and so a token without TLS, only work with this name.
        credentials = grpc.composite_channel_credentials(
            grpc.local_channel_credentials(), grpc.access_token_call_credentials(self._server.token)
        )
        return grpc.secure_channel(f"localhost:{self._server.port}", credentials, options=_OPTIONS)

    def has_died(self) -> bool:
        """Is the server's process gone?"""
        if self._server is None:  # there has been no connection yet
            return False
        try:
            return psutil.Process(self._server.pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    def lost(self, what: str) -> ServerError:
        state = self._compute.state
        pid, log = getattr(self._server, "pid", "?"), getattr(self._server, "log", state.logs)
        cause = f" of {OUT_OF_MEMORY}" if ran_out_of_memory(Path(log)) else ""
        return ServerError(
            f"`{state.catalog}`: the Spark server (process {pid}) {what}{cause}; its tables are safe, but temporary "
            f"views are lost. Read `{log}`, start the server with `{PROGRAM} up`, then run the notebook again."
        )
