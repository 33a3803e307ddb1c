"""The life of a server: start it, find it again, stop it, and say in one line why it is missing."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from lakelocal.errors import ServerError
from lakelocal.java import find_java
from lakelocal.locks import locked
from lakelocal.paths import DatabricksPaths
from lakelocal.processes import started_at, still_runs
from lakelocal.program import PROGRAM
from lakelocal.project import State
from lakelocal.roots.enter import FORCED
from lakelocal.roots.launch import with_mounts
from lakelocal.server import log
from lakelocal.server.adopt import adopt_tables
from lakelocal.server.archive import RECORDING, forget_archive
from lakelocal.server.command import server_command, state_mark
from lakelocal.server.jars import fetch_delta_jars
from lakelocal.server.settings import Settings
from lakelocal.versions import DATABRICKS_RUNTIME

START_LIMIT = 300  # seconds; a slow machine takes about 15, one that is busy with other things some minutes
STOP_LIMIT = 15
ARCHIVE_LIMIT = 120  # seconds for a server that writes the class data archive as it ends; a slow machine takes about 60
_NOT_THE_SERVERS = ("SPARK_", "PYSPARK_", "LOCAL_")  # environment variables of a kernel or of its Spark client
LEAST_DISK = 512 * 2**20


@dataclass(frozen=True)
class Server:
    """A running server; *started*, the start time of process *pid* (epoch s), distinguishes it from a reused id."""

    pid: int
    started: float
    port: int
    token: str
    log: str
    host: str = "localhost"  # the name matters: with 127.0.0.1 the client would ask for TLS

    @property
    def url(self) -> str:
        """The URL for any Spark Connect client; contains the token."""
        return f"sc://{self.host}:{self.port}/;token={self.token}"

    @property
    def is_alive(self) -> bool:
        """Is the process running, and is it the one that was started?"""
        return still_runs(self.pid, self.started)

    @property
    def answers(self) -> bool:
        """Does something accept connections on the port?"""
        return _accepts(self.port)


def ensure_server(
    state: State, *, make_archive: bool = False, tell: Callable[[str], None] = lambda what: None
) -> Server:
    """The server of *state*, started if there is none; returns once it accepts connections.

    Several processes may call this at the same time: one starts the server, the others find it. With *make_archive*, a
    server that is started writes the class data archive when it ends, if there is none (`lakelocal.server.archive`).
    *tell* is called with what the caller is waiting for, if anything takes longer.

    Raises:
        ServerError: it did not start; the message says why, and what to do.
        SetupError: there is no Java, or Delta's jars could not be fetched.
    """
    if server := find_server(state):
        return server
    fetch_delta_jars(tell)
    state.make()
    tell("starting the Spark server")
    with _lock(state):
        return find_server(state) or _start(state, make_archive)


def find_server(state: State) -> Server | None:
    """The running server of *state*, None if there is none; a record of a dead one is left for the next start."""
    server = _read(state)
    return server if server and server.is_alive and server.answers else None


def server_status(state: State) -> dict[str, object]:
    """What `status` prints: catalog, `state` (running, stopped, died, not answering), pid, port, remote, log."""
    server = _read(state)
    if server is None:
        return {"catalog": state.catalog, "state": "stopped"}
    alive = server.is_alive
    known = {"catalog": state.catalog, "pid": server.pid, "port": server.port, "log": server.log}
    if alive and server.answers:
        return known | {"state": "running", "remote": server.url}
    return known | {"state": "not answering" if alive else "died"}


def stop_server(state: State) -> bool:
    """Stop the server of *state* and wait until it is gone; False if none was running.

    Raises:
        ServerError: it could not be ended.
    """
    server = _read(state)
    if server is None:
        return False
    if not server.is_alive:
        return False  # the record is kept: it tells the next start that the server died
    process = psutil.Process(server.pid)
    writes_archive = any(option.startswith(RECORDING) for option in process.cmdline())
    process.terminate()
    try:
        process.wait(ARCHIVE_LIMIT if writes_archive else STOP_LIMIT)
    except psutil.TimeoutExpired:
        process.kill()
        try:
            process.wait(5)
        except psutil.TimeoutExpired as error:
            raise ServerError(
                f"The server of `{state.catalog}` (process {server.pid}) does not end. End it by hand."
            ) from error
    state.server_file.unlink(missing_ok=True)
    return True


def _start(state: State, make_archive: bool) -> Server:
    free = shutil.disk_usage(state.folder).free
    if free < LEAST_DISK:
        raise ServerError(
            f"`{state.folder}`: found {free // 2**20} MB of free disk; expected {LEAST_DISK // 2**20} MB at least. "
            "Free some, or move the state with LOCAL_STATE."
        )
    if holder := _process_of(state):
        raise ServerError(
            f"The server of `{state.catalog}`: process {holder} still runs it, but its record `{state.server_file}` is "
            f"gone, and with it the token. End process {holder}, then try again."
        )
    died_before = _read(state) is not None
    (state.folder / "tmp").mkdir(exist_ok=True)
    java, settings = find_java(), Settings.read()
    for _ in range(3):  # a port that was free may be taken a moment later
        server, process, command = _launch(state, java, settings, make_archive)
        if _wait_until_ready(state, server, process):
            _write(state, server)
            if died_before:
                adopt_tables(state, server.url)
            return server
        reason = log.reason(Path(server.log))
        if not (reason.port_in_use or (reason.crash and forget_archive(command))):
            break
    raise ServerError(
        f"The server of `{state.catalog}` did not start: {reason.text}. {reason.next_step} Its log: {server.log}"
    )


def _process_of(state: State) -> int | None:
    """The process that runs a server on this state folder, whatever the record says; two would damage the metastore."""
    mark = state_mark(state)
    for process in psutil.process_iter(["cmdline"]):
        if mark in (process.info["cmdline"] or []):
            return process.pid
    return None


def _launch(
    state: State, java: Path, settings: Settings, make_archive: bool
) -> tuple[Server, subprocess.Popen[bytes], list[str]]:
    port, token = _free_port(), secrets.token_urlsafe(24)
    place = state.logs / f"server-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{port}.log"
    environment = {
        **{
            name: value for name, value in os.environ.items() if not name.startswith(_NOT_THE_SERVERS) or name == FORCED
        },
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "DATABRICKS_RUNTIME_VERSION": DATABRICKS_RUNTIME,  # as code in workers asks for it too
        "PYSPARK_PYTHON": sys.executable,  # for the workers, which run Python functions
    }
    command = with_mounts(
        DatabricksPaths(state).mounts(),
        server_command(state, java=java, port=port, settings=settings, make_archive=make_archive),
    )
    with place.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=state.folder, env=environment,
            start_new_session=True,  # it outlives the command that started it
        )  # fmt: skip
    return Server(process.pid, started_at(process.pid) or 0.0, port, token, str(place)), process, command


def _wait_until_ready(state: State, server: Server, process: subprocess.Popen[bytes]) -> bool:
    """True once the port accepts connections, False if the process ended.

    Raises:
        ServerError: the time is over; the process is then ended.
    """
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if process.poll() is not None:
            return False
        if server.answers:
            return True
        time.sleep(0.05)
    process.kill()
    process.wait(5)
    raise ServerError(
        f"The server of `{state.catalog}` did not start: it did not answer within {START_LIMIT} s, and was ended. "
        f"Close what keeps this machine busy, then try again. Its log: {server.log}"
    )


def _lock(state: State) -> AbstractContextManager[None]:
    """Allow only one start at a time per catalog."""
    place = state.folder / "server.lock"
    waited = ServerError(
        f"`{place}`: another process has been starting the server for {START_LIMIT} s. "
        f"Look at `{PROGRAM} status`, and try again."
    )
    return locked(place, START_LIMIT, waited)


def _read(state: State) -> Server | None:
    try:
        return Server(**json.loads(state.server_file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return Server(pid=0, started=0.0, port=0, token="", log=str(state.logs))  # a torn record: as good as a dead one


def _write(state: State, server: Server) -> None:
    place = state.server_file.with_suffix(".part")
    place.unlink(missing_ok=True)
    place.touch(mode=0o600)
    place.write_text(json.dumps(asdict(server)))
    place.replace(state.server_file)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    if not port:
        return False
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
