"""Gives this process and everything it starts a root of the file system that has more folders than the machine's.

Linux can give a process its own view of what is mounted where. The new root is a small file system in memory that
holds every folder of the real root under its name, and the additional folders. It is then made read-only.
No folder is created on the machine. Ordinary users may do this inside a user namespace, in which they keep their id.

Source: the manual pages user_namespaces(7), mount_namespaces(7), pivot_root(2).
"""

import ctypes
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lakelocal.paths import ROOTS, Mount

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000  # linux/sched.h
_READ_ONLY, _REMOUNT, _BIND, _ALL_BELOW, _SLAVE = 1, 32, 4096, 16384, 1 << 19  # linux/mount.h
_DETACH = 2
# The flags that a mount must keep when it is made read-only.
_KEPT = sum(getattr(os, f"ST_{name}", 0) for name in ("NOSUID", "NODEV", "NOEXEC", "NOATIME", "NODIRATIME"))
_RESTRICTION = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_PLACE = "/tmp"  # where the new root is mounted while it is built; nothing is written to the real folder


def separate() -> None:
    """Give this process, which has one thread, its own root, in which `ROOTS` are empty and can be filled.

    Raises:
        OSError: this machine does not allow it; nothing has changed then.
    """
    folder = os.getcwd()
    _leave_the_others()
    _call("mount", None, b"/", None, _ALL_BELOW | _SLAVE, None)
    _call("mount", b"tmpfs", _PLACE.encode(), b"tmpfs", 0, b"mode=755")
    os.mkdir(f"{_PLACE}/.old")
    os.chdir(_PLACE)
    _call("pivot_root", b".", b".old")
    for entry in os.scandir("/.old"):
        if f"/{entry.name}" not in ROOTS:
            _show(entry)
    _call("umount2", b"/.old", _DETACH)
    os.rmdir("/.old")
    for root in ROOTS:
        os.mkdir(root)
    os.chdir(folder)


def fill(mounts: Iterable[Mount]) -> None:
    """Mount the folders *mounts* and make the new root read-only.

    Raises:
        OSError: a folder cannot be mounted.
    """
    for mount in mounts:
        os.makedirs(mount.shown, exist_ok=True)
        _call("mount", os.fsencode(mount.local), mount.shown.encode(), None, _BIND | _ALL_BELOW, None)
        if not mount.writable:
            kept = os.statvfs(mount.shown).f_flag & _KEPT
            _call("mount", None, mount.shown.encode(), None, _REMOUNT | _BIND | _READ_ONLY | kept, None)
    _call("mount", None, b"/", None, _REMOUNT | _BIND | _READ_ONLY, None)


def is_filled(mounts: Iterable[Mount]) -> bool:
    """Whether *mounts* are in place already, as in a process started by one that has them."""
    try:
        return all(os.path.samefile(mount.shown, mount.local) for mount in mounts)
    except OSError:
        return False


def _leave_the_others() -> None:
    try:
        _call("unshare", _NEW_MOUNTS)  # root may do this, and keeps all rights
        return
    except PermissionError:
        if _is_restricted():
            raise
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER | _NEW_MOUNTS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path(f"/proc/self/{name}").write_text(text)


def _is_restricted() -> bool:
    """Whether AppArmor lets users create namespaces but do nothing in them, as on Ubuntu since 23.10."""
    return _RESTRICTION.exists() and _RESTRICTION.read_text().strip() == "1"


def _show(entry: "os.DirEntry[str]") -> None:
    """Show *entry* of the old root in the new one."""
    name = f"/{entry.name}"
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), name)
        return
    if entry.is_dir():
        os.mkdir(name)
    else:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    _call("mount", os.fsencode(entry.path), os.fsencode(name), None, _BIND | _ALL_BELOW, None)


@cache
def _system() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
    return library


def _call(name: str, *arguments: Any) -> None:
    """Call the function *name* of the C library.

    Raises:
        OSError: it failed, or there is no such function.
    """
    function: Callable[..., int] | None = getattr(_system(), name, None)
    if function is None:
        raise OSError(f"{name}: not in this system's C library")
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
