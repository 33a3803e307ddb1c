"""A workspace's interfaces on loopback: TLS, the REST calls that the SDK makes, and gRPC, forwarded to a local server.

The client libraries are the real ones: they resolve credentials, check versions, send their headers and tokens. The
answers are ours. So this tests the connection on our side, and nothing of Databricks.
"""

import base64
import contextlib
import json
import re
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from lakelocal.versions import DATABRICKS_RUNTIME, SCALA

CLUSTER = "0101-120000-abcdefgh"
_CERTIFICATE = """
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
now = datetime.datetime.now(datetime.timezone.utc)
made = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
)
form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
with open(sys.argv[1], "wb") as out:
    out.write(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
"""


@dataclass
class Workspace:
    """The contents of the workspace: the version of its cluster's runtime, files, secrets; and who asked for what."""

    token: str
    certificate: Path
    spark_port: int
    runtime: str = f"{DATABRICKS_RUNTIME}.x-scala{SCALA}"
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a user of the workspace; both client libraries trust its certificate."""
        return {
            "DATABRICKS_HOST": f"https://localhost:{self.port}",
            "DATABRICKS_TOKEN": self.token,
            "DATABRICKS_CLUSTER_ID": CLUSTER,
            "REQUESTS_CA_BUNDLE": str(self.certificate),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self.certificate),
        }


@contextlib.contextmanager
def serving(workspace: Workspace, python: str) -> Iterator[Workspace]:
    """Let *workspace* answer requests; *python* has the package that makes its certificate."""
    subprocess.run([python, "-c", _CERTIFICATE, str(workspace.certificate)], check=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(workspace.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        workspace.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(workspace, listener, context), daemon=True).start()
        yield workspace


def _accept(workspace: Workspace, listener: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):  # the listener was closed
        while True:
            raw, address = listener.accept()
            threading.Thread(target=_serve, args=(workspace, raw, address, context), daemon=True).start()


def _serve(workspace: Workspace, raw: socket.socket, address: tuple, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as secure:
        if secure.selected_alpn_protocol() == "h2":
            workspace.asked.append("gRPC")
            _pass_on(secure, workspace.spark_port)
        else:
            type("Handler", (_Rest,), {"workspace": workspace})(secure, address, None)


def _pass_on(secure: ssl.SSLSocket, port: int) -> None:
    """Forward both directions in turn: a TLS socket must not be read and written at the same time."""
    secure.setblocking(False)
    with socket.create_connection(("127.0.0.1", port)) as plain:
        lock = threading.Lock()
        threading.Thread(target=_back, args=(plain, secure, lock), daemon=True).start()
        while True:
            with lock:
                data = _read(secure)
            if data == b"":
                return
            if data is None:
                select.select([secure], [], [], 1)
            else:
                plain.sendall(data)


def _read(secure: ssl.SSLSocket) -> bytes | None:
    """What has arrived, None if nothing has, b"" at the end."""
    try:
        return secure.recv(65536)
    except ssl.SSLWantReadError:
        return None


def _back(plain: socket.socket, secure: ssl.SSLSocket, lock: threading.Lock) -> None:
    with contextlib.suppress(OSError):
        while data := plain.recv(65536):
            view = memoryview(data)
            while view:
                try:
                    with lock:
                        view = view[secure.send(view) :]
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    select.select([], [secure], [], 1)


class _Rest(BaseHTTPRequestHandler):
    """The SDK's calls for the questions that a run asks."""

    workspace: Workspace
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.workspace.asked.append(f"{self.command} {url.path}")
        if url.path == "/.well-known/databricks-config":
            self._answer(404, {"error_code": "NOT_FOUND", "message": "no such page"})
        elif self.headers["Authorization"] != f"Bearer {self.workspace.token}":
            self._answer(401, {"error_code": "UNAUTHENTICATED", "message": "Credential was not sent or was invalid"})
        elif url.path == "/api/2.0/preview/scim/v2/Me":
            self._answer(200, {"userName": "someone@example.com"})
        elif re.fullmatch(r"/api/2\.\d/clusters/get", url.path) and query["cluster_id"] == CLUSTER:
            self._answer(200, {"cluster_id": CLUSTER, "spark_version": self.workspace.runtime, "state": "RUNNING"})
        elif url.path == "/api/2.0/secrets/get":
            value = self.workspace.secrets[query["scope"], query["key"]].encode()
            self._answer(200, {"key": query["key"], "value": base64.b64encode(value).decode()})
        elif url.path.startswith("/api/2.0/fs/files/"):
            self._answer(200, self.workspace.files[url.path.removeprefix("/api/2.0/fs/files")])
        else:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"{self.command} {self.path}"})

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.workspace.asked.append(f"PUT {url.path}")
        self.workspace.files[url.path.removeprefix("/api/2.0/fs/files")] = content
        self._answer(204, b"")

    def _answer(self, status: int, content: dict | bytes) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"application/{'octet-stream' if isinstance(content, bytes) else 'json'}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing on the screen."""
