"""The process of the server: its sockets, the file by which other commands find it, and its end.

It listens on all loopback addresses, so that no other user of the machine can answer on one of them instead. On any
other address, others could read a token that is sent without TLS: it needs a certificate, or an explicit option.
"""

import asyncio
import contextlib
import fcntl
import ipaddress
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lakelocal.errors import ProjectError, UsageError
from lakelocal.processes import started_at
from lakelocal.project import Project
from lakelocal.workspace.app import create_app
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.running import RunningServer
from lakelocal.workspace.workspace import Workspace

LOOPBACK = "localhost"
HEADER_SECONDS = 20.0
MOST_CONNECTIONS = 2000
END_SECONDS = 5


@dataclass(frozen=True)
class Listening:
    """Where to listen: *host*, *port* (0: any free port), and the files for TLS, if any."""

    host: str = LOOPBACK
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    plain_http: bool = False

    def check(self) -> None:
        """Refuse an address where others could read the token.

        Raises:
            UsageError: the address is not a loopback address, and there is no TLS.
        """
        if (self.certificate is None) != (self.key is None):
            raise UsageError("serve: found one of --ssl-certfile and --ssl-keyfile; expected both. Name both files.")
        if not (_is_loopback(self.host) or self.certificate or self.plain_http):
            raise UsageError(
                f"serve --host {self.host}: found no TLS; expected it outside of loopback, where others could read the "
                "token. Name --ssl-certfile and --ssl-keyfile, or say --allow-plain-http."
            )

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"


def serve(project: Project, listening: Listening, started: Callable[[Workspace], None]) -> None:
    """Serve the workspace of *project* until SIGINT or SIGTERM; call *started* as soon as it accepts requests.

    Raises:
        UsageError: another server serves it, the port is taken, or the address needs TLS.
    """
    listening.check()
    places = WorkspacePlaces.of(project).make()
    with _alone(places), contextlib.ExitStack() as closing:
        sockets = [closing.enter_context(each) for each in _sockets(listening)]
        port = sockets[0].getsockname()[1]
        names = [] if _is_loopback(listening.host) else [listening.host, socket.gethostname(), socket.getfqdn()]
        shown = listening.host if names and listening.host not in ("0.0.0.0", "::") else LOOPBACK
        workspace = Workspace.of(project, f"{listening.scheme}://{shown}:{port}", names)
        _write(places, workspace, listening)
        closing.callback(places.server.unlink, missing_ok=True)
        _run(workspace, listening, sockets, started)


def _run(
    workspace: Workspace, listening: Listening, sockets: Sequence[socket.socket], started: Callable[[Workspace], None]
) -> None:
    config = uvicorn.Config(
        create_app(workspace),
        http=TimedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=END_SECONDS,
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.key,
    )
    server = _Server(config, lambda: started(workspace))
    server.run(list(sockets))


class _Server(uvicorn.Server):
    """Reports when it has started, and ends at a signal."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving at SIGINT and SIGTERM, and return: uvicorn would end the whole process."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._told()


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that ends connections on which the header of a request does not arrive in time.

    Between requests, uvicorn's own limit applies; bodies have a separate limit.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._deadline is None:
            self._expect_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect_header(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._end)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


@contextlib.contextmanager
def _alone(places: WorkspacePlaces) -> Iterator[None]:
    with places.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = RunningServer.of(places)
            where = f" at {running.url} (process {running.pid})" if running else ""
            raise UsageError(
                f"serve: another server already serves this workspace{where}. End that server first."
            ) from None
        yield


def _sockets(listening: Listening) -> list[socket.socket]:
    """The sockets to listen on: for loopback, at both of its addresses and one port."""
    wanted = ["127.0.0.1", "::1"] if listening.host == LOOPBACK else [listening.host]
    found: list[socket.socket] = []
    port = listening.port
    for address in wanted:
        try:
            family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
            made = socket.create_server((address, port), family=family, backlog=512)
        except OSError as error:
            if found and address == "::1" and error.errno not in _TAKEN:
                continue  # this machine has no IPv6
            for each in found:
                each.close()
            raise UsageError(
                f"serve: cannot listen on {address}, port {port} ({error.strerror}). Name another --port, or --port 0."
            ) from error
        found.append(made)
        port = made.getsockname()[1]
    return found


_TAKEN = (98, 48)  # EADDRINUSE on Linux and on macOS


def _is_loopback(host: str) -> bool:
    if host == LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _write(places: WorkspacePlaces, workspace: Workspace, listening: Listening) -> None:
    """Write the file by which other commands find this server."""
    own = os.getpid()
    content: dict[str, Any] = {"url": workspace.url, "pid": own, "pid_started": started_at(own) or 0.0}
    if listening.certificate:
        content["certificate"] = str(listening.certificate.resolve())
    new = places.server.with_suffix(".new")
    try:
        new.write_text(json.dumps(content))
        new.replace(places.server)
    except OSError as error:
        text = f"`{places.server}`: cannot be written ({error.strerror}). Make the folder writable."
        raise ProjectError(text) from error
