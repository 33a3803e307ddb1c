"""The gRPC interceptor that translates each request of a Spark Connect client before it is sent."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import pyarrow
import pyspark.sql.connect.proto as proto

from lakelocal.dialect.plans import Dialect

_BYTES = re.compile(r"(\d+)b")

_Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class DialectInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Rewrites requests by *dialect*; answers pass as they are, but for settings.

    Requests that a client streams hold artifacts, never plans: they need no interceptor.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def intercept_unary_unary(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        answer = continuation(client_call_details, self._dialect.rewrite(request))
        if isinstance(request, proto.ConfigRequest) and answer.code() is grpc.StatusCode.OK:
            _write_sizes_plainly(answer.result())
        return answer

    def intercept_unary_stream(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        has_schema = partial(_has_schema, partial(continuation, client_call_details), request)
        return continuation(client_call_details, self._dialect.rewrite(request, has_schema))


def interceptors(dialect: Dialect) -> list[grpc.UnaryUnaryClientInterceptor | grpc.UnaryStreamClientInterceptor]:
    """What `grpc.intercept_channel` takes to make a channel speak *dialect*."""
    return [DialectInterceptor(dialect)]


def _write_sizes_plainly(settings: proto.ConfigResponse) -> None:
    """`3221225472b` as `3221225472`, in place: databricks-connect takes sizes for numbers, as its runtime has them."""
    for pair in settings.pairs:
        if found := _BYTES.fullmatch(pair.value):
            pair.value = found[1]


def _has_schema(execute: Callable[[Any], Any], request: proto.ExecutePlanRequest, schema: str) -> bool:
    """Has the server of *request* a schema of this name? Asked in the same session, ahead of the request."""
    question = proto.ExecutePlanRequest(session_id=request.session_id, user_context=request.user_context)
    question.plan.root.catalog.database_exists.db_name = schema
    batches = (answer.arrow_batch.data for answer in execute(question) if answer.HasField("arrow_batch"))
    return any(pyarrow.ipc.open_stream(data).read_all().column(0)[0].as_py() for data in batches)
