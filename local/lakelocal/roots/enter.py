"""Chooses how `/Volumes`, `/dbfs` and `/Workspace` become the state's folders in this process, and does it."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from lakelocal.errors import LocalError
from lakelocal.paths import DatabricksPaths, Mount, in_root
from lakelocal.project import Project, State
from lakelocal.roots import hooks, landlock, namespace, refusals

MOUNTS, HOOKS = "mounts", "hooks"
FORCED = "LOCAL_PATHS"  # `hooks`: no mounts, even if possible. Programs that see mounts may not become root
IN_WORKSPACE = "Spark runs in a workspace, whose files are not on this machine. Use Spark or dbutils.fs for them."
_UNTRANSLATED = "Use open(), os, pathlib, shutil or dbutils.fs, which find the volume."

_separated = False
_entered: dict[State, str] = {}


def prepare() -> str:
    """Allow this process, which has one thread, to have mounts later, and return "" if it can, else why it cannot."""
    global _separated
    if _separated:
        return ""
    if os.environ.get(FORCED) == HOOKS:
        return f"{FORCED}={HOOKS}"
    if sys.platform != "linux":
        return "this system has no mounts for single processes"
    if taken := [place for place in (sys.prefix, sys.base_prefix, os.getcwd()) if in_root(place)]:
        return f"`{taken[0]}` is needed where Databricks has folders of its own"
    try:
        namespace.separate()
    except OSError as error:
        return f"this machine does not let a user have mounts ({error})"
    _separated = True
    return ""


class _OwnPlaces:
    """The places in `ROOTS` that are this machine's: the project, its state or Python may be on a disk of macOS."""

    def __init__(self, *needed: Path | str) -> None:
        self.places = [Path(place) for place in needed if in_root(str(place))]

    def __call__(self, path: str) -> bool:
        return any(Path(path).is_relative_to(place) for place in self.places)


def prepare_interactive() -> None:
    """Call `prepare` for a kernel that Jupyter or VS Code starts, if it is in a project."""
    with contextlib.suppress(LocalError):
        Project.find()
        prepare()


def which_way() -> tuple[str, str]:
    """The way that works on this machine, and why it is not `MOUNTS`; tried in a process that then ends."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, prepare().encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as answer:
        reason = answer.read().decode()
    return (HOOKS if reason else MOUNTS), reason


def described(reason: str) -> str:
    """The way as text for the user; *reason* says why it is not `MOUNTS`, "" if it is."""
    if not reason:
        return "/Volumes, /dbfs and /Workspace are folders of the state for notebooks and all that they start (mounts)"
    return (
        f"/Volumes, /dbfs and /Workspace are folders of the state for Python and Spark only, and refused elsewhere: "
        f"{reason}"
    )


def enter(state: State) -> str:
    """Make `ROOTS` the folders of *state* for this process and all it starts, and return `MOUNTS` or `HOOKS`.

    For the kernel of a notebook or a Python worker of its Spark. Takes effect once in a process.
    """
    paths = DatabricksPaths(state)
    if state in _entered:
        return _entered[state]
    _entered[state] = MOUNTS
    if mounted(paths.mounts()):
        refusals.refuse_outside_volumes(paths)
        return MOUNTS
    is_own = _OwnPlaces(state.root, state.folder, sys.prefix, sys.base_prefix)
    with contextlib.suppress(OSError):  # if the process may not, the system itself refuses what it may not write
        landlock.close_roots(is_own.places)
    refusals.refuse_untranslated(is_own, _UNTRANSLATED)
    hooks.install(paths, is_own)
    _entered[state] = HOOKS
    return HOOKS


def close(reason: str = IN_WORKSPACE) -> None:
    """Make this process find nothing in `ROOTS`; *reason* says why those files are not on this machine."""
    is_own = _OwnPlaces(Path.cwd(), sys.prefix, sys.base_prefix)
    if not (_separated and mounted([])):
        with contextlib.suppress(OSError):
            landlock.close_roots(is_own.places)
    refusals.refuse_untranslated(is_own, reason)


def mounted(mounts: Iterable[Mount]) -> bool:
    """Mount *mounts* in this process, unless they are there already, and return whether they are there now."""
    mounts = list(mounts)
    if mounts and namespace.is_filled(mounts):
        return True
    if prepare():
        return False
    try:
        for mount in mounts:
            mount.local.mkdir(parents=True, exist_ok=True)
        namespace.fill(mounts)
    except OSError:
        return False
    return True
