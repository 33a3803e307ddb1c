"""Spark's parent of Python workers, which ends after a while without workers: `python -m ... pyspark.worker`.

Spark starts one for each session whose functions it runs, forks workers from it, ends idle workers after a minute, and
keeps the parent as long as the server lives: 40 MB for each run. If it is missing, Spark starts it again.

Spark is given this module in its setting `spark.python.daemon.module`, and calls it like `pyspark.daemon`.
"""

import os
import select
from typing import Any

from pyspark import daemon

IDLE_SECONDS = 30  # without a worker; the parent checks once a second


class WatchedSelect:
    """The module `select`, for a parent that waits with it; it ends the process after *limit* idle waits."""

    error = select.error

    def __init__(self, limit: int = IDLE_SECONDS) -> None:
        self._limit = limit
        self._idle = 0

    def select(self, *waited: Any) -> Any:
        """Like `select.select`.

        Raises:
            SystemExit: nobody has used this process for long enough, and it has no worker.
        """
        ready = select.select(*waited)
        self._idle = 0 if any(ready) or has_children() else self._idle + 1
        if self._idle >= self._limit:
            raise SystemExit(0)
        return ready


def has_children() -> bool:
    """Does this process have a living child? Ended ones leave nothing behind: Spark's parent ignores them."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    vars(daemon)["select"] = WatchedSelect()
    daemon.manager()
