"""Gives the Spark sessions of a task the settings of its cluster; see `lakelocal.lakeflow.session_settings`.

They are set before the first request of each session, in one request that executes nothing. Settings that a session
cannot change, such as the memory of a driver, have no effect. If a value does not fit its setting, each request of the
session fails with that reason, since a cluster with it would not start.
"""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
import pyspark.sql.connect.proto as proto

from lakelocal.compute.config_requests import ConfigRequests
from lakelocal.spark_settings import set_all, settings_of_clusters

_Continuation = Callable[[grpc.ClientCallDetails, Any], Any]
_NEEDING = (proto.ExecutePlanRequest, proto.AnalyzePlanRequest, proto.ConfigRequest)


class SessionSettings(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Sets *settings* in all sessions on *channel*, which is the intercepted one."""

    def __init__(self, settings: Mapping[str, str], channel: grpc.Channel) -> None:
        self._operation = set_all(settings)
        self._configured: set[str] = set()  # ids of sessions
        self._requests = ConfigRequests(channel)

    def intercept_unary_unary(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        self._configure(client_call_details, request)
        return continuation(client_call_details, request)

    def intercept_unary_stream(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        self._configure(client_call_details, request)
        return continuation(client_call_details, request)

    def _configure(self, details: grpc.ClientCallDetails, request: Any) -> None:
        if not isinstance(request, _NEEDING) or request.session_id in self._configured:
            return
        answer = self._requests.send(self._operation, request, details.metadata)
        settings_of_clusters(answer.warnings)  # which have no effect; it raises the reason if a value does not fit
        self._configured.add(request.session_id)  # not before: if the request fails, Spark's client sends it again
