"""Any Spark Connect server, named by its URL: the Databricks dialect is translated for it as for the local server.

Its volumes are folders of the state: `LOCAL_STATE` has to be on a path that the server sees too, under the same name.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import grpc

from lakelocal.compute import connection_errors, state_warehouse
from lakelocal.compute.client import check_client
from lakelocal.errors import ServerError, UsageError
from lakelocal.project import State
from lakelocal.server.command import CATALOG

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

ANSWER_SECONDS = 10.0
_PATIENCE = 12.0  # a busy driver may pause for that long; with the silence before it, still below half a minute
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
WAREHOUSE = "spark.sql.warehouse.dir"
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?/?")
_PARAMETER = re.compile(r"[^=]+=[^=]+")
# A connection without signs of life is given up, instead of a call that waits forever: the server is pinged after eight
# seconds of silence. Connecting to a listener that never answers takes at most four seconds.
_OPTIONS = [
    ("grpc.keepalive_time_ms", 8_000),
    ("grpc.keepalive_timeout_ms", 4_000),
    ("grpc.http2.ping_timeout_ms", 4_000),  # for pings that are not keepalive pings, and delay those that are
    ("grpc.min_reconnect_backoff_ms", 4_000),
    ("grpc.max_reconnect_backoff_ms", 4_000),
]


class ConnectServer:
    """See `lakelocal.compute.choice.Compute`.

    Raises:
        UsageError: the URL is not that of a Spark Connect server, or it is that of a workspace.
    """

    deploys = False
    libraries = ()

    def __init__(self, state: State, remote: str) -> None:
        self.state = state
        self.remote = remote
        self.label = _label(remote)

    def warm_up(self) -> None:
        """Do nothing: the server is already running, or cannot be started from here."""

    def check(self) -> None:
        """Connect once.

        Raises:
            SetupError: this environment has no client, or two.
            ServerError: the server cannot be reached, refuses the token, or does not have the tables of the state.
        """
        ConnectEndpoint(self).connect().close()

    def session(self) -> "SparkSession":
        """A session that connects on first use."""
        from lakelocal.compute.functions import Carrier
        from lakelocal.compute.session import LinkedSession, translated_link

        carry = Carrier(self.state, here=False)
        link = translated_link(ConnectEndpoint(self), self.state, carry, patience=_PATIENCE)
        return LinkedSession(link, again=self.session, url=self.remote)

    def utilities(self) -> None:
        """None: the volumes are the state's folders."""


class ConnectEndpoint:
    """The server as a link uses it; see `lakelocal.compute.channel.Endpoint`."""

    def __init__(self, compute: ConnectServer) -> None:
        self._compute = compute

    def connect(self) -> grpc.Channel:
        """A channel to the server, which has answered and has the tables of the state.

        Raises:
            SetupError, ServerError: as `ConnectServer.check`.
        """
        check_client(None, "a Spark Connect server")
        from pyspark.sql.connect.client import DefaultChannelBuilder

        builder = DefaultChannelBuilder(self._compute.remote, channelOptions=_OPTIONS)
        if builder.host in _LOOPBACK:
            builder.setChannelOption("grpc.enable_http_proxy", 0)
        channel = builder.toChannel()
        try:
            warehouse, catalog = _settings(channel, [WAREHOUSE, CATALOG], builder.userId, builder.metadata())
            self._check_catalog(catalog)
            state_warehouse.claim(self._compute.state, warehouse)
        except grpc.RpcError as error:
            channel.close()
            raise ServerError(f"`{self._compute.label}`: {connection_errors.reason(error, ANSWER_SECONDS)}") from None
        except ServerError:
            channel.close()
            raise
        return channel

    def _check_catalog(self, found: str) -> None:
        wanted = self._compute.state.catalog
        if found and found != wanted:
            raise ServerError(
                f"`{self._compute.label}`: found a server for the catalog `{found}`; expected `{wanted}`, since both "
                "would write the same tables. Choose the target with that catalog, or another server."
            )

    def has_died(self) -> bool:
        """False: only its answers can tell."""
        return False

    def lost(self, what: str) -> ServerError:
        return ServerError(
            f"`{self._compute.label}`: the Spark Connect server {what}: the connection is lost, and with it temporary "
            "views and running statements. Make sure that the server runs, then repair the run or run the notebook "
            "again."
        )


def _label(url: str) -> str:
    """*url* without what follows host and port, where tokens are."""
    place, *parameters = url.removeprefix("sc://").split(";")
    found = _PLACE.fullmatch(place)
    expected = "expected `sc://host:port/;token=...`. Correct it."
    if not found or (parameters and not place.endswith("/")):
        shown = place.rpartition("@")[2]
        raise UsageError(f"--remote: found `sc://{shown}`, which is not just a host, a port and `/`; {expected}")
    for number, parameter in enumerate(parameters, 1):
        if not _PARAMETER.fullmatch(parameter):
            raise UsageError(f"--remote: found no `name=value` as parameter {number} of the URL; {expected}")
    if any(parameter.startswith("x-databricks-") for parameter in parameters):
        raise UsageError(
            f"--remote: found `sc://{found['host']}` with `x-databricks-` parameters, which belongs to a workspace, "
            "whose dialect must not be translated. Set DATABRICKS_HOST, DATABRICKS_TOKEN and DATABRICKS_CLUSTER_ID, "
            "and use `--remote databricks`."
        )
    return f"sc://{found['host']}:{found['port'] or 15002}"


def _settings(
    channel: grpc.Channel, names: Sequence[str], user: str | None, metadata: Iterable[tuple[str, str]]
) -> list[str]:
    """Settings of the server ("" if it has none), queried in a separate session, which ends with the query.

    Raises:
        RpcError: no answer within `ANSWER_SECONDS`, or a refusal.
    """
    import pyspark.sql.connect.proto as proto
    from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

    stub = SparkConnectServiceStub(channel)
    session, who = str(uuid.uuid4()), proto.UserContext(user_id=user or "")
    get = proto.ConfigRequest.Operation(get_option=proto.ConfigRequest.GetOption(keys=names))
    asked = proto.ConfigRequest(session_id=session, user_context=who, operation=get)
    released = proto.ReleaseSessionRequest(session_id=session, user_context=who)
    answer = stub.Config(asked, timeout=ANSWER_SECONDS, metadata=metadata)
    stub.ReleaseSession(released, timeout=ANSWER_SECONDS, metadata=metadata)
    return [pair.value for pair in answer.pairs]
