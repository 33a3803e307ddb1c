"""A Spark standalone cluster on loopback, and a Spark Connect server with Delta as its driver.

Only the driver has the settings of the local server, and Delta through `spark.jars`: workers are plain Spark, as in a
cluster that somebody else maintains.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyspark

from lakelocal.java import find_java
from lakelocal.processes import kill
from lakelocal.project import State
from lakelocal.server.command import jvm, spark_conf, submission
from lakelocal.server.jars import delta_jars
from lakelocal.server.settings import JITS, Settings
from lakelocal.versions import SCALA
from tests.remote.sockets import closed_port

WORKERS = ("worker-1", "worker-2")
MEMORY = "1g"  # per worker, all of it for its executor
START_LIMIT = 300  # seconds for each step; a slow machine takes about 20
STOP_LIMIT = 60
_SPARK = Path(pyspark.__file__).parent
_JIT = "fast-start"
_DAEMON = Settings("256m", 1, _JIT)
_DRIVER = Settings("1g", len(WORKERS), _JIT)
_PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Cluster:
    """A running cluster; its tables are those of *state*. *interface* is where the driver reports on its executors."""

    folder: Path
    state: State
    url: str
    interface: str

    def tasks(self) -> dict[str, int]:
        """The number of tasks that each worker has completed, by the worker's name."""
        executors = {each["id"]: each["completedTasks"] for each in self.executors()}
        homes = {name: [run.name for run in (self.folder / name).glob("app-*/*")] for name in WORKERS}
        return {name: sum(executors[run] for run in runs) for name, runs in homes.items()}

    def executors(self) -> list[dict[str, Any]]:
        """What the driver knows about its executors, except itself."""
        (application,) = _get(f"{self.interface}/api/v1/applications")
        found = _get(f"{self.interface}/api/v1/applications/{application['id']}/executors")
        return [each for each in found if each["id"] != "driver"]


@contextlib.contextmanager
def standalone_cluster(folder: Path, catalog: str) -> Iterator[Cluster]:
    """A master, two workers with one core each, and the server; ended at the end. Logs and tables are in *folder*."""
    state = State(folder, catalog, folder / catalog).make()
    master, web, connect, ui = (closed_port() for _ in range(4))
    token = secrets.token_urlsafe(24)
    url = f"spark://localhost:{master}"
    cluster = Cluster(folder, state, f"sc://localhost:{connect}/;token={token}", f"http://localhost:{ui}")
    with Processes(folder) as processes:
        ports = ("--port", master, "--webui-port", web)
        processes.start("master", _daemon("master.Master", "--host", "localhost", *ports))
        processes.wait_until(lambda: accepts(master) and accepts(web))
        for name in WORKERS:
            size = ("--cores", 1, "--memory", MEMORY, "--work-dir", folder / name)
            processes.start(name, _daemon("worker.Worker", "--host", "localhost", "--webui-port", 0, *size, url))
        processes.wait_until(lambda: _get(f"http://localhost:{web}/json/")["aliveworkers"] == len(WORKERS))
        processes.start("server", _server(state, url, connect, ui), SPARK_CONNECT_AUTHENTICATE_TOKEN=token)
        processes.wait_until(lambda: accepts(connect) and len(cluster.executors()) == len(WORKERS))
        yield cluster


class Processes:
    """Spark processes that log to *folder*; the end of the block ends them, with everything that they started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[Path, psutil.Popen] = {}

    def __enter__(self) -> "Processes":
        return self

    def start(self, name: str, command: list[str], **more: str) -> None:
        """Start *command*, with *more* in its environment; its output is in `<name>.log`."""
        foreign = ("SPARK_", "PYSPARK_", "LOCAL_", "JAVA_HOME")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(foreign)},
            "SPARK_HOME": str(_SPARK), "SPARK_SCALA_VERSION": SCALA, "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self._folder / "tmp"), **more,
        }  # fmt: skip
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            self._started[log] = psutil.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder, env=environment
            )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* is true.

        Raises:
            AssertionError: a process has ended before that, or the time is over.
        """
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit:
            for log, process in self._started.items():
                assert process.poll() is None, f"{log.name}: ended with {process.poll()}: {_end_of(log)}"
            with contextlib.suppress(OSError):  # nothing is listening yet
                if condition():
                    return
            time.sleep(0.2)
        raise AssertionError(f"not ready after {START_LIMIT} s: {[_end_of(log) for log in self._started]}")

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started.values()):  # the driver first: it tells its executors to end
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [process, *process.children(recursive=True)]  # executors are a worker's children
                process.terminate()
                kill(psutil.wait_procs(family, timeout=STOP_LIMIT)[1])


def _daemon(name: str, *options: object) -> list[str]:
    classes = ("-cp", f"{_SPARK / 'jars'}/*", f"org.apache.spark.deploy.{name}")
    return [*jvm(find_java(), _DAEMON), "-Dspark.master.rest.enabled=false", *classes, *map(str, options)]


def _server(state: State, master: str, port: int, ui: int) -> list[str]:
    """The local server's command, except for the place where its tasks run."""
    elsewhere = {
        "spark.master": master,
        "spark.executor.memory": MEMORY,
        "spark.executor.extraJavaOptions": " ".join(["-Duser.timezone=UTC", *JITS[_JIT]]),
        "spark.jars": ",".join(map(str, sorted(delta_jars().glob("*.jar")))),
        "spark.ui.enabled": "true",
        "spark.ui.port": str(ui),
    }
    classes = ("-cp", f"{_SPARK / 'jars'}/*")
    return [*jvm(find_java(), _DRIVER), *classes, *submission(spark_conf(state, port, _DRIVER) | elsewhere)]


def accepts(port: int) -> bool:
    """Return True; raises OSError if nothing is listening at *port*."""
    with socket.create_connection(("localhost", port), timeout=2):
        return True


def _get(url: str) -> Any:
    with _PLAIN.open(url, timeout=10) as answer:
        return json.load(answer)


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
