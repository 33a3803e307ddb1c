"""Signs the commits of a task with the run that made them; see `lakelocal.commits`.

The setting is made once for each session and connection, before its first command, and only if it has no value yet.
This takes a request that executes nothing, and costs queries, and notebooks that only read, nothing at all.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import pyspark.sql.connect.proto as proto

from lakelocal.commits import SETTING
from lakelocal.compute.config_requests import ConfigRequests, Operation

_OPTION = "usermetadata"  # an option of a DataFrame's writer; option names are case-insensitive
_GET = Operation(get_option=proto.ConfigRequest.GetOption(keys=[SETTING]))
_Config = Callable[[Operation], str]
_Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class Signing(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Signs the commits of all sessions on *channel*, which is the intercepted one, with *signature*."""

    def __init__(self, signature: str, channel: grpc.Channel) -> None:
        self._signature = signature
        self._signed: set[str] = set()  # ids of sessions
        self._lent: dict[str, str] = {}  # the setting of a session that had another for one command
        self._requests = ConfigRequests(channel)

    def intercept_unary_unary(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        if isinstance(request, proto.ConfigRequest) and SETTING in request.operation.unset.keys:
            self._signed.discard(request.session_id)  # the user has unset their own text
        return continuation(client_call_details, request)

    def intercept_unary_stream(
        self, continuation: _Continuation, client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        if isinstance(request, proto.ExecutePlanRequest) and request.plan.HasField("command"):
            config = partial(self._setting, request, client_call_details.metadata)
            if text := _own_text(request.plan.command):
                self._lend(request.session_id, text, config)
            elif request.session_id not in self._signed:
                self._sign(request.session_id, config)
        return continuation(client_call_details, request)

    def _sign(self, session: str, config: _Config) -> None:
        if config(_GET) in ("", self._lent.pop(session, "")):
            config(_set_to(self._signature))
        self._signed.add(session)

    def _lend(self, session: str, text: str, config: _Config) -> None:
        """Set *text* for one command only, since Delta ignores the option, but not the setting, for a new table."""
        if config(_GET) in ("", self._signature, self._lent.get(session)):
            config(_set_to(text))
            self._lent[session] = text
            self._signed.discard(session)

    def _setting(self, request: proto.ExecutePlanRequest, metadata: Any, operation: Operation) -> str:
        """The value of the setting in the session of *request*, from the response to *operation*."""
        pairs = self._requests.send(operation, request, metadata).pairs
        return next((pair.value for pair in pairs if pair.key == SETTING), "")


def _own_text(command: proto.Command) -> str:
    """The user's own text that *command* passes as an option; empty if there is none."""
    options = {**command.write_operation.options, **command.write_operation_v2.options}
    return next((value for name, value in options.items() if name.lower() == _OPTION), "")


def _set_to(text: str) -> Operation:
    return Operation(set=proto.ConfigRequest.Set(pairs=[proto.KeyValue(key=SETTING, value=text)]))
