"""The running server, for other commands that need to find it and send requests to it."""

import hmac
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lakelocal.errors import ServerError
from lakelocal.processes import still_runs
from lakelocal.project import Project
from lakelocal.workspace.job_store import JobStore
from lakelocal.workspace.places import WorkspacePlaces
from lakelocal.workspace.run_numbers import RunNumbers

SECONDS = 10.0


@dataclass(frozen=True)
class RunningServer:
    """The server at *url* with the process id *pid*; programs need *token*. With TLS, *certificate* is its file."""

    url: str
    pid: int
    token: str
    certificate: Path | None = None

    @classmethod
    def of(cls, places: WorkspacePlaces) -> "RunningServer | None":
        """The server of the workspace in *places*; None if it is not running."""
        try:
            told = json.loads(places.server.read_text())
            if not still_runs(told["pid"], told["pid_started"]):
                return None
            token, certificate = places.token.read_text(encoding="ascii").strip(), told.get("certificate")
            return cls(told["url"], told["pid"], token, Path(certificate) if certificate else None)
        except (OSError, ValueError, KeyError):
            return None

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """The answer to *content*, posted to *path*.

        Raises:
            ServerError: the server does not answer.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection = self._connection()
            try:
                connection.request("POST", path, json.dumps(content).encode(), headers)
                answer = connection.getresponse()
                text = answer.read()
            finally:
                connection.close()
            if answer.status != http.client.OK:
                raise ValueError(f"status {answer.status}")
            found: dict[str, Any] = json.loads(text)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerError(f"{self.url}: the server of the workspace does not answer ({error}).") from error
        return found

    def link(self, path: str = "/") -> str:
        """A link that lets a browser in once, and shows *path*."""
        url: str = self.post("/api/local/login-links", {"path": path})["url"]
        return url

    def _connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        if self.certificate is None:
            return http.client.HTTPConnection(address.netloc, timeout=SECONDS)
        return _Pinned(address.netloc, self.certificate)


class _Pinned(http.client.HTTPSConnection):
    """A connection to whoever has *certificate* itself, which may be self-signed and made out to any name."""

    def __init__(self, address: str, certificate: Path) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # `connect` compares the certificate
        super().__init__(address, timeout=SECONDS, context=context)
        self._certificate = certificate

    def connect(self) -> None:
        super().connect()
        text = self._certificate.read_text(encoding="ascii")
        begin, end = (text.index(f"-----{word} CERTIFICATE-----") for word in ("BEGIN", "END"))
        own = ssl.PEM_cert_to_DER_cert(f"{text[begin:end]}-----END CERTIFICATE-----")
        if not hmac.compare_digest(self.sock.getpeercert(binary_form=True) or b"", own):
            raise ssl.SSLError("it has another certificate than the one that this server was started with")


def address_of_run(project: Project, catalog: str, run_id: int) -> str:
    """A link to the page of a run of *catalog*, which lets a browser in once; empty if no server is running."""
    places = WorkspacePlaces.of(project)
    server = RunningServer.of(places)
    if server is None:
        return ""
    numbers = RunNumbers(project, JobStore(places.jobs_db))
    return server.link(f"/runs/{numbers.offset(catalog) + run_id}")
