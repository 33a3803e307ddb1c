"""SIGINT and SIGTERM as a request to end, instead of an exception in the middle of something."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_interrupt(end: Callable[[], object]) -> Iterator[None]:
    """Call *end* at each SIGINT and SIGTERM inside this block; does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(*_: object) -> None:
        # In a thread: a signal handler interrupts code that may hold the locks that *end* needs.
        threading.Thread(target=end, daemon=True).start()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
