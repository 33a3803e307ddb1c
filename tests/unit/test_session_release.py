"""A session is released on the server before its process is killed; otherwise a server keeps it for a day."""

import atexit
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest

from lakelocal.project import State

pytest.importorskip("pyspark")

from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator
from pyspark.sql.connect.session import SparkSession

from lakelocal.compute.channel import Link
from lakelocal.compute.local_server import LocalEndpoint, LocalServer
from lakelocal.compute.session import LinkedSession, release


class Calls(grpc.GenericRpcHandler):
    """Answers every call with an empty message, and records the methods."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self.methods.append(details.method.rsplit("/", 1)[-1])
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def session(calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LinkedSession]:
    """The session of this process, for a server that is *calls*; not connected yet."""
    server = grpc.server(ThreadPoolExecutor(1), handlers=[calls])
    port = server.add_secure_port("localhost:0", grpc.local_server_credentials())
    server.start()
    found = SimpleNamespace(host="localhost", port=port, token="t", pid=1, log="log")
    endpoint = LocalEndpoint(LocalServer(State(tmp_path, "main", tmp_path)), lambda state: found)
    made = LinkedSession(Link(endpoint), again=lambda: made)
    monkeypatch.setattr(SparkSession, "_default_session", made)
    yield made
    made.link.close()
    server.stop(None).wait()


def test_a_connected_session_is_released(session: LinkedSession, calls: Calls) -> None:
    session.link.channel(may_start=True)

    release()

    assert calls.methods == ["ReleaseSession"]


def test_a_session_that_never_spoke_has_nothing_to_release(session: LinkedSession, calls: Calls) -> None:
    """Releasing it would connect, or even start a server."""
    release()

    assert calls.methods == []
    assert not session.link.connected


def test_a_forgotten_session_does_not_end_what_all_sessions_share(tmp_path: Path) -> None:
    """The garbage collector may run while this thread is inside gRPC: waiting then would last forever."""
    endpoint = LocalEndpoint(LocalServer(State(tmp_path, "main", tmp_path)))
    forgotten = LinkedSession(Link(endpoint), again=SparkSession.getActiveSession)
    atexit.unregister(forgotten._release)  # which would keep it alive until the end
    forgotten.link.on_lost = lambda: None
    pool = ExecutePlanResponseReattachableIterator._get_or_create_release_thread_pool()
    gone = weakref.ref(forgotten)

    del forgotten
    gc.collect()

    assert gone() is None
    assert ExecutePlanResponseReattachableIterator._release_thread_pool_instance is pool and not pool._shutdown
