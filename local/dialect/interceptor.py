"""The gRPC interceptor that translates each request of a Spark Connect client before it is sent."""

from collections.abc import Callable
from typing import Any

import grpc

from local.dialect.plans import Dialect


class DialectInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Rewrites requests by *dialect*; answers pass as they are.

    Requests that a client streams hold artifacts, never plans: they need no interceptor.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def intercept_unary_unary(self, continuation: Callable, client_call_details: Any, request: Any) -> Any:
        return continuation(client_call_details, self._dialect.rewrite(request))

    def intercept_unary_stream(self, continuation: Callable, client_call_details: Any, request: Any) -> Any:
        return continuation(client_call_details, self._dialect.rewrite(request))


def interceptors(dialect: Dialect) -> list[grpc.UnaryUnaryClientInterceptor | grpc.UnaryStreamClientInterceptor]:
    """What `grpc.intercept_channel` takes to make a channel speak *dialect*."""
    return [DialectInterceptor(dialect)]
