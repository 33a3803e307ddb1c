"""The runner's side of the template process: asks it to fork attempts, and learns when they have ended."""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from lakelocal.attempt.libraries import SETTINGS
from lakelocal.order import Order, to_line

ANSWER_SECONDS = 60.0  # on a busy machine, the template may still be importing
END_SECONDS = 30.0
_MESSAGE = 2**16


FORKS = sys.platform == "linux"  # elsewhere libraries have threads, which do not survive a fork


@contextlib.contextmanager
def template_ahead() -> "Iterator[Template | None]":
    """A template that imports while this process does, ended after the block; None on a platform without forks."""
    if not FORKS:
        yield None
        return
    with contextlib.closing(Template()) as template:
        yield template


class Refused(Exception):
    """Raised when the template does not fork, with the reason. Nothing runs then."""


class Template:
    """The template process, which imports what every attempt needs; call `prepare` once before the first `start`.

    `start` may be called from several threads.
    """

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lakelocal.attempt.template", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={**os.environ, **SETTINGS},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal reaches the runner only
            )
        self._asked = False
        self._one = threading.Lock()
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._ended: dict[str, queue.Queue[int | None]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def prepare(self, log: Path, libraries: Sequence[str]) -> None:
        """Let it also import *libraries*, and write what it prints to *log*: nothing, unless something is wrong."""
        log.write_bytes(b"")
        with contextlib.suppress(OSError):  # it is gone, which `start` reports
            self.control.send(to_line({"log": str(log), "libraries": libraries}))

    def start(self, order: Order) -> "Forked":
        """Fork the attempt of *order*.

        Raises:
            Refused: the template may not fork, does not answer, or is gone.
        """
        self._asked = True
        their_input, our_input = os.pipe()
        our_output, their_output = os.pipe()
        ended = self._ended[order.mark] = queue.Queue()
        with self._one:
            answer = self._ask(order, [their_input, their_output])
        os.close(their_input)
        os.close(their_output)
        forked = Forked(answer.get("pid", 0), order.mark, our_input, our_output, ended)
        if "refused" in answer:
            del self._ended[order.mark]
            forked.close()
            raise Refused(answer["refused"])
        return forked

    def close(self) -> None:
        """Tell the template to end, and wait for that; attempts that are still running end with it.

        A template that was never prepared has nothing to end and may still be importing: it is not waited for.
        """
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        if not self._asked:
            self.process.kill()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.control.close()

    def _ask(self, order: Order, descriptors: list[int]) -> dict[str, Any]:
        try:
            socket.send_fds(self.control, [order.line], descriptors)
            return self._answers.get(timeout=ANSWER_SECONDS)
        except OSError:
            return {"refused": "the template process is gone"}
        except queue.Empty:
            self.process.kill()  # so that it does not fork later
            return {"refused": f"the template process did not answer within {ANSWER_SECONDS:.0f} seconds"}

    def _listen(self) -> None:
        while message := self._message():
            if "ended" in message:
                self._ended.pop(message["ended"]).put(message["status"])
            else:
                self._answers.put(message)
        self._answers.put({"refused": "the template process has ended"})
        for ended in list(self._ended.values()):
            ended.put(None)

    def _message(self) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] | None = json.loads(self.control.recv(_MESSAGE) or "null")
        except OSError:
            return None
        return message


class Forked:
    """A forked attempt; see `lakelocal.pool.pool.Process`. The two descriptors are our ends of its input and output."""

    def __init__(self, pid: int, mark: str, to_input: int, from_output: int, ended: queue.Queue[int | None]) -> None:
        self.pid = pid
        self.mark = mark
        self.events: IO[bytes] = os.fdopen(from_output, "rb")
        self._input: int | None = to_input
        self._ended = ended

    def ask_end(self) -> None:
        """Close its standard input: it then ends itself and everything that it has started."""
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def wait(self, timeout: float) -> int | None:
        """Wait for its end; return its exit status, or None if the template, which alone knows it, has ended.

        Raises:
            TimeoutExpired: it is still running after *timeout* seconds.
        """
        try:
            return self._ended.get(timeout=timeout)
        except queue.Empty:
            raise subprocess.TimeoutExpired("attempt", timeout) from None

    def close(self) -> None:
        """Close the pipes."""
        self.ask_end()
        self.events.close()
