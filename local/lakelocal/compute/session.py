"""A Spark session on a link: Spark Connect, connected on first use.

`register(session)` makes a session the one that `SparkSession.builder.getOrCreate()` and `getActiveSession()` return,
in every thread of the process.
"""

import atexit
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from pyspark.logger import PySparkLogger
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicy
from pyspark.sql.connect.logging import logger
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub
from pyspark.sql.connect.session import SparkSession

from lakelocal.commits import signature
from lakelocal.compute import worker_modules
from lakelocal.compute.channel import PATIENCE, Endpoint, LazyChannel, Link
from lakelocal.compute.session_settings import SessionSettings
from lakelocal.compute.signing import Signing
from lakelocal.context import current_context
from lakelocal.project import State

if TYPE_CHECKING:
    from lakelocal.dialect.datasets import Datasets

Carry = Callable[[bytes, str], bytes]


_NEVER = logging.CRITICAL + 1  # no record has this level


class LinkedChannelBuilder(DefaultChannelBuilder):
    """Builds the lazy channel of *link*; *url* says who the user is and what is sent with each request."""

    def __init__(self, url: str, link: Link) -> None:
        super().__init__(url)
        self.link = link

    def toChannel(self) -> grpc.Channel:
        return LazyChannel(self.link)


class Patience(DefaultPolicy):
    """Spark's retries, with short waits; the link decides when to give up."""

    def __init__(self) -> None:
        # The server waits at most a second when it is busy; the link gives up long before the last retry.
        super().__init__(max_retries=60, max_backoff=1000, jitter=100)

    def can_retry(self, error: BaseException) -> bool:
        """Also retry if nothing listens any more, for which databricks-connect has its own policy."""
        unavailable = isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNAVAILABLE
        return unavailable or super().can_retry(error)


class LinkedSession(SparkSession):
    """A session of the server at the end of *link*.

    *about* returns what the session prints about itself, as text and as HTML.

    `stop()` ends the session on the server. As in Databricks notebooks, the next `getOrCreate()` returns a fresh
    session, created by *again*.
    """

    def __init__(self, link: Link, *, again: Callable[[], SparkSession], url: str = "sc://localhost") -> None:
        super().__init__(connection=LinkedChannelBuilder(url, link))
        self.link = link
        self.about: Callable[[LinkedSession], tuple[str, str]] | None = None
        self._again = again
        self._client.set_retry_policies([Patience()])
        _silence_client()
        # At exit the client would clear its ML cache, and so start a server for nothing; `_release` covers that.
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
            fresh = self._again()
            if isinstance(fresh, LinkedSession):
                fresh.about = self.about
            register(fresh)

    def __repr__(self) -> str:
        return self.about(self)[0] if self.about else super().__repr__()

    def _repr_html_(self) -> str | None:
        return self.about(self)[1] if self.about else None

    def __reduce__(self) -> Any:
        """Pickle the session as the one that the worker has, if any."""
        return worker_modules.session, ()

    def __del__(self) -> None:
        """Do nothing: a session ends by `stop`, or with the process.

        pyspark closes its client here, and waits for the threads that all clients of the process share. But garbage may
        be collected at any time, even while this very thread is inside gRPC and holds what those threads wait for.
        """

    def _release(self) -> None:
        """Release the session on the server when the process ends; a lost server does not need to be told."""
        if self.link.connected and not self._client.is_closed:
            try:
                self._client.release_session()
            except Exception:
                return  # the process is ending; nobody could act on it

    def _forget_server(self) -> None:
        # The client refuses answers from a server other than its first; after a death there is a new one.
        self._client._server_session_id = None


def translated_link(
    endpoint: Endpoint, state: State, carry: Carry, datasets: "Datasets | None" = None, *, patience: float = PATIENCE
) -> Link:
    """A link to *endpoint* with the Databricks dialect, for the catalog of *state*.

    See `Dialect` for *carry* and *datasets*. What the process of a task commits is signed with its run.
    """

    def dialect(channel: grpc.Channel) -> list[Any]:
        # Imported when it connects: the dialect imports Spark's client and a SQL parser.
        from lakelocal.dialect.interceptor import interceptors
        from lakelocal.dialect.plans import Dialect

        context = current_context()
        signing = [Signing(signature(context), channel)] if context else []
        configuring = [SessionSettings(context.settings, channel)] if context and context.settings else []
        return [*configuring, *interceptors(Dialect(state, carry, datasets), channel), *signing]

    return Link(endpoint, dialect, patience=patience, answers_kept=True)


def translate(session: SparkSession, state: State, carry: Carry, schema: str) -> None:
    """Let *session*, which Spark has connected, use the Databricks dialect: for a foreachBatch function.

    *schema* is its current schema, as named in the metastore; "" if that is not known.
    """
    from lakelocal.dialect.interceptor import interceptors
    from lakelocal.dialect.plans import Dialect

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
    """Reduce the errors of *session* to their messages."""
    # The Java stack trace behind it is in the server's log.
    session.client._display_server_stack_trace = lambda: False  # type: ignore[method-assign]  # no setting does it
    # Spark's client would also write each failed query to standard error again, as one long line of JSON.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(_NEVER)


def _silence_client() -> None:
    """Let Spark's client print nothing, such as each refusal that it handles, unless its variable asks for it.

    pyspark disables its logger, but IPython's configuration of logging enables what was disabled, also later on.
    """
    if "SPARK_CONNECT_LOG_LEVEL" not in os.environ:
        logger.setLevel(_NEVER)


def register(session: SparkSession) -> None:
    """Make *session* that of this process: the default, and active in every thread.

    Spark stores the active session per thread, so a thread that a notebook starts would find none.
    """
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    # pyspark requires an address although it uses the registered session.
    os.environ.setdefault("SPARK_REMOTE", "sc://localhost")
    everywhere = type("ActiveSession", (threading.local,), {"session": session})
    with SparkSession._lock:
        SparkSession._default_session = session
        SparkSession._active_session = everywhere()


def release() -> None:
    """Release the session of this process on the server, if it is connected: the process is about to be killed."""
    session = SparkSession._default_session
    if isinstance(session, LinkedSession):
        session._release()
    elif session is not None:  # a workspace's session, which connects when it is created
        session.client.release_session()
