"""A process that is started ahead and waits for one order: `python -m local.pool.spare KIND LIBRARY...`.

KIND is `attempt` or `kernel`; an attempt starts its kernel's process at once, as its child. Both import first and
then read their order, one line of JSON, from standard input. The end of standard input before that is their end.
"""

import json
import os
import sys

from local.pool.kernels import SpareKernel, run_kernel
from local.pool.libraries import ATTEMPT, KERNEL, load
from local.pool.order import Order, leave_folder, log_to, read_line
from local.processes import adopt_orphans


def main(kind: str, libraries: list[str]) -> int:
    """Import, wait, and become what the order says; 0 where none came."""
    leave_folder()
    return _kernel(libraries) if kind == "kernel" else _attempt(libraries)


def _attempt(libraries: list[str]) -> int:
    adopt_orphans()
    kernel = SpareKernel(*libraries)
    load(ATTEMPT)
    from local.jobs.attempt import run_attempt

    if not (line := read_line(0)):
        return 0
    order = Order.of(line)
    order.settle()
    return run_attempt(order.output, mark=order.mark, kernels=lambda connection: kernel(connection, order.log))


def _kernel(libraries: list[str]) -> int:
    load([*KERNEL, *libraries])
    if not (line := read_line(0)):
        return 0
    order = json.loads(line)
    log_to(order["log"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    return run_kernel(order["connection"], order["attempt"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
