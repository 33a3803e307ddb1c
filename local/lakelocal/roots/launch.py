"""Starts a program that sees the folders of a state: `python -m lakelocal.roots.launch MOUNTS PROGRAM ARGUMENT...`.

MOUNTS are the fields of `Mount` as JSON. The process keeps its id. Where it cannot have mounts, the real folders are
closed to it, as far as the system can do that.
"""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lakelocal.paths import Mount
from lakelocal.roots import landlock
from lakelocal.roots.enter import mounted


def with_mounts(mounts: Sequence[Mount], command: Sequence[str]) -> list[str]:
    """The command that starts *command* with *mounts*."""
    told = json.dumps([[each.shown, str(each.local), each.writable] for each in mounts])
    return [sys.executable, "-m", "lakelocal.roots.launch", told, *command]


def main(arguments: list[str]) -> None:
    """Replace this process by the program."""
    told, program, *_ = arguments
    mounts = [Mount(shown, Path(local), writable) for shown, local, writable in json.loads(told)]
    if not mounted(mounts):
        with contextlib.suppress(OSError):
            needed = [place for mount in mounts for place in (mount.local, Path(sys.prefix))]
            landlock.close_roots(needed)
    os.execv(program, arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
