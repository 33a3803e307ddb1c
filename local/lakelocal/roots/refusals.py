"""Refuses what must not happen under `ROOTS`, by an audit hook of the interpreter that runs before the system call.

- With mounts and with hooks: a catalog, a schema or a volume is not created, renamed or removed as a folder.
- With hooks only: a path that arrives here was not translated, and a program whose arguments name the folders would
  look for them at the machine's own root.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lakelocal.errors import PathError
from lakelocal.paths import ROOTS, VOLUMES, DatabricksPaths, in_root

# Which arguments of an event are paths that it creates or removes.
_CHANGED: Mapping[str, tuple[int, ...]] = {
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
}
_OTHER = {
    "os.chdir",
    "os.chflags",
    "os.chmod",
    "os.chown",
    "os.getxattr",
    "os.listdir",
    "os.listxattr",
    "os.remove",
} | {"os.removexattr", "os.scandir", "os.setxattr", "os.truncate", "os.utime", "sqlite3.connect", "open"}
# Which arguments of an event are paths, for all events that read or change anything of a file.
_PATHS: Mapping[str, tuple[int, ...]] = {
    **_CHANGED,
    **dict.fromkeys(_OTHER, (0,)),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
}
_PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})
_DEPTH_OF_VOLUME = 4  # the number of names in /Volumes/catalog/schema/volume
_NAMED = re.compile(rf"(?<![\w.-])(?:{'|'.join(ROOTS)})(?![\w.-])")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class NoVolume(PathError, FileNotFoundError):
    """Raised for a path in `/Volumes` that is in no volume; also a `FileNotFoundError`, which callers may expect."""


class NotReached(PathError, PermissionError):
    """Raised for a path of Databricks that is not available to the caller on this machine."""


def refuse_outside_volumes(paths: DatabricksPaths) -> None:
    """From now on, refuse to create or remove anything above the folders of a volume."""

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGED or event == "open":
            check_in_volume(paths, event, arguments)

    sys.addaudithook(look)


def check_in_volume(paths: DatabricksPaths, event: str, arguments: tuple[Any, ...]) -> None:
    """Check what an audit event says is about to happen.

    Raises:
        NoVolume: it creates or removes a catalog, a schema or a volume as a folder, or writes a file beside them.
    """
    places = _CHANGED.get(event, ())
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        places = (0,)
    for text in _texts(arguments, places):
        names = text.split("/")
        if names[1:2] != [VOLUMES[1:]] or len(names) > _DEPTH_OF_VOLUME + 1:
            continue
        if event in ("os.mkdir", "open") and os.path.isdir(text):
            continue  # the system says that it exists, which `makedirs` expects; `tempfile` opens folders so
        raise NoVolume(
            f"`{text}`: not inside a volume; expected {VOLUMES}/{paths.state.catalog}/<schema>/<volume>/... of a "
            "volume that exists. Volumes are made and removed by CREATE VOLUME and DROP VOLUME."
        )


def refuse_untranslated(is_own: Callable[[str], bool], step: str) -> None:
    """From now on, refuse every path in `ROOTS` that reaches the system, and programs whose arguments name one.

    Args:
        is_own: whether a path belongs to the state, the project or Python, which may be on a disk in /Volumes.
        step: what to do instead, as a sentence.
    """

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PATHS:
            for text in _texts(arguments, _PATHS[event]):
                if in_root(text) and not is_own(text):
                    raise NotReached(
                        f"`{text}` ({event}): found a path of Databricks that is not on this machine. {step}"
                    )
        elif event in _PROGRAMS:
            for text in _words(arguments):
                if (found := _NAMED.search(text)) and not is_own(text[found.start() :]):
                    raise NotReached(
                        f"`{text.strip()[:200]}`: found {found[0]} in the arguments of a program, which cannot "
                        "find it: this machine does not let a user have mounts. Copy the files with Python or "
                        "dbutils.fs to a folder beside the notebook, and let the program work there."
                    )

    sys.addaudithook(look)


def _texts(arguments: tuple[Any, ...], places: tuple[int, ...]) -> Iterator[str]:
    for place in places:
        value = arguments[place] if place < len(arguments) else None
        if isinstance(value, (str, bytes, os.PathLike)):
            text = os.fsdecode(value)
            if not text.startswith("/") or any(root in text for root in ROOTS):
                yield os.path.abspath(text)


def _words(value: Any) -> Iterator[str]:
    """All texts in *value*, the arguments of an event that starts a program, except its environment."""
    if isinstance(value, (str, bytes, os.PathLike)):
        yield os.fsdecode(value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _words(each)
