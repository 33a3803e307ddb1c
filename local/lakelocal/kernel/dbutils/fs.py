"""`dbutils.fs`: files of volumes (`/Volumes/...`), of DBFS (`dbfs:/...`) and of this machine (`file:/...`).

Volumes and DBFS are in the state folder; `..` and links that lead out of it are refused. A file becomes visible only
when it is complete: it is written under a name that begins with a dot, which Spark's readers skip, and then renamed.
Every file gets the time of writing as its modification time, even if it is only moved.
"""

import codecs
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.kernel.dbutils.places import PathNotFound, Place, Places
from lakelocal.project import State

_MOUNTS = (
    "mounts exist neither in a local kernel nor on serverless compute; use a volume instead: CREATE VOLUME creates "
    "one, and its files are in /Volumes/<catalog>/<schema>/<volume>"
)
_TEMPORARY = ".local-"


class FileInfo(NamedTuple):
    """One entry of `ls`; *size* in bytes (0 for a folder), *modificationTime* in ms since 1970 UTC."""

    path: str
    name: str
    size: int
    modificationTime: int

    def isDir(self) -> bool:
        return self.name.endswith("/")

    def isFile(self) -> bool:
        return not self.isDir()


class FileSystem(HasHelp):
    """Files in volumes, in DBFS and on this machine.

    Args:
        state: Returns the state that has the volumes; it is called by the first command.
    """

    _name = "dbutils.fs"
    _refused = {  # noqa: RUF012
        **dict.fromkeys(("mount", "mounts", "unmount", "updateMount", "refreshMounts"), _MOUNTS),
        **dict.fromkeys(("cacheFiles", "cacheTable", "uncacheFiles", "uncacheTable"), "there is no disk cache here"),
    }

    def __init__(self, state: Callable[[], State]) -> None:
        self._places = Places(state)

    def ls(self, dir: str) -> list[FileInfo]:
        """List the entries of a folder, sorted by name; for a file, the file itself."""
        place = self._places.existing(dir)
        if place.local.is_file():
            return [_info(place)]
        return [_info(child) for child in self._places.children(place) if not child.name.startswith(_TEMPORARY)]

    def head(self, file: str, maxBytes: int = 65536) -> str:
        """The first *maxBytes* bytes of a file, as UTF-8 text."""
        place = self._places.existing(file)
        _no_folder(place, "Name a file in it")
        with place.local.open("rb") as opened:
            found = opened.read(maxBytes)
            if opened.read(1):
                print(f"[Truncated to first {maxBytes} bytes]")
        # A character that is cut in two at the end is left out; bytes that are not UTF-8 become U+FFFD.
        return codecs.getincrementaldecoder("utf-8")("replace").decode(found)

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text to a file, as UTF-8; with *overwrite*, an existing file is replaced."""
        place = self._places.writable(file)
        written = contents.encode("utf-8")
        if place.local.is_dir():
            raise DbutilsError(f"`{place.shown}`: found a folder, expected a file's path. Add a file name.")
        temporary = _temporary(place.local)
        try:
            temporary.write_bytes(written)
            _publish(temporary, place, overwrite=overwrite)
        finally:
            temporary.unlink(missing_ok=True)
        print(f"Wrote {len(written)} bytes.")
        return True

    def cp(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Copy a file, or with *recurse* a folder; if *dest* is a folder, into it."""
        self._transfer(source, dest, recurse, _copy)
        return True

    def mv(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Move a file, or with *recurse* a folder; if *dest* is a folder, into it."""
        place = self._transfer(source, dest, recurse, _move)
        if place.local.is_dir():
            shutil.rmtree(place.local)
        return True

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Remove a file or an empty folder, or with *recurse* any folder; False if it does not exist."""
        place = self._places.removable(dir)
        if not place.local.exists():
            return False
        if not place.local.is_dir():
            place.local.unlink()
        elif recurse:
            shutil.rmtree(place.local)
        elif any(place.local.iterdir()):
            raise DbutilsError(
                f"`{place.shown}`: the folder is not empty. Pass recurse=True to remove its contents too."
            )
        else:
            place.local.rmdir()
        return True

    def mkdirs(self, dir: str) -> bool:
        """Create a folder, and the folders above it, inside an existing volume."""
        place = self._places.writable(dir)
        if place.local.is_file():
            raise DbutilsError(f"`{place.shown}`: found a file, expected a folder or nothing. Choose another name.")
        place.local.mkdir(exist_ok=True)
        return True

    def _transfer(self, source: str, dest: str, recurse: bool, act: Callable[[Path, Path], None]) -> Place:
        start = self._places.existing(source)
        if act is _move:
            self._places.refuse_roots(start)
        target = self._places.writable(dest)
        into = target.local.is_dir() or dest.endswith("/")
        end = target.local / start.local.name if into else target.local
        if start.local.is_file():
            if end.is_dir():
                raise DbutilsError(f"`{target.shown}`: found a folder where the file should be. Choose another name.")
            if not (end.exists() and end.samefile(start.local)):
                end.parent.mkdir(parents=True, exist_ok=True)
                act(start.local, end)
            return start
        if not recurse:
            raise DbutilsError(f"`{start.shown}`: found a folder, expected a file. Pass recurse=True for a folder.")
        if end.resolve().is_relative_to(start.local.resolve()):
            raise DbutilsError(f"`{target.shown}`: is inside `{start.shown}`; expected a path outside of it.")
        # The whole tree is listed before the first file is moved, so that a link out of it stops everything.
        for folder, files in list(self._places.tree(start)):
            below = end / folder.relative_to(start.local)
            below.mkdir(parents=True, exist_ok=True)
            for file in files:
                act(file, below / file.name)
        return start


def _info(place: Place) -> FileInfo:
    found = place.local.stat()
    folder = place.local.is_dir()
    end = "/" if folder else ""
    name = place.name + end
    return FileInfo(place.shown.rstrip("/") + end, name, 0 if folder else found.st_size, found.st_mtime_ns // 1_000_000)


def _temporary(target: Path) -> Path:
    return target.parent / f"{_TEMPORARY}{uuid.uuid4().hex}.tmp"


def _publish(temporary: Path, place: Place, *, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, place.local)
        return
    try:
        os.link(temporary, place.local)  # unlike a rename, it fails if the name is taken
    except FileExistsError:
        raise DbutilsError(
            f"java.nio.file.FileAlreadyExistsException: `{place.shown}`: the file exists. "
            "Pass overwrite=True to replace it."
        ) from None


def _copy(source: Path, target: Path) -> None:
    temporary = _temporary(target)
    try:
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    if source.stat().st_dev != target.parent.stat().st_dev:
        _copy(source, target)
        source.unlink()
        return
    os.utime(source)
    os.replace(source, target)


def _no_folder(place: Place, step: str) -> None:
    if place.local.is_dir():
        raise DbutilsError(f"`{place.shown}`: found a folder, expected a file. {step}; dbutils.fs.ls lists them.")


__all__ = ["FileInfo", "FileSystem", "PathNotFound"]
