"""Clients that send too much, too slowly or nothing are disconnected; meanwhile, all others get their answers."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn

from lakelocal.errors import UsageError
from lakelocal.project import Project
from lakelocal.workspace import limits, serve
from lakelocal.workspace.app import create_app
from lakelocal.workspace.serve import Listening, TimedProtocol
from lakelocal.workspace.workspace import Workspace

GIB = 1024**3


@pytest.fixture
def port(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with short time limits."""
    monkeypatch.setattr(serve, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(workspace), http=TimedProtocol, log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def told(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send *parts* with pauses, and return what the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        answer = b""
        try:
            while received := connection.recv(2**16):
                answer += received
        except ConnectionResetError:
            pass
        return answer


def test_a_client_that_sends_nothing_is_ended(port: int) -> None:
    assert told(port).startswith(b"HTTP/1.1 408 ")


def test_a_header_that_does_not_end_is_ended(port: int) -> None:
    """Even if another line of it arrives now and then."""
    lines = (b"X-%d: y\r\n" % number for number in range(100))

    assert told(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n").startswith(b"HTTP/1.1 408 ")
    assert told(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n", *lines, pause=0.05).startswith(b"HTTP/1.1 408 ")


def test_a_header_that_is_too_long_is_refused(port: int) -> None:
    answer = told(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000)

    assert answer == b"" or answer.startswith(
        b"HTTP/1.1 400 "
    )  # b"": the connection was reset, since the rest of the body was not read


def test_what_is_no_http_is_refused(port: int) -> None:
    assert told(port, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def head_of_post(workspace: Workspace, length: int, path: str = "/telemetry-ext") -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {workspace.gate.token}",
        f"Content-Length: {length}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_body_that_stops_coming_is_ended(port: int, workspace: Workspace) -> None:
    answer = told(port, head_of_post(workspace, 100), b'{"a":')

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head
    assert json.loads(body)["error_code"] == "REQUEST_TIMEOUT"


@pytest.mark.parametrize("path", ["/telemetry-ext", "/api/2.2/jobs/create", "/api/2.2/jobs/run-now"])
def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(port: int, workspace: Workspace, path: str) -> None:
    answer = told(port, head_of_post(workspace, GIB, path))  # nothing of it is sent

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["error_code"] == "MAX_REQUEST_SIZE_EXCEEDED"


def test_a_gigabyte_without_the_token_is_not_read_either(port: int) -> None:
    head = f"POST /api/2.2/jobs/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: {GIB}\r\n\r\n"

    assert told(port, head.encode()).startswith(b"HTTP/1.1 401 ")


def test_others_are_answered_while_slow_clients_wait(port: int, workspace: Workspace) -> None:
    headers = {"Authorization": f"Bearer {workspace.gate.token}"}
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    try:
        for each in slow:
            each.sendall(b"POST /api/2.2/jobs/create HTTP/1.1\r\nHost: localhost\r\n")
        begun = time.monotonic()
        answer = requests.get(f"http://127.0.0.1:{port}/api/2.2/jobs/list", headers=headers, timeout=60)
        assert answer.status_code == 200
        assert time.monotonic() - begun < 30
    finally:
        for each in slow:
            each.close()


def test_nested_json_is_refused_by_every_endpoint(port: int, workspace: Workspace) -> None:
    headers = {"Authorization": f"Bearer {workspace.gate.token}"}
    for path in ("create", "reset", "update", "run-now", "runs/submit", "runs/repair"):
        for body in (b'{"tasks":' + b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
            answer = requests.post(
                f"http://127.0.0.1:{port}/api/2.2/jobs/{path}", data=body, headers=headers, timeout=60
            )

            assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


def test_the_token_is_not_sent_where_others_read_it(tmp_path: Path) -> None:
    """A host other than loopback needs TLS or an explicit option."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: shop}\n")
    file = tmp_path / "x.pem"
    for wrong in (Listening("0.0.0.0"), Listening("192.0.2.1"), Listening("example.com"), Listening(certificate=file)):
        with pytest.raises(UsageError):
            serve.serve(Project.at(tmp_path), wrong, lambda workspace: None)
    for right in (
        Listening(), Listening("127.0.0.1"), Listening("::1"), Listening("0.0.0.0", plain_http=True),
        Listening("0.0.0.0", certificate=file, key=file),
    ):  # fmt: skip
        right.check()
