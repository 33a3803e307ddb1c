"""The running server, for other commands that need to find it and send requests to it."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from lakelocal.errors import ServerError
from lakelocal.processes import still_runs
from lakelocal.project import Project
from lakelocal.workspace.job_store import JobStore
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.run_numbers import RunNumbers

SECONDS = 10.0


@dataclass(frozen=True)
class RunningServer:
    """The server at *url* with the process id *pid*; programs need *token*."""

    url: str
    pid: int
    token: str

    @classmethod
    def of(cls, places: WorkspacePlaces) -> "RunningServer | None":
        """The server of the workspace in *places*; None if it is not running."""
        try:
            told = json.loads(places.server.read_text())
            if not still_runs(told["pid"], told["pid_started"]):
                return None
            return cls(told["url"], told["pid"], places.token.read_text(encoding="ascii").strip())
        except (OSError, ValueError, KeyError):
            return None

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """The answer to *content*, posted to *path*.

        Raises:
            ServerError: the server does not answer.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}{path}", json.dumps(content).encode(), headers)
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
                found: dict[str, Any] = json.loads(answer.read())
        except (OSError, ValueError) as error:
            raise ServerError(f"{self.url}: the server of the workspace does not answer ({error}).") from error
        return found

    def link(self, path: str = "/") -> str:
        """A link that lets a browser in once, and shows *path*."""
        url: str = self.post("/api/local/login-links", {"path": path})["url"]
        return url


def address_of_run(project: Project, catalog: str, run_id: int) -> str:
    """A link to the page of a run of *catalog*, which lets a browser in once; empty if no server is running."""
    places = WorkspacePlaces.of(project)
    server = RunningServer.of(places)
    if server is None:
        return ""
    numbers = RunNumbers(project, JobStore(places.jobs_db))
    return server.link(f"/runs/{numbers.offset(catalog) + run_id}")
