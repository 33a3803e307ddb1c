"""The Spark session of a catalog: Spark Connect, connected on first use, speaking Databricks' dialect.

`open_session(state)` gives a session without any network; `register(session)` makes it the one that
`SparkSession.builder.getOrCreate()` and `getActiveSession()` give, in every thread of the process.
"""

import atexit
import logging
import os
import threading

import grpc
from pyspark.logger import PySparkLogger
from pyspark.sql.connect.client import ChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from local.kernel.channel import LazyChannel, Link
from local.project import State


class LocalChannelBuilder(ChannelBuilder):
    """Builds the lazy channel to the server of one catalog."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link

    @property
    def host(self) -> str:
        return "localhost"

    def toChannel(self) -> grpc.Channel:
        return LazyChannel(self.link)


class LocalSession(SparkSession):
    """A session of the local server.

    `stop()` ends the session on the server. As with Databricks' notebooks the next `getOrCreate()` gives a
    fresh one, of the same catalog.
    """

    def __init__(self, link: Link) -> None:
        super().__init__(connection=LocalChannelBuilder(link))
        self.link = link
        # The server waits a second at most where it is busy; a dead one is told by the channel, not by these.
        self._client.set_retry_policies([DefaultPolicy(max_backoff=1000, jitter=100)])
        # At exit Spark's client would empty its ML cache, and so start a server for nothing; `_release` covers it.
        atexit.unregister(self._client._cleanup_ml_cache)
        atexit.register(self._release)
        link.on_lost = self._forget_server
        # The message says it; the Java stack trace behind it is in the server's log.
        self._client._display_server_stack_trace = lambda: False
        # And Spark's client would write each failed query to standard error once more, as one long line of JSON.
        PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)

    def stop(self) -> None:
        registered = SparkSession._default_session is self
        atexit.unregister(self._release)
        self.release_session_on_close = self.link.connected
        super().stop()
        if registered:
            register(open_session(self.link.state))

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


def open_session(state: State) -> SparkSession:
    """A session for the server of *state*; the server is found or started by its first use.

    Statements, names and paths are translated by `local.dialect`. Nothing is imported or started for
    them before the first use.

    Raises (by the first use, not by this call):
        ServerError: the server does not start, or has died.
    """
    return LocalSession(Link(state, ensure=_ensure, interceptors=lambda: _dialect(state)))


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
    if isinstance(session, LocalSession):
        session._release()


def _ensure(state: State):
    from local.server import ensure_server

    return ensure_server(state)


def _dialect(state: State) -> list:
    from local.dialect import Dialect, interceptors

    return interceptors(Dialect(state))
