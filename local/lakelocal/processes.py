"""Ending everything that an attempt has started: its kernel, the kernel's children, and theirs.

A process belongs to an attempt if it descends from the process of the attempt or from its kernel, if it is in a session
that one of these leads, or if its environment has the attempt's *mark* (`LOCAL_ATTEMPT`, or `LOCAL_CONTEXT` if
`dbutils.notebook.run` started the attempt).

- On Linux, descent is enough: the attempt is a *subreaper*, so a process whose parent ends becomes its child, whatever
  sessions and double forks are in between (`prctl(2)`, PR_SET_CHILD_SUBREAPER). If the attempt itself is killed, its
  orphans become children of the template that it was forked from, which ends them.
- Elsewhere, a daemon leaves the process tree, and is recognised by its environment.

The Spark Connect server, which a kernel may have started, belongs to no attempt and keeps running.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterable

import psutil

from lakelocal.context import VARIABLE

ATTEMPT = "LOCAL_ATTEMPT"  # the mark of the outermost attempt
_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends; does nothing if the system lacks that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def belonging(mark: str, roots: Iterable[int]) -> list[psutil.Process]:
    """The living processes of the attempt with this *mark*, except the caller.

    *roots* are the process ids of the attempt and of its kernel; each leads a session of its own.
    """
    if sys.platform == "linux" and os.getpid() in (roots := list(roots)):
        return _descendants()  # this process is the attempt; looking at every process would take 30 ms
    processes = {process.pid: process for process in psutil.process_iter()}
    wanted = {root for root in roots if root}
    family = _family(processes, wanted)
    sessions = wanted - {os.getpid()}
    found = []
    for pid, process in processes.items():
        if pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            belongs = pid in family or os.getsid(pid) in sessions or (mark and mark in _named(process))
            if belongs and _lives(process):
                found.append(process)
    return found


def is_server(process: psutil.Process) -> bool:
    """Is *process* a Spark Connect server? It outlives the kernel that started it."""
    try:
        return _SERVER in process.cmdline()
    except psutil.Error:
        return False  # it has ended


def _descendants() -> list[psutil.Process]:
    """The living processes that descend from this one, except servers and what they started."""
    found = psutil.Process().children(recursive=True)
    for server in filter(is_server, list(found)):
        with contextlib.suppress(psutil.Error):
            spared = {server, *server.children(recursive=True)}
            found = [each for each in found if each not in spared]
    return [each for each in found if _lives(each)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False  # it has ended


def _family(processes: dict[int, psutil.Process], roots: Collection[int]) -> set[int]:
    """*roots* and everything that descends from them, except servers and what they started."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        with contextlib.suppress(psutil.Error):
            children.setdefault(process.ppid(), []).append(pid)
    family: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in family and not (pid in processes and is_server(processes[pid])):
            family.add(pid)
            todo.extend(children.get(pid, []))
    return family


def _named(process: psutil.Process) -> tuple[str | None, str | None]:
    environment = process.environ()
    return environment.get(VARIABLE), environment.get(ATTEMPT)


def kill_all(mark: str, roots: Iterable[int], *, limit: float = 5.0) -> int:
    """Kill all processes of an attempt, including those that appear meanwhile; return how many there were.

    Gives up after *limit* seconds: a process in an uninterruptible wait cannot be killed by anyone.
    """
    roots = list(roots)
    deadline = time.monotonic() + limit
    seen: set[int] = set()
    while (found := belonging(mark, roots)) and time.monotonic() < deadline:
        seen.update(process.pid for process in found)
        kill(found)
    return len(seen)


def kill(processes: Collection[psutil.Process]) -> None:
    """Kill *processes* and wait briefly for their end."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=0.5)


def still_runs(pid: int, started: float) -> bool:
    """Is process *pid* running, and is it the one that began at *started* (epoch s)?"""
    now = started_at(pid)
    return now is not None and abs(now - started) < 1


def started_at(pid: int) -> float | None:
    """When process *pid* started (epoch s), None if it is not running: distinguishes a reused pid from the original."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
