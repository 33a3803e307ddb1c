"""The gRPC interceptor that translates each request of a Spark Connect client before it is sent."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
import pyspark.sql.connect.proto as proto

from lakelocal.dialect import answers
from lakelocal.dialect.plans import Dialect
from lakelocal.dialect.races import Race
from lakelocal.dialect.server import Connection
from lakelocal.dialect.settings import show_settings
from lakelocal.dialect.syntax.json_paths import variant_found
from lakelocal.paths import DatabricksPaths

_BYTES = re.compile(r"(\d+)b")
_EXECUTE = "/spark.connect.SparkConnectService/ExecutePlan"

_Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class DialectInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Rewrites requests by *dialect*, and names in the responses; *channel* is the one that is intercepted.

    Requests that a client streams contain artifacts, never plans, and need no interceptor.
    """

    def __init__(self, dialect: Dialect, channel: grpc.Channel) -> None:
        self._dialect = dialect
        self._own = dialect.state.catalog
        self._paths = DatabricksPaths(dialect.state)
        self._execute = channel.unary_stream(
            _EXECUTE,
            request_serializer=proto.ExecutePlanRequest.SerializeToString,
            response_deserializer=proto.ExecutePlanResponse.FromString,
        )

    def intercept_unary_unary(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        answer = self._analyzed(continuation, client_call_details, request)
        if answer.code() is not grpc.StatusCode.OK:
            return answer
        if isinstance(request, proto.ConfigRequest):
            _write_sizes_plainly(answer.result())
            show_settings(answer.result(), self._paths)
        elif isinstance(request, proto.AnalyzePlanRequest):
            answers.show_analysis(answer.result(), self._own)
        elif isinstance(request, proto.FetchErrorDetailsRequest):
            answers.show_error(answer.result(), self._paths)
        return answer

    def intercept_unary_stream(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        def sent(variants: frozenset[str], *, again: bool) -> tuple[Any, Any]:
            rewritten = self._rewrite(client_call_details, request, variants)
            if again:
                rewritten.operation_id = str(uuid4())  # for the server, the first one is an operation that has failed
            return rewritten, continuation(client_call_details, rewritten)

        if not isinstance(request, proto.ExecutePlanRequest):
            return sent(frozenset(), again=False)[1]
        call = _Answers(request, sent)
        return _ShownAnswers(call, self._own) if _tells_of_tables(request) else call

    def _analyzed(
        self, send: _Continuation, details: grpc.ClientCallDetails, request: Any, variants: frozenset[str] = frozenset()
    ) -> Any:
        """The response to *request*, which executes nothing."""
        answer = send(details, self._rewrite(details, request, variants))
        if answer.code() is grpc.StatusCode.OK or not isinstance(request, proto.AnalyzePlanRequest):
            return answer
        found = variant_found(answer.details())
        if found is None or found in variants:
            return answer
        return self._analyzed(send, details, request, variants | {found})

    def _rewrite(self, details: grpc.ClientCallDetails, request: Any, variants: frozenset[str]) -> Any:
        execute = partial(self._execute, metadata=details.metadata)
        return self._dialect.rewrite(request, Connection(execute, request), variants)


class _Answers(Iterator[Any]):
    """The responses to a request that is sent by *send*, which returns the request as it was sent, and the call.

    The request is sent again if the first response says that a value is a VARIANT (*send* takes the values that are
    known to be), or that another session has created what it was to create. A request that fails in this way has done
    nothing.
    """

    def __init__(self, request: Any, send: Callable[..., tuple[Any, Any]]) -> None:
        self._send, self._variants, self._answered = send, frozenset[str](), False
        self._race = Race(request)
        self._call = self._sent(again=False)

    def __next__(self) -> Any:
        try:
            answer = next(self._call)
        except grpc.RpcError as error:
            if self._answered or not self._is_sent_again(error):
                raise
            self._call = self._sent(again=True)
            return next(self)
        self._answered = self._answered or not answer.HasField("execution_progress")
        return answer

    def _sent(self, *, again: bool) -> Any:
        """Send the request, and return the call; statements of the translation itself may fail like the request."""
        try:
            request, call = self._send(self._variants, again=again)
        except grpc.RpcError as error:
            if not self._is_sent_again(error):
                raise
            return self._sent(again=True)
        self._race.request = request
        return call

    def _is_sent_again(self, error: Any) -> bool:
        found = variant_found(error.details() or "")
        if found is None or found in self._variants:
            return self._race.lost(error.details() or "")
        self._variants |= {found}
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _ShownAnswers(Iterator[Any]):
    """The responses of *call* to a statement about tables, with the user's names."""

    def __init__(self, call: Any, own: str) -> None:
        self._call, self._own = call, own

    def __next__(self) -> Any:
        answer = next(self._call)
        answers.show_rows(answer, self._own)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def interceptors(
    dialect: Dialect, channel: grpc.Channel
) -> list[grpc.UnaryUnaryClientInterceptor | grpc.UnaryStreamClientInterceptor]:
    """The interceptors that make *channel* accept *dialect*, for `grpc.intercept_channel`."""
    return [DialectInterceptor(dialect, channel)]


def _tells_of_tables(request: Any) -> bool:
    if not isinstance(request, proto.ExecutePlanRequest):
        return False
    command = request.plan.command.sql_command
    return answers.describes_tables(command.input.sql.query or command.sql)


def _write_sizes_plainly(settings: proto.ConfigResponse) -> None:
    """Turn `3221225472b` into `3221225472`, in place: databricks-connect expects numbers, as in Databricks' runtime."""
    for pair in settings.pairs:
        if found := _BYTES.fullmatch(pair.value):
            pair.value = found[1]
