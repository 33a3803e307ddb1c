"""The life of a real server: found again, restarted, and one clear line for each way in which it is unavailable."""

import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from functools import partial

import psutil
import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from lakelocal.compute import open_session
from lakelocal.errors import ServerError
from lakelocal.project import State
from lakelocal.server import archive, command, ensure_server, find_server, process, server_status, stop_server
from tests.states import state_in


@pytest.fixture
def fresh(tmp_path) -> Iterator[State]:
    """A separate state folder, whose server is stopped at the end."""
    with state_in(tmp_path) as state:
        yield state


def connect(url: str) -> SparkSession:
    """A session that does not become the active one of this process: other tests continue after its server's end."""
    return SparkSession(url)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=60)


def test_a_second_call_finds_the_running_server(state):
    """One server per catalog."""
    assert ensure_server(state) == ensure_server(state)


def test_the_server_listens_on_loopback_only(state):
    """Nobody on the network can reach it."""
    server = ensure_server(state)

    listening = {
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"} and listening


def test_other_users_cannot_read_the_token(state):
    """The token is in a file of mode 0600, inside a folder of mode 0700, and on no command line."""
    server = ensure_server(state)

    assert stat.S_IMODE(state.server_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.folder.stat().st_mode) & 0o077 == 0
    assert server.token not in " ".join(psutil.Process(server.pid).cmdline())


def test_a_client_without_the_token_is_refused(state):
    """Loopback is shared with the machine's other users."""
    server = ensure_server(state)

    with pytest.raises(Exception, match="token"):
        connect(f"sc://localhost:{server.port}").sql("SELECT 1").collect()


def test_tables_and_views_survive_a_restart_and_a_kill(fresh):
    """After `down`, and after a kill, the next server has the same tables and views."""
    spark = connect(ensure_server(fresh).url)
    spark.sql("CREATE SCHEMA silver").collect()
    spark.sql("CREATE TABLE silver.orders AS SELECT 1 AS order_id").collect()
    spark.sql("CREATE VIEW silver.latest AS SELECT max(order_id) AS latest FROM silver.orders").collect()
    spark.stop()
    stop_server(fresh)

    server = ensure_server(fresh)
    assert connect(server.url).sql("SELECT latest FROM silver.latest").collect()[0].latest == 1

    kill(server.pid)
    assert server_status(fresh)["state"] == "died"
    # What a kill in the middle of CREATE TABLE leaves: a table that the metastore lacks, and a folder without a log.
    (fresh.warehouse / "silver.db" / "orders").rename(fresh.warehouse / "silver.db" / "forgotten")
    half = fresh.warehouse / "silver.db" / "half"
    half.mkdir()
    (half / "part-0.parquet").write_bytes(b"data of a CREATE that never came to its commit")

    spark = connect(ensure_server(fresh).url)
    assert spark.sql("SELECT order_id FROM silver.forgotten").collect()[0].order_id == 1
    spark.sql("CREATE TABLE silver.half AS SELECT 2 AS order_id").collect()
    spark.sql("DROP TABLE silver.forgotten").collect()
    assert not (fresh.warehouse / "silver.db" / "forgotten").exists()
    assert len(list((fresh.folder / "orphans").iterdir())) == 1
    spark.stop()


@pytest.mark.slow("an archive of 250 MB is written")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files a process has mapped")
def test_a_server_leaves_its_classes_to_the_next_one(fresh, tmp_path, monkeypatch):
    """The next one maps the archive of the first; if a disk has damaged it, the server starts without."""
    folder = tmp_path / "archives"
    monkeypatch.setattr(command, "archive_options", partial(archive.archive_options, folder=folder))
    ensure_server(fresh, make_archive=True)
    stop_server(fresh)

    assert _mapped(ensure_server(fresh).pid) & set(map(str, folder.glob("*.jsa")))
    stop_server(fresh)

    (made,) = folder.glob("*.jsa")
    made.chmod(0o600)
    made.write_bytes(made.read_bytes()[: made.stat().st_size // 2])
    assert str(made) not in _mapped(ensure_server(fresh).pid)


@pytest.mark.parametrize("record", ['{"pid": 1, "started": 1.0, "port": 1, "token": "t", "log": "l"}', "torn {"])
def test_a_stale_record_is_not_taken_for_a_server(fresh, record):
    """A reused process id or a half-written file is detected at once, and the status says so."""
    fresh.server_file.write_text(record)
    start = time.monotonic()

    assert find_server(fresh) is None
    assert server_status(fresh)["state"] == "died"
    assert stop_server(fresh) is False
    assert time.monotonic() - start < 10


def test_a_port_that_was_taken_meanwhile_is_given_up_for_another(fresh, monkeypatch):
    """The first port is taken, the second is free: the server runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], process._free_port()])
        monkeypatch.setattr(process, "_free_port", lambda: next(ports))
        monkeypatch.setattr(process, "_accepts", _accepts_but(taken.getsockname()[1]))

        assert ensure_server(fresh).is_alive


def test_too_little_disk_is_told_at_once(fresh, monkeypatch):
    """A server that fills the disk would corrupt its tables."""
    monkeypatch.setattr(process, "LEAST_DISK", 2**60)
    start = time.monotonic()

    with pytest.raises(ServerError, match=r"MB of free disk; expected .* Free some, or move the state"):
        ensure_server(fresh)

    assert time.monotonic() - start < 10


def test_a_jvm_that_does_not_start_is_told_in_one_line(fresh, monkeypatch):
    """The reason and the next step, not only Java's message."""
    monkeypatch.setenv("LOCAL_MEMORY", "900000g")
    start = time.monotonic()

    with pytest.raises(ServerError, match=r"did not start: .*(memory|options).*LOCAL_MEMORY") as caught:
        ensure_server(fresh)

    assert time.monotonic() - start < 10
    assert "\n" not in str(caught.value) and "\tat " not in str(caught.value)


def test_a_server_that_does_not_answer_in_time_is_ended_and_told_so(fresh, monkeypatch):
    """A busy machine is not taken for a server that ended; what is awaited is told."""
    monkeypatch.setattr(process, "START_LIMIT", 0.2)
    awaited = []

    with pytest.raises(
        ServerError, match=r"did not start: it did not answer within 0\.2 s, and was ended\. Close what"
    ):
        ensure_server(fresh, tell=awaited.append)

    assert awaited == ["starting the Spark server"]
    assert process._process_of(fresh) is None


def test_a_server_whose_memory_is_used_up_is_told_so(fresh, monkeypatch):
    """Spark ends it: the statement fails of that, or of a server that is about to end or has ended."""
    monkeypatch.setenv("LOCAL_MEMORY", "600m")
    too_long = "SELECT length(repeat(CAST(id AS STRING), 900000000)) FROM range(3)"

    with pytest.raises((ServerError, PySparkException), match=r"java\.lang\.OutOfMemoryError"):
        open_session(fresh).sql(too_long).collect()


def test_a_second_server_on_one_metastore_is_refused(state):
    """The record of a running server was deleted by hand: the message names the process that holds the metastore."""
    server = ensure_server(state)
    record = state.server_file.rename(state.server_file.with_suffix(".aside"))
    start = time.monotonic()

    try:
        with pytest.raises(ServerError, match=rf"process {server.pid} still runs it.*End process {server.pid}"):
            ensure_server(state)
    finally:
        record.rename(state.server_file)  # other tests use the server

    assert time.monotonic() - start < 10


def _mapped(pid: int) -> set[str]:
    return {mapped.path for mapped in psutil.Process(pid).memory_maps()}


def _accepts_but(taken: int):
    """The port on which the test itself listens must not be taken for the server."""
    accepts = process._accepts
    return lambda port: port != taken and accepts(port)


def test_the_command_that_starts_a_server_waits_for_another_that_does(fresh):
    """Two processes at once: one server."""
    import subprocess
    import sys

    code = (
        "from pathlib import Path; from lakelocal.project import State; from lakelocal.server import ensure_server;"
        f"print(ensure_server(State(Path({str(fresh.root)!r}), 'olist_dev', Path({str(fresh.folder)!r}))).pid)"
    )
    commands = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]

    pids = {command.communicate(timeout=300)[0].strip() for command in commands}

    assert pids == {str(find_server(fresh).pid)}
