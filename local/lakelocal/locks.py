"""One process at a time, by a lock on a file; the lock ends with the process that holds it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakelocal.errors import LocalError

_POLL_SECONDS = 0.1


@contextmanager
def locked(place: Path, limit: float, refusal: LocalError) -> Iterator[None]:
    """Hold the lock on the file *place*, which is created; wait up to *limit* seconds for it, then raise *refusal*."""
    deadline = time.monotonic() + limit
    with place.open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise refusal from None
                time.sleep(_POLL_SECONDS)
        yield
