"""An attempt that is started ahead and waits for its order: `python -m lakelocal.attempt.spare LIBRARY...`.

It starts its kernel's process at once, as its child. Both import first; then it reads its order, one line of JSON, from
standard input. The end of standard input before that is its end.
"""

import sys

from lakelocal.attempt.kernels import SpareKernel
from lakelocal.order import Order, leave_folder, read_line
from lakelocal.processes import adopt_orphans


def main(libraries: list[str]) -> int:
    """Import, wait, and become the attempt that the order says; 0 where none came."""
    leave_folder()
    adopt_orphans()
    kernel = SpareKernel(*libraries)
    from lakelocal.attempt.attempt import import_ahead, run_attempt  # behind the start of the kernel

    import_ahead()

    if not (line := read_line(0)):
        return 0
    order = Order.of(line)
    order.settle()
    return run_attempt(order.output, mark=order.mark, kernels=lambda connection: kernel(connection, order.log))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
