"""The workspace's server on a socket, for clients that are separate programs or open their own connections."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from lakelocal.project import Project
from lakelocal.workspace.app import create_app
from lakelocal.workspace.workspace import Workspace

START_SECONDS = 120


@contextmanager
def serving(project: Project) -> Iterator[Workspace]:
    """The workspace of *project*, served until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        workspace = Workspace.of(project, f"http://localhost:{listening.getsockname()[1]}")
        config = uvicorn.Config(create_app(workspace), log_config=None, access_log=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            thread.join(0.01)
        try:
            yield workspace
        finally:
            server.should_exit = True
            thread.join()
