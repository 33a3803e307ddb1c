"""Closes the folders of `ROOTS` to this process and to everything it starts, by means of Linux's Landlock.

Everything else stays as it is, except that nothing can be created at the root of the file system itself, and that a
program that would take another user's rights (`sudo`) does not get them.

Source: the manual page landlock(7); linux/landlock.h.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from lakelocal.paths import ROOTS

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_VERSION = 1  # a flag that asks which version of Landlock there is
_BENEATH = 1
_NO_NEW_PRIVILEGES = 38  # linux/prctl.h
_NEEDED_VERSION = 2  # the first one that lets a file move from one folder to another
_FILES = 0b111  # execute, write, read
_READ_FOLDER = 1 << 3
# What each version can close. Folders can still be listed, so that `ls /` works.
_ALL = {2: (1 << 14) - 1, 3: (1 << 15) - 1}
_TRUNCATE = 1 << 14


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def close_roots(open_places: Iterable[Path] = ()) -> bool:
    """Close `ROOTS`, except *open_places*, to this thread and those it starts; return False if there is no Landlock.

    Raises:
        OSError: there is a Landlock, but it refuses.
    """
    if sys.platform != "linux":
        return False
    system = ctypes.CDLL(None, use_errno=True)
    version = system.syscall(_CREATE, None, 0, _VERSION)
    if version < _NEEDED_VERSION:
        return False
    handled = _ALL[min(version, 3)] & ~_READ_FOLDER
    attributes = ctypes.c_uint64(handled)
    ruleset = _checked(system.syscall(_CREATE, ctypes.byref(attributes), 8, 0))
    try:
        found = [entry.path for entry in os.scandir("/") if entry.path not in ROOTS]
        for place in [*found, *map(str, open_places)]:
            _allow(system, ruleset, place, handled)
        _checked(system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(system.syscall(_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)
    return True


def _allow(system: ctypes.CDLL, ruleset: int, place: str, handled: int) -> None:
    try:
        folder = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a link to nothing
    try:
        allowed = handled if os.path.isdir(place) else handled & (_FILES | _TRUNCATE)
        rule = _Rule(allowed, folder)
        _checked(system.syscall(_ADD, ruleset, _BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(folder)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result
