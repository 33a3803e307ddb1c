"""The settings of the session in which the queries of a pipeline run: sent together, and put back as they were."""

from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from pyspark.sql.connect.client.core import ConfigResult

from lakelocal.pipelines.definitions import Defaults, Definitions
from lakelocal.pipelines.session import PipelineSession


class Client:
    """Keeps settings as a server does, and the kinds of the requests that it got."""

    def __init__(self) -> None:
        self.settings = {"a": "1"}
        self.requests: list[str] = []
        self._channel = grpc.insecure_channel("localhost:1")

    def config(self, operation: Any) -> ConfigResult:
        kind = operation.WhichOneof("op_type")
        self.requests.append(kind)
        if kind == "set":
            self.settings |= {pair.key: pair.value for pair in operation.set.pairs}
        if kind == "unset":
            for key in operation.unset.keys:
                del self.settings[key]
        keys = operation.get_option.keys if kind == "get_option" else ()
        return ConfigResult([(key, self.settings.get(key)) for key in keys], [])


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def session(client: Client) -> PipelineSession:
    spark: Any = SimpleNamespace(client=client, sql=lambda text: None)
    return PipelineSession(spark, Definitions(Defaults("c", "s")), {})


def test_settings_are_sent_in_one_request(session: PipelineSession, client: Client):
    session.set({str(number): "x" for number in range(20)})

    assert client.requests == ["set"] and len(client.settings) == 21


def test_the_settings_of_a_flow_hold_while_it_runs(session: PipelineSession, client: Client):
    """Also if it fails; a flow without any asks for nothing."""
    with pytest.raises(ValueError, match="broken"), session.with_settings({"a": "2", "b": "3"}):
        assert client.settings == {"a": "2", "b": "3"}
        raise ValueError("broken")
    assert client.settings == {"a": "1"}
    assert client.requests == ["get_option", "set", "set", "unset"]

    with session.with_settings({}):
        assert client.settings == {"a": "1"}
    assert len(client.requests) == 4
