"""Ending what an attempt has started: its kernel, the kernel's children, and theirs.

A process belongs to an attempt when it lives in the session of the attempt or of its kernel (each starts one of its
own), or when its environment names the attempt's context file, which a child inherits also across `fork` and `setsid`
(in `LOCAL_ATTEMPT` also where `dbutils.notebook.run` gave it a context of its own). The Spark Connect server, which a
kernel may have started, has neither and stays.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable

import psutil

from local.context import VARIABLE

ATTEMPT = "LOCAL_ATTEMPT"  # the context file of the outermost attempt


def belonging(context: str, sessions: Iterable[int]) -> list[psutil.Process]:
    """The living processes of the attempt whose context file is *context*, without the caller.

    *sessions* are process ids that lead sessions of the attempt.
    """
    wanted = {session for session in sessions if session}
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if os.getsid(process.pid) in wanted or context in _named(process):
                found.append(process)
    return found


def _named(process: psutil.Process) -> tuple[str | None, str | None]:
    environment = process.environ()
    return environment.get(VARIABLE), environment.get(ATTEMPT)


def kill_all(context: str, sessions: Iterable[int], *, limit: float = 5.0) -> int:
    """Kill all processes of an attempt, those too that appear meanwhile; how many there were.

    Gives up after *limit* seconds: a process in an uninterruptible wait cannot be killed by anyone.
    """
    sessions = list(sessions)
    deadline = time.monotonic() + limit
    seen: set[int] = set()
    while (found := belonging(context, sessions)) and time.monotonic() < deadline:
        for process in found:
            seen.add(process.pid)
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(found, timeout=0.5)
    return len(seen)


def started_at(pid: int) -> float | None:
    """When process *pid* started (epoch s), None if it does not run: tells a reused pid from the first."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
