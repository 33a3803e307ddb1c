"""The kernel of an attempt in a process of its own: forked from the attempt, or started ahead of its order."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

from lakelocal.attempt.libraries import QUIET, why_no_fork
from lakelocal.attempt.spare_kernel import run_kernel
from lakelocal.order import to_line


class KernelProcess(Protocol):
    """A child process, with the interface of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None:
        """Its exit status; None while it is running."""

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is still running."""


# Called with the connection file; starts the kernel that listens there.
Kernels = Callable[[str], KernelProcess]


def fork_kernel(connection: str) -> KernelProcess:
    """Fork the kernel from this process, which has imported what a kernel needs and has no thread yet.

    Does not return in the child. If this process has threads after all, it starts its kernel from scratch.
    """
    if why_no_fork():
        return SpareKernel()(connection)
    attempt = os.getpid()
    pid = os.fork()
    if pid:
        return _Child(pid)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    raise SystemExit(run_kernel(connection, attempt))


class SpareKernel:
    """A kernel process that is started now, to be used once; it also imports *libraries*."""

    def __init__(self, *libraries: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lakelocal.attempt.spare_kernel", *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, QUIET: "1"},
            start_new_session=True,
        )

    def __call__(self, connection: str, log: str = "") -> KernelProcess:
        """Make the process the kernel that listens at *connection*, with the environment and folder of this process."""
        told = {"connection": connection, "log": log, "environment": dict(os.environ), "folder": os.getcwd()}
        assert self.process.stdin is not None  # it is a pipe
        with self.process.stdin as order:
            order.write(to_line({**told, "attempt": os.getpid()}))
        return self.process


class _Child:
    """A forked child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def poll(self) -> int | None:
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        return self._wait(0) or 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _wait(self, options: int) -> int | None:
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # waited for elsewhere, by whatever killed it
                self.status = -9
            else:
                self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status
