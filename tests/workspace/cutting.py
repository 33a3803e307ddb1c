"""A network between a client and a server that breaks once, in the middle of an answer."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_BLOCK = 16 * 1024


@dataclass
class Cutting:
    """Passes connections on to *target*, a port of this machine; the first answer longer than *most* bytes is cut."""

    target: int
    most: int
    cuts: int = 0
    _listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @contextlib.contextmanager
    def open(self) -> Iterator["Cutting"]:
        """Pass on until the end of the block."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the socket is closed at the end
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._pass, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, self.most), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError), source, target:
            while block := source.recv(_BLOCK):
                if most is not None and passed + len(block) > most and not self.cuts:
                    self.cuts += 1
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(block)
                passed += len(block)
