"""The process that attempts are forked from: `python -m lakelocal.attempt.template DESCRIPTOR`.

It imports, and does nothing else: no notebook, no session, no thread. It communicates with the runner over the Unix
socket DESCRIPTOR, with one JSON message per packet:

| message                                 | from     | meaning                                                     |
| --------------------------------------- | -------- | ----------------------------------------------------------- |
| {"log": file, "libraries": names}       | runner   | the first message: where to print, and what else to import  |
| the fields of an order, two descriptors | runner   | fork this attempt; the descriptors are its input and output |
| {"pid": P}, or {"refused": reason}      | template | the answer, in the order of the requests                    |
| {"ended": mark, "status": S}            | template | the attempt ended, and no process of it is left             |

When the socket closes, the runner has ended: the attempts then end by themselves (their standard input ends too), and
what is left of them after `END_SECONDS` is killed.
"""

import contextlib
import gc
import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import psutil

from lakelocal.attempt.attempt import import_ahead, run_attempt
from lakelocal.attempt.kernels import fork_kernel
from lakelocal.attempt.libraries import SETTINGS, load, why_no_fork
from lakelocal.order import Order, leave_folder, log_to, to_line
from lakelocal.processes import adopt_orphans, is_server, kill

END_SECONDS = 20.0
_MESSAGE = 2**16


def main(arguments: list[str]) -> int:
    """Serve until the runner ends; in a forked process, run the attempt."""
    leave_folder()
    adopt_orphans()
    gc.disable()  # it would search the imports for garbage, and find none
    import_ahead()
    control = socket.socket(fileno=int(arguments[0]))
    if not (message := control.recv(_MESSAGE)):
        return 0
    told = json.loads(message)
    log_to(told["log"])
    os.dup2(2, 1)
    load(told["libraries"])
    template = _Template(control)
    attempt = template.serve()
    status = 0
    if attempt is not None:
        status = attempt()
    else:
        template.end()
    sys.stderr.flush()
    os._exit(status)  # Python's cleanup of all imports takes 0.1 s, and nothing here needs it


@dataclass(frozen=True)
class _Running:
    pid: int
    mark: str


class _Template:
    """The state of this process: which attempts are running."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.attempts: dict[int, _Running] = {}  # by the descriptor that becomes readable when it ends
        self.refused = self._ready()

    def serve(self) -> Callable[[], int] | None:
        """Fork what the runner asks for; return the attempt to run in a fork, or None at the end."""
        while True:
            waited: list[socket.socket | int] = [self.control, *self.attempts]
            readable = select.select(waited, [], [])[0]
            self._reap(readable)
            if self.control in readable:
                message, given, *_ = socket.recv_fds(self.control, _MESSAGE, 2)
                if not message:
                    return None
                if attempt := self._start(Order.of(message), given):
                    return attempt

    def end(self) -> None:
        """Wait for the attempts to end, and kill those that do not."""
        deadline = time.monotonic() + END_SECONDS
        while self.attempts and (left := deadline - time.monotonic()) > 0:
            self._reap(select.select(list(self.attempts), [], [], left)[0])
        self.attempts.clear()
        self._end_orphans()

    def _ready(self) -> str:
        reason = why_no_fork()
        gc.freeze()  # the memory of what is imported stays shared with the forks
        try:
            os.close(os.pidfd_open(os.getpid()))
        except OSError as error:
            return f"the end of a fork cannot be detected (pidfd_open: {error.strerror})"
        return reason

    def _start(self, order: Order, given: list[int]) -> Callable[[], int] | None:
        try:
            if refused := self.refused or why_no_fork():
                self._tell(refused=refused)
            elif (pid := os.fork()) == 0:
                return lambda: self._become(order, given)
            else:
                self.attempts[os.pidfd_open(pid)] = _Running(pid, order.mark)
                self._tell(pid=pid)
        except OSError as error:
            self._tell(refused=f"the system refuses a new process ({error.strerror})")
        for descriptor in given:
            os.close(descriptor)
        return None

    def _become(self, order: Order, given: list[int]) -> int:
        """Run the attempt, in the fork."""
        os.setsid()
        gc.enable()
        self.control.close()
        for number, descriptor in enumerate(given):
            os.dup2(descriptor, number)
        for descriptor in (*given, *self.attempts):
            os.close(descriptor)
        for name in SETTINGS:
            os.environ.pop(name, None)
        order.settle()
        return run_attempt(order.output, mark=order.mark, kernels=fork_kernel)

    def _reap(self, readable: Collection[object]) -> None:
        for descriptor in [each for each in self.attempts if each in readable]:
            ended = self.attempts.pop(descriptor)
            os.close(descriptor)
            status = os.waitstatus_to_exitcode(os.waitpid(ended.pid, 0)[1])
            self._end_orphans()
            self._tell(ended=ended.mark, status=status)

    def _end_orphans(self) -> None:
        """Kill the children that are not attempts: a living attempt adopts its own orphans, so theirs was killed."""
        running = {each.pid for each in self.attempts.values()}
        while orphans := [
            each for each in psutil.Process().children() if each.pid not in running and not is_server(each)
        ]:
            kill(orphans)  # their own children are adopted here next

    def _tell(self, **message: object) -> None:
        with contextlib.suppress(OSError):  # the runner is gone, which the next look at the socket shows
            self.control.send(to_line(message))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
