"""The processes of runs, forked from one that has done the imports: so, a run begins quickly and shares memory.

That process, `run_template`, is started for the first run and ends with the server; the forked processes do not. Where
processes cannot be forked, each run is a separate program that does its own imports.
"""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lakelocal.attempt.libraries import SETTINGS
from lakelocal.pool.forks import FORKS

_MESSAGE = 2**16  # bytes, the most of one packet between the two processes
Ended = Callable[[int | None], None]
"""Called with the exit code of a run's process; None if it is unknown."""


class RunProcesses:
    """Starts the processes of runs; several threads may call `start`."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._ended: dict[int, Ended] = {}
        self._keys = itertools.count(1)
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], log: Path, ended: Ended) -> None:
        """Start `python -m lakelocal.workspace.runner` with *arguments* and its output in *log*; call *ended* at its
        end.

        Raises:
            OSError: the machine cannot run another process.
        """
        if not FORKS or not self._ask(arguments, log, ended):
            self._start_alone(arguments, log, ended)

    def _ask(self, arguments: Sequence[str], log: Path, ended: Ended) -> bool:
        """Ask the template to fork the run; False if there is none."""
        with self._lock:
            control = self._control or self._start_template(log.parent / "run-template.log")
            key = next(self._keys)
            self._ended[key] = ended
            try:
                control.send(json.dumps({"key": key, "arguments": list(arguments), "log": str(log)}).encode())
            except OSError:
                self._control = None
                return self._ended.pop(key, None) is None  # if the listener has it, the end of the run was reported
        return True

    def _start_template(self, log: Path) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "lakelocal.workspace.run_template", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **SETTINGS},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal reaches the server only
            )
        threading.Thread(target=self._listen, args=(ours, process), daemon=True).start()
        self._control = ours
        return ours

    def _listen(self, control: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        with contextlib.suppress(OSError):
            while message := control.recv(_MESSAGE):
                told = json.loads(message)
                if ended := self._ended.pop(told["ended"], None):
                    ended(told["status"])
        process.wait()
        with self._lock:
            if self._control is control:
                self._control = None
            left, self._ended = list(self._ended.values()), {}
        for ended in left:
            ended(None)

    def _start_alone(self, arguments: Sequence[str], log: Path, ended: Ended) -> None:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "lakelocal.workspace.runner", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=lambda: ended(process.wait()), daemon=True).start()
