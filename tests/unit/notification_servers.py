"""Servers on loopback that accept notifications: an SMTP server and a webhook; and a certificate for TLS."""

import json
import socketserver
import ssl
import subprocess
import threading
from base64 import b64decode
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Accepts mail: *mails* are (sender, recipients, content), *logins* (user, password), *commands* all first words.

    It refuses the addresses in *refused*, offers STARTTLS if it has a *tls* context, and does not answer at all before
    *answers* is set.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, refused: Collection[str] = (), tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.refused = refused
        self.tls = tls
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.logins: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    @property
    def port(self) -> int:
        return self.server_address[1]


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.answers.wait(60)
        sender, recipients = "", []
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            self.server.commands.append(word.upper())
            match word.upper():
                case "EHLO":
                    offers = ["test", "AUTH PLAIN", *(["STARTTLS"] if self.server.tls else [])]
                    self.say("\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"]))
                case "STARTTLS":
                    self.say("220 go on")
                    self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
                    self.setup_streams()
                case "AUTH":
                    _, user, password = b64decode(rest.split()[1]).decode().split("\0")
                    self.server.logins.append((user, password))
                    self.say("235 welcome")
                case "MAIL":
                    sender = rest.partition("<")[2].partition(">")[0]
                    self.say("250 ok")
                case "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    known = address not in self.server.refused
                    recipients += [address] if known else []
                    self.say("250 ok" if known else "550 unknown")
                case "DATA":
                    self.say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    self.server.mails.append((sender, recipients, b"".join(lines)))
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()

    def setup_streams(self) -> None:
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")


class Webhook(ThreadingHTTPServer):
    """Answers each POST with *status*; *calls* are (path, content type, payload)."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _WebhookHandler)
        self.status = status
        self.calls: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _WebhookHandler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[Any]:
    """Let *server* answer in a thread during this block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A fresh self-signed certificate for `localhost`, and its key, made by the program `openssl`."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(key), "-out", str(file)]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    return file, key
