"""Files of DBFS: their local paths, and the files that clients are writing part by part."""

import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lakelocal.project import State
from lakelocal.workspace.errors import ApiError, not_there
from lakelocal.workspace.tree.durable import make_folders, settle, sync_file
from lakelocal.workspace.volume_files import parts_of

_MOST_OPEN = 100
_OPEN_SECONDS = 3600


@dataclass(frozen=True)
class DbfsPlace:
    """A path of DBFS: as clients write it, without `dbfs:`, and as a local path."""

    shown: str
    state: State
    local: Path


@dataclass
class _Open:
    """A file that is being written to *part* and will become *target*."""

    target: DbfsPlace
    overwrite: bool
    part: Path
    file: BinaryIO
    used: float


@dataclass
class OpenFiles:
    """The files that clients are writing; files that have not been written to for an hour are dropped."""

    _open: dict[int, _Open] = field(default_factory=dict)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def add(self, target: DbfsPlace, *, overwrite: bool) -> int:
        """Begin to write *target*, and return its handle.

        Raises:
            ApiError: too many files are being written.
        """
        part = parts_of(target.state).new()
        with self._changing:
            self._drop_old()
            if len(self._open) >= _MOST_OPEN:
                raise ApiError(
                    "RESOURCE_EXHAUSTED", f"{_MOST_OPEN} files are being written, which is the limit. Close one first."
                )
            handle = secrets.randbelow(2**52) + 1
            self._open[handle] = _Open(target, overwrite, part, part.open("xb"), time.monotonic())
        return handle

    def write(self, handle: int, content: bytes) -> None:
        """Add *content* to the file.

        Raises:
            ApiError: no such file is being written.
        """
        with self._changing:
            found = self._get(handle)
            found.used = time.monotonic()
            found.file.write(content)

    def close(self, handle: int) -> None:
        """Finish the file and give it its name.

        Raises:
            ApiError: no such file is being written, or another has got its name meanwhile.
        """
        with self._changing:
            found = self._get(handle)
            del self._open[handle]
        with found.file:
            sync_file(found.file)
        try:
            keep(found.target, found.part, overwrite=found.overwrite)
        finally:
            found.part.unlink(missing_ok=True)

    def _get(self, handle: int) -> _Open:
        if handle in self._open:
            return self._open[handle]
        raise not_there(f"No file is being written with the handle {handle}. Create the file again.")

    def _drop_old(self) -> None:
        for handle, each in list(self._open.items()):
            if time.monotonic() - each.used > _OPEN_SECONDS:
                del self._open[handle]
                each.file.close()
                each.part.unlink(missing_ok=True)


def keep(target: DbfsPlace, part: Path, *, overwrite: bool) -> None:
    """Give *part*, a synchronised file, the name of *target*; parent folders are created.

    Raises:
        ApiError: something has this name already.
    """
    make_dbfs_folders(DbfsPlace(target.shown, target.state, target.local.parent))
    try:
        settle(part, target.local, replace=overwrite)
    except FileExistsError as error:
        text = f"A file or directory already exists at the input path {target.shown}."
        raise ApiError("RESOURCE_ALREADY_EXISTS", text) from error


def make_dbfs_folders(target: DbfsPlace) -> None:
    """Create the folder *target* and its parents, if absent.

    Raises:
        ApiError: one of them is a file.
    """
    try:
        make_folders(target.state.dbfs, target.local)
    except (FileExistsError, NotADirectoryError) as error:
        text = f"`{target.shown}`: a file already exists where a directory is expected."
        raise ApiError("RESOURCE_ALREADY_EXISTS", text) from error
