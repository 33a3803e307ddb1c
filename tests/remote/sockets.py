"""What can be between a client and a server, on loopback: a listener that never answers, a proxy that is cut off."""

import contextlib
import socket
import threading
from collections.abc import Iterator

_LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def mute_listener() -> Iterator[int]:
    """The port of a listener that accepts connections (the system does) and never sends anything."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        listener.listen(50)
        yield listener.getsockname()[1]


def closed_port() -> int:
    """A port on which nothing is listening."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return probe.getsockname()[1]


class Proxy:
    """Forwards bytes to the port *target*; `cut` ends all connections, `freeze` stops forwarding.

    Args:
        port: the port to listen on; 0: any free port.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._frozen = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((_LOOPBACK, port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End the listener and every connection, like a server that is killed."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def freeze(self) -> None:
        """Keep the connections but forward nothing, like a network that drops packets."""
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
