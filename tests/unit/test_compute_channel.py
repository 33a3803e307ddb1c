"""The lazy channel: nothing before the first call, and one line when the server is gone."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import grpc
import pyspark.sql.connect.proto as proto
import pytest
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

from lakelocal.compute.channel import LazyChannel, Link
from lakelocal.compute.local_server import LocalEndpoint, LocalServer
from lakelocal.errors import ServerError
from lakelocal.program import PROGRAM
from lakelocal.project import State


class Servers:
    """Returns a server that is not there: a closed port, the process *pid*. Counts how often it was asked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.asked = 0

    def __call__(self, state: State):
        self.asked += 1
        return SimpleNamespace(port=1, token="t", pid=self.pid, log="server.log")


@pytest.fixture
def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=120)
    return process.pid


def channel_to(servers: Servers, tmp_path) -> tuple[LazyChannel, Link]:
    link = Link(LocalEndpoint(LocalServer(State(tmp_path, "main", tmp_path)), servers))
    return LazyChannel(link), link


def test_callables_are_made_without_a_server(tmp_path, ended_pid):
    """Spark's client creates its stub as soon as the session exists."""
    servers = Servers(ended_pid)
    channel, link = channel_to(servers, tmp_path)
    for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
        getattr(channel, kind)("/service/Method", request_serializer=None, response_deserializer=None)

    assert (servers.asked, link.connected) == (0, False)


def test_a_dead_server_is_told_at_once_and_looked_for_again(tmp_path, ended_pid):
    """Otherwise ten minutes of retries would follow; the next call may find a new server."""
    servers = Servers(ended_pid)
    channel, link = channel_to(servers, tmp_path)
    lost = []
    link.on_lost = lambda: lost.append(1)
    call = channel.unary_unary("/service/Config")

    started = time.monotonic()
    with pytest.raises(ServerError, match=rf"`main`: the Spark server .* died.*`server.log`.*{PROGRAM} up"):
        call(b"", timeout=5)
    with pytest.raises(ServerError):
        next(channel.unary_stream("/service/ExecutePlan")(b"", timeout=5))

    assert time.monotonic() - started < 5
    assert (servers.asked, len(lost), link.connected) == (2, 2, False)


def test_a_living_server_that_does_not_answer_is_left_to_sparks_retries_first(tmp_path):
    """A pause of the server does not mean that it is dead; patience has an end."""
    channel, link = channel_to(Servers(os.getpid()), tmp_path)
    call = channel.unary_unary("/service/Config")
    with pytest.raises(grpc.RpcError):
        call(b"", timeout=5)

    link._failing_since -= 60
    with pytest.raises(ServerError, match="has not answered for 8 seconds"):
        call(b"", timeout=5)


@pytest.mark.parametrize("method", ["ReleaseExecute", "ReleaseSession", "Interrupt", "FetchErrorDetails"])
def test_tidying_starts_no_server(tmp_path, ended_pid, method):
    """Spark's client releases things after a failure and at exit."""
    servers = Servers(ended_pid)
    channel, _ = channel_to(servers, tmp_path)

    with pytest.raises(ServerError):
        channel.unary_unary(f"/spark.connect.SparkConnectService/{method}")(b"")
    assert servers.asked == 0


def test_the_answers_of_a_statement_are_released_together(tmp_path):
    """The client acknowledges every answer; where the server may keep them, only the last acknowledgement is sent."""
    link = Link(LocalEndpoint(LocalServer(State(tmp_path, "main", tmp_path)), Servers(0)), answers_kept=True)
    release = SparkConnectServiceStub(LazyChannel(link)).ReleaseExecute
    part = proto.ReleaseExecuteRequest(release_until=proto.ReleaseExecuteRequest.ReleaseUntil(response_id="1"))
    whole = proto.ReleaseExecuteRequest(release_all=proto.ReleaseExecuteRequest.ReleaseAll())

    assert release(part) == proto.ReleaseExecuteResponse()
    with pytest.raises(ServerError, match="is not connected"):
        release(whole)
    link.answers_kept = False
    with pytest.raises(ServerError, match="is not connected"):
        release(part)


def test_a_server_that_was_not_connected_to_has_not_died(tmp_path):
    """There is no process yet that could be gone."""
    endpoint = LocalEndpoint(LocalServer(State(tmp_path, "main", tmp_path)), Servers(0))

    assert not endpoint.has_died()
