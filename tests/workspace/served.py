"""A workspace's server in its own process, which tests may kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from databricks.sdk import WorkspaceClient

from lakelocal.project import Project
from lakelocal.workspace.places import WorkspacePlaces


@dataclass
class Served:
    """The workspace of the project in *root*, served by `process` while that runs; its log is in *logs*, if given."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    logs: Path | None = None
    process: "subprocess.Popen[str] | None" = None
    url: str = ""

    @property
    def places(self) -> WorkspacePlaces:
        return WorkspacePlaces.of(Project.at(self.root))

    @property
    def token(self) -> str:
        return self.places.token.read_text().strip()

    def start(self, port: int = 0, options: Sequence[str] = ()) -> "Served":
        """Start the server with further *options*; it accepts requests as soon as this returns."""
        log = (self.logs or self.root) / "server.log"
        serve = ["serve", "--json", "--port", str(port), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lakelocal", "--project", str(self.root), *serve],
            stdout=subprocess.PIPE,
            stderr=log.open("a"),
            text=True,
            env={**os.environ, **self.environment},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, log.read_text()
        self.url = json.loads(line)["url"]
        return self

    def kill(self) -> None:
        """End the server as a power failure would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End the server as Ctrl-C does, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def client(self) -> WorkspaceClient:
        """The official SDK."""
        return WorkspaceClient(host=self.url, token=self.token, auth_type="pat")

    def put(self, path: str, content: str) -> str:
        """Write a file of the workspace, as an import does, and return its path."""
        place = self.places.tree / path.removeprefix("/Workspace/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        return path
