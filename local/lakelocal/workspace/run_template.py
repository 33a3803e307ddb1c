"""The process from which runs are forked: `python -m lakelocal.workspace.run_template DESCRIPTOR`.

It imports what the runner needs, and does nothing else. Over the Unix socket DESCRIPTOR it receives
`{"key": N, "arguments": [...], "log": file}`, and sends `{"ended": N, "status": S}` when that run has ended or could
not begin. When the socket closes, the server has ended: this process ends too, and the runs continue.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys

from lakelocal.attempt.libraries import SETTINGS, why_no_fork
from lakelocal.bundle.field_types import MODELS
from lakelocal.order import leave_folder
from lakelocal.workspace import runner

_MESSAGE = 2**16


def main(arguments: list[str]) -> int:
    """Fork runs until the server ends; in a forked process, do the run."""
    leave_folder()
    gc.disable()  # it would search the imports for garbage, and find none
    importlib.import_module(MODELS["jobs"][0])
    gc.freeze()  # the memory of what is imported stays shared with the forks
    control = socket.socket(fileno=int(arguments[0]))
    runs: dict[int, tuple[int, int]] = {}  # key and process, by the descriptor that becomes readable when it ends
    while True:
        waited: list[socket.socket | int] = [control, *runs]
        readable = select.select(waited, [], [])[0]
        for descriptor in [each for each in runs if each in readable]:
            key, pid = runs.pop(descriptor)
            os.close(descriptor)
            _tell(control, key, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        if control not in readable:
            continue
        if not (message := control.recv(_MESSAGE)):
            return 0
        told = json.loads(message)
        if refused := why_no_fork():
            print(f"no run can be forked: {refused}", file=sys.stderr, flush=True)
            return 1
        try:
            pid = os.fork()
        except OSError as error:
            print(f"no run can be forked: {error}", file=sys.stderr, flush=True)
            _tell(control, told["key"], 1)
            continue
        if pid == 0:
            os._exit(_become(told, [control.fileno(), *runs]))
        runs[os.pidfd_open(pid)] = (told["key"], pid)


def _become(told: dict[str, object], descriptors: list[int]) -> int:
    """Do the run, in the forked process."""
    os.setsid()
    for descriptor in descriptors:
        os.close(descriptor)
    output = os.open(str(told["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    for name in SETTINGS:
        os.environ.pop(name, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.enable()
    status = 1
    with contextlib.suppress(SystemExit):
        try:
            status = runner.main(list(told["arguments"]))  # type: ignore[call-overload]
        except BaseException:
            import traceback  # only for a bug of the runner

            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _tell(control: socket.socket, key: int, status: int) -> None:
    with contextlib.suppress(OSError):  # the server is gone, which the next look at the socket shows
        control.send(json.dumps({"ended": key, "status": status}).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
