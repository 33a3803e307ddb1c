"""An attempt that is started ahead of time and waits for its order: `python -m lakelocal.attempt.spare LIBRARY...`.

It starts the process of its kernel at once, as its child. Both import first; then it reads its order, one line of
JSON, from standard input. If standard input ends before that, it ends too.
"""

import sys

from lakelocal.attempt.kernels import SpareKernel
from lakelocal.order import Order, leave_folder, read_line
from lakelocal.processes import adopt_orphans


def main(libraries: list[str]) -> int:
    """Import, wait, and become the attempt that the order describes; return 0 if no order came."""
    leave_folder()
    adopt_orphans()
    kernel = SpareKernel(*libraries)
    from lakelocal.attempt.attempt import import_ahead, run_attempt  # after the start of the kernel

    import_ahead()

    if not (line := read_line(0)):
        return 0
    order = Order.of(line)
    order.settle()
    return run_attempt(order.output, mark=order.mark, kernels=lambda connection: kernel(connection, order.log))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
