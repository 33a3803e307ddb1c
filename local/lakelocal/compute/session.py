"""A Spark session on a link: Spark Connect, connected on first use.

`register(session)` makes a session the one that `SparkSession.builder.getOrCreate()` and `getActiveSession()` give, in
every thread of the process.
"""

import atexit
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import grpc
from pyspark.logger import PySparkLogger
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicy
from pyspark.sql.connect.logging import logger
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub
from pyspark.sql.connect.session import SparkSession

from lakelocal.compute import worker_modules
from lakelocal.compute.channel import PATIENCE, Endpoint, LazyChannel, Link
from lakelocal.project import State

Carry = Callable[[bytes, str], bytes]


_NEVER = logging.CRITICAL + 1  # no record has this level


class LinkedChannelBuilder(DefaultChannelBuilder):
    """Builds the lazy channel of *link*; *url* says who the user is and what goes with each request."""

    def __init__(self, url: str, link: Link) -> None:
        super().__init__(url)
        self.link = link

    def toChannel(self) -> grpc.Channel:
        return LazyChannel(self.link)


class Patience(DefaultPolicy):
    """Spark's retries, with short waits; when to give up, the link decides."""

    def __init__(self) -> None:
        # The server waits a second at most where it is busy; the link gives up long before the last retry.
        super().__init__(max_retries=60, max_backoff=1000, jitter=100)

    def can_retry(self, error: BaseException) -> bool:
        """Also where nothing listens any more, for which databricks-connect has a policy of its own."""
        unavailable = isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNAVAILABLE
        return unavailable or super().can_retry(error)


class LinkedSession(SparkSession):
    """A session of the server at the end of *link*.

    `stop()` ends the session on the server. As with Databricks' notebooks the next `getOrCreate()` gives a
    fresh one, made by *again*.
    """

    def __init__(self, link: Link, *, again: Callable[[], SparkSession], url: str = "sc://localhost") -> None:
        super().__init__(connection=LinkedChannelBuilder(url, link))
        self.link = link
        self._again = again
        self._client.set_retry_policies([Patience()])
        _silence_client()
        # At exit the client would empty its ML cache, and so start a server for nothing; `_release` covers it.
        for name in ("_cleanup_ml_cache", "_on_exit"):  # pyspark's, databricks-connect's
            if at_exit := getattr(self._client, name, None):
                atexit.unregister(at_exit)
        atexit.register(self._release)
        link.on_lost = self._forget_server
        show_messages_only(self)

    def stop(self) -> None:
        registered = SparkSession._default_session is self
        atexit.unregister(self._release)
        self.release_session_on_close = self.link.connected
        super().stop()
        if registered:
            register(self._again())

    def __reduce__(self) -> Any:
        """In a worker, inside of a function that names it: the session that the worker has, if any."""
        return worker_modules.session, ()

    def __del__(self) -> None:
        """Nothing: a session ends by `stop`, or with the process.

        pyspark closes its client here, and waits for the threads that all clients of the process share. But garbage is
        collected at any moment, also while this very thread is inside of gRPC and holds what those threads wait for.
        """

    def _release(self) -> None:
        """Free the session on the server when the process ends; a lost server needs no telling."""
        if self.link.connected and not self._client.is_closed:
            try:
                self._client.release_session()
            except Exception:
                return  # the process ends; nobody could act on it

    def _forget_server(self) -> None:
        # The client refuses the answers of a server other than its first; after a death there is a new one.
        self._client._server_session_id = None


def translated_link(endpoint: Endpoint, state: State, carry: Carry, *, patience: float = PATIENCE) -> Link:
    """A link to *endpoint* that speaks Databricks' dialect, for the catalog of *state*; see `Dialect` for *carry*."""

    def dialect(channel: grpc.Channel) -> list[Any]:
        from lakelocal.dialect import Dialect, interceptors  # when it connects: imports a parser of SQL

        return interceptors(Dialect(state, carry), channel)

    return Link(endpoint, dialect, patience=patience, answers_kept=True)


def translate(session: SparkSession, state: State, carry: Carry, schema: str) -> None:
    """Let *session*, which Spark has connected, speak Databricks' dialect: as a foreachBatch function does.

    *schema* is its current one, as the metastore knows it; "" if that is not known.
    """
    from lakelocal.dialect import Dialect, interceptors

    dialect = Dialect(state, carry)
    client = session.client
    if schema:
        dialect.sessions.enter(session.session_id, schema)
    client._channel = grpc.intercept_channel(client._channel, *interceptors(dialect, client._channel))
    client._stub = SparkConnectServiceStub(client._channel)
    show_messages_only(session)


def follow(session: SparkSession, link: Link, *policies: RetryPolicy) -> None:
    """Let the calls of *session*, which another library has connected, go through *link*; *policies* come first."""
    client = session.client
    client._channel = LazyChannel(link)
    client._stub = SparkConnectServiceStub(client._channel)
    client.set_retry_policies([*policies, Patience()])
    show_messages_only(session)


def show_messages_only(session: SparkSession) -> None:
    """Let the errors of *session* be their messages."""
    # The Java stack trace behind it is in the server's log.
    session.client._display_server_stack_trace = lambda: False  # type: ignore[method-assign]  # no setting does it
    # And Spark's client would write each failed query to standard error once more, as one long line of JSON.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(_NEVER)


def _silence_client() -> None:
    """Let Spark's client print nothing of its own, unless its variable asks for it: each refusal that it handles.

    pyspark disables its logger, but IPython's configuration of logging enables what was disabled, also later on.
    """
    if "SPARK_CONNECT_LOG_LEVEL" not in os.environ:
        logger.setLevel(_NEVER)


def register(session: SparkSession) -> None:
    """Make *session* the one of this process: default, and active in every thread.

    Spark keeps the active session by thread, so a thread that a notebook starts would find none.
    """
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    # pyspark demands an address although it uses the registered session.
    os.environ.setdefault("SPARK_REMOTE", "sc://localhost")
    everywhere = type("ActiveSession", (threading.local,), {"session": session})
    with SparkSession._lock:
        SparkSession._default_session = session
        SparkSession._active_session = everywhere()


def release() -> None:
    """Free the session of this process on the server, if it is connected: the process is about to be killed."""
    session = SparkSession._default_session
    if isinstance(session, LinkedSession):
        session._release()
    elif session is not None:  # a workspace's, which connects when it is made
        session.client.release_session()
