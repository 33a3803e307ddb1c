"""What can stand between a client and a server, on loopback addresses: a listener that is mute, a proxy that is cut."""

import contextlib
import socket
import threading
from collections.abc import Iterator

_LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def mute_listener() -> Iterator[int]:
    """The port of a listener that accepts connections (the system does) and never says a word."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        listener.listen(50)
        yield listener.getsockname()[1]


def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return probe.getsockname()[1]


class Proxy:
    """Passes bytes on to the port *target*; `cut` ends all connections, `freeze` passes nothing on any more.

    Args:
        port: where it listens; 0: wherever it is free.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._frozen = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((_LOOPBACK, port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End the listener and every connection, as a server does that is killed."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def freeze(self) -> None:
        """Keep the connections and pass nothing on: what a network does that drops packets."""
        self._frozen.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((_LOOPBACK, self._target))
                self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._frozen.is_set():
                    sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
