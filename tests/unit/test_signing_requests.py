"""When the text of commits is set and taken away, by the requests that a session sends; see also `spark/`."""

from types import SimpleNamespace
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.commits import SETTING
from lakelocal.compute.signing import Signing

SIGNATURE = '{"lakelocal": {"job_run_id": 7}}'


class Sessions:
    """A channel to a server, which holds the setting of each session; *asked* are the requests for it."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.asked = 0

    def unary_unary(self, method: str, **_: Any) -> Any:
        assert method.endswith("/Config")
        return self.config

    def config(self, request: proto.ConfigRequest, metadata: Any = None) -> proto.ConfigResponse:
        self.asked += 1
        kind = request.operation.WhichOneof("op_type")
        if kind == "set":
            self.settings[request.session_id] = request.operation.set.pairs[0].value
        if kind == "unset":
            self.settings.pop(request.session_id, None)
        value = self.settings.get(request.session_id)
        return proto.ConfigResponse(pairs=[proto.KeyValue(key=SETTING, value=value)])


def execute(command: proto.Command | None = None, session: str = "s") -> proto.ExecutePlanRequest:
    plan = proto.Plan(root=proto.Relation()) if command is None else proto.Plan(command=command)
    return proto.ExecutePlanRequest(session_id=session, plan=plan)


def write(**options: str) -> proto.Command:
    return proto.Command(write_operation=proto.WriteOperation(options=options))


def send(signing: Signing, sessions: Sessions, request: Any) -> str | None:
    """The setting of the session of *request* when the server gets it."""
    if isinstance(request, proto.ConfigRequest):
        return signing.intercept_unary_unary(lambda _, sent: sessions.config(sent), SimpleNamespace(), request)
    details = SimpleNamespace(metadata=None)
    return signing.intercept_unary_stream(lambda _, sent: sessions.settings.get(sent.session_id), details, request)


def test_each_session_is_signed_once_at_its_first_command() -> None:
    """A query costs nothing, and neither do the commands after the first."""
    sessions = Sessions()
    signing = Signing(SIGNATURE, sessions)  # type: ignore[arg-type]

    assert send(signing, sessions, execute()) is None
    assert sessions.asked == 0
    assert [send(signing, sessions, execute(write())) for _ in range(3)] == [SIGNATURE] * 3
    assert sessions.asked == 2
    assert send(signing, sessions, execute(write(), session="other")) == SIGNATURE


def test_a_setting_of_the_user_is_left_alone_and_its_end_noticed() -> None:
    """Whether it was made before the first command or later."""
    sessions = Sessions()
    signing = Signing(SIGNATURE, sessions)  # type: ignore[arg-type]
    sessions.settings["s"] = "mine"
    unset = proto.ConfigRequest.Operation(unset=proto.ConfigRequest.Unset(keys=[SETTING]))

    assert send(signing, sessions, execute(write())) == "mine"
    assert send(signing, sessions, execute(write(userMetadata="other"))) == "mine"
    send(signing, sessions, proto.ConfigRequest(session_id="s", operation=unset))
    assert send(signing, sessions, execute(write())) == SIGNATURE


def test_an_option_of_the_user_is_all_that_delta_finds() -> None:
    """Of a table that the write creates, Delta would take the setting; afterwards the session is signed again."""
    sessions = Sessions()
    signing = Signing(SIGNATURE, sessions)  # type: ignore[arg-type]
    second = proto.Command(write_operation_v2=proto.WriteOperationV2(options={"USERMETADATA": "other"}))

    assert send(signing, sessions, execute(write(userMetadata="mine"))) == "mine"
    assert send(signing, sessions, execute(write())) == SIGNATURE
    assert send(signing, sessions, execute(second)) == "other"
    assert send(signing, sessions, execute(write(userMetadata="mine"))) == "mine"
    assert send(signing, sessions, execute(write())) == SIGNATURE
