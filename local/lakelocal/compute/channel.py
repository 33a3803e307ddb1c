"""A gRPC channel that opens on its first call, and reports in one line that the server behind it is lost.

`SparkConnectClient` creates its stub as soon as the session exists. This channel returns callables that look for the
server only when one of them is called, so a notebook that never uses `spark` does not start a server.

Spark's client retries a lost server for about ten minutes. Here every failed call checks whether the server has died:
if it has, the call raises `ServerError` at once; if not, Spark's own retries continue for a few seconds. A call that
works is never limited in time.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import grpc

from lakelocal.errors import ServerError

PATIENCE = 8.0
_NOT_CONNECTED = "is not connected"

_LOST = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.UNAUTHENTICATED,  # another server has taken the port
    }
)
_ENDING = "stopped SparkContext"  # what a server says of itself while it ends, for example since its memory was used up
# Calls that clean up: without a connection there is nothing to clean up, and none of them may start a server.
_TIDYING = ("/ReleaseExecute", "/ReleaseSession", "/Interrupt", "/FetchErrorDetails", "/ReattachExecute")
_TIDYING_LIMIT = {"/ReleaseExecute": 10.0, "/ReleaseSession": 5.0, "/Interrupt": 10.0, "/FetchErrorDetails": 10.0}


class Endpoint(Protocol):
    """The server at the other end, as a link uses it."""

    def connect(self) -> grpc.Channel:
        """A channel to the server, which is started if necessary.

        Raises:
            LocalError: there is no server, or it may not be used; the message says why in one line.
        """

    def has_died(self) -> bool:
        """Is the server known to be gone? False if only its answers can tell."""

    def lost(self, what: str) -> ServerError:
        """The error for a lost server; *what* says what it did, such as "died"."""


class Link:
    """The connection to *endpoint*: none until `channel` is called, replaced after the server was lost.

    Args:
        endpoint: finds the server.
        interceptors: called with the channel of each new connection; their results are placed in front of that channel.
            patience: how long a server may be missing before it counts as lost, in s. answers_kept: whether the server
            may keep the answers of a statement until the last one was read. Spark's client acknowledges each answer
            with a separate call, seven of them for a `SELECT 1`: that is a sixth of the cost of the smallest
            statements, and does not help an open-source server, which drops what it has sent except for the last 10 MB
            (`spark.connect.execute.reattachable.observerRetryBufferSize`).
    """

    def __init__(
        self,
        endpoint: Endpoint,
        interceptors: Callable[[grpc.Channel], list[Any]] = lambda channel: [],
        *,
        patience: float = PATIENCE,
        answers_kept: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.answers_kept = answers_kept
        self.patience = patience
        self.on_lost: Callable[[], None] = lambda: None
        self._interceptors = interceptors
        self._lock = threading.RLock()
        self._channel: grpc.Channel | None = None
        self._failing_since: float | None = None
        self._loss = _NOT_CONNECTED

    @property
    def connected(self) -> bool:
        """Is there a connection? Does not create one."""
        return self._channel is not None

    def channel(self, *, may_start: bool) -> grpc.Channel:
        """The open channel; connects if necessary and *may_start*.

        Raises:
            LocalError: the server cannot be used; or there is no connection and *may_start* is false.
        """
        with self._lock:
            if self._channel is None:
                if not may_start:
                    raise self.endpoint.lost(self._loss)
                plain = self.endpoint.connect()
                wrapped = self._interceptors(plain)
                self._channel = grpc.intercept_channel(plain, *wrapped) if wrapped else plain
                self._loss = _NOT_CONNECTED
            return self._channel

    def worked(self) -> None:
        """Record that the server answered."""
        self._failing_since = None

    def failed(self, error: grpc.RpcError) -> Exception:
        """The exception to raise for *error*: `ServerError` if the server is lost, else *error* for Spark to judge."""
        if error.code() not in _LOST:
            self.worked()
            return error
        with self._lock:
            if self._channel is None:
                return self.endpoint.lost(self._loss)  # another thread has noticed
            if self.endpoint.has_died() or _ENDING in (error.details() or ""):
                return self._lost("died")
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                return error
            now = time.monotonic()
            self._failing_since = self._failing_since or now
            if now - self._failing_since < self.patience:
                return error
            return self._lost(f"has not answered for {self.patience:.0f} seconds")

    def close(self) -> None:
        """Close the connection, if there is one; the next call opens a new one."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
            self._forget()

    def _lost(self, what: str) -> ServerError:
        self._loss = what
        self._forget()
        return self.endpoint.lost(what)

    def _forget(self) -> None:
        self._channel = None
        self._failing_since = None
        self.on_lost()


class LazyChannel(grpc.Channel):
    """The channel for Spark's client; every call goes through *link*.

    Its methods return callables that behave like those of grpc, without what Spark's client never uses.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def unary_unary(self, method: str, *args: object, **kwargs: Any) -> "_Unary":  # type: ignore[override]
        return _Unary(self._link, "unary_unary", method, args, kwargs)

    def stream_unary(self, method: str, *args: object, **kwargs: Any) -> "_Unary":  # type: ignore[override]
        return _Unary(self._link, "stream_unary", method, args, kwargs)

    def unary_stream(self, method: str, *args: object, **kwargs: Any) -> "_Stream":  # type: ignore[override]
        return _Stream(self._link, "unary_stream", method, args, kwargs)

    def stream_stream(self, method: str, *args: object, **kwargs: Any) -> "_Stream":  # type: ignore[override]
        return _Stream(self._link, "stream_stream", method, args, kwargs)

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False) -> None:
        self._link.channel(may_start=True).subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        if self._link.connected:
            self._link.channel(may_start=False).unsubscribe(callback)

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> "LazyChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Lazy:
    """One method of the protocol; its real callable is created for each connection."""

    def __init__(self, link: Link, kind: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._link, self._kind, self._method = link, kind, method
        self._args, self._kwargs = args, kwargs
        self._made: tuple[grpc.Channel, Any] | None = None
        self._may_start = not method.endswith(_TIDYING)
        self._limit = next((limit for end, limit in _TIDYING_LIMIT.items() if method.endswith(end)), None)

    def _real(self) -> Any:
        channel = self._link.channel(may_start=self._may_start)
        made = self._made
        if made is None or made[0] is not channel:
            made = self._made = (channel, getattr(channel, self._kind)(self._method, *self._args, **self._kwargs))
        return made[1]

    def _options(self, timeout: float | None, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "timeout": timeout if timeout is not None else self._limit}


class _Unary(_Lazy):
    def __call__(self, request: object, timeout: float | None = None, **options: Any) -> Any:
        return self.with_call(request, timeout, **options)[0]

    def with_call(self, request: Any, timeout: float | None = None, **options: Any) -> tuple[Any, Any]:
        """The answer and its call, for an interceptor that the client puts in front of this channel."""
        if self._link.answers_kept and self._method.endswith("/ReleaseExecute") and request.HasField("release_until"):
            return self._kwargs["response_deserializer"](b""), None
        try:
            answer, call = self._real().with_call(request, **self._options(timeout, options))
        except grpc.RpcError as error:
            raise self._link.failed(error) from None
        self._link.worked()
        return answer, call


class _Stream(_Lazy):
    def __call__(self, request: object, timeout: float | None = None, **options: Any) -> "_Answers":
        return _Answers(self._link, self._real()(request, **self._options(timeout, options)))


class _Answers(Iterator[Any]):
    """The responses of a stream; a lost server is noticed here, at the next response."""

    def __init__(self, link: Link, call: Any) -> None:
        self._link, self._call, self._answers = link, call, iter(call)

    def __next__(self) -> Any:
        try:
            answer = next(self._answers)
        except grpc.RpcError as error:
            raise self._link.failed(error) from None
        self._link.worked()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
