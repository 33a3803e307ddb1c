"""A kernel that is started ahead and waits for its order: `python -m lakelocal.attempt.spare_kernel LIBRARY...`.

It imports first, and then reads its order, one line of JSON, from standard input: the connection file, the attempt
that it belongs to, its log, environment and folder. If standard input ends before that, it ends too.
"""

import json
import os
import sys

from lakelocal.attempt.libraries import KERNEL, load
from lakelocal.order import leave_folder, log_to, read_line
from lakelocal.roots.enter import prepare


def main(libraries: list[str]) -> int:
    """Import, wait, and become the kernel that the order describes; return 0 if no order came."""
    leave_folder()
    prepare()  # ahead of libraries, which may start threads
    load([*KERNEL, *libraries])
    if not (line := read_line(0)):
        return 0
    order = json.loads(line)
    log_to(order["log"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    return run_kernel(order["connection"], order["attempt"])


def run_kernel(connection: str, attempt: int) -> int:
    """Be the kernel that listens at *connection* and ends with the process *attempt*; like `ipykernel_launcher`."""
    from ipykernel.kernelapp import IPKernelApp

    prepare()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # forks would share its state; Python itself reseeds `random`
    sys.argv[:] = ["ipykernel_launcher.py", "-f", connection]
    given = ["--HistoryManager.hist_file=:memory:", f"--IPKernelApp.parent_handle={attempt}"]
    IPKernelApp.launch_instance(argv=[*sys.argv[1:], *given])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
