"""A few MiB of the disk that are kept for the record of a run.

If a task fills the disk, the history, the executed notebook and the e-mail, which tell why the run failed, need some
space too. So a file beside the history keeps it, and is deleted as soon as there is no other space.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

SIZE = 8 * 2**20
_FULL = 2**20
_NAME = "runs.reserve"


def keep(folder: Path) -> None:
    """Make the reserve in *folder*, unless it is there or would take much of what is left."""
    place = folder / _NAME
    if place.exists() or shutil.disk_usage(folder).free < 2 * SIZE:
        return
    with suppress(OSError), place.open("wb") as file:  # the history works without it
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, SIZE)
        else:
            file.write(bytes(SIZE))


def is_full(folder: Path) -> bool:
    """Has the disk of *folder* less space than SQLite needs beside the history?"""
    return shutil.disk_usage(folder).free < _FULL


def use_if_full(folder: Path) -> None:
    """Delete the reserve in *folder* if its disk is full."""
    if is_full(folder):
        (folder / _NAME).unlink(missing_ok=True)
