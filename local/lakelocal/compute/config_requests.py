"""Requests about the settings of a Spark session, sent beside the request of that session that is being intercepted."""

from typing import Any

import grpc
import pyspark.sql.connect.proto as proto

Operation = proto.ConfigRequest.Operation


class ConfigRequests:
    """Sends operations on settings on *channel*; they execute nothing."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._call = channel.unary_unary(
            "/spark.connect.SparkConnectService/Config",
            request_serializer=proto.ConfigRequest.SerializeToString,
            response_deserializer=proto.ConfigResponse.FromString,
        )

    def send(self, operation: Operation, request: Any, metadata: Any) -> proto.ConfigResponse:
        """What the server answers *operation* with, in the session of *request*."""
        asked = proto.ConfigRequest(
            session_id=request.session_id, user_context=request.user_context, operation=operation
        )
        return self._call(asked, metadata=metadata)
