"""Writes and removes files so that acknowledged changes survive if the process or the machine stops.

A file appears whole or not at all: it is written outside its tree, synchronised, and then given its name.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class Parts:
    """The folder for files that are being written or removed, on the same disk as their tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clear(self) -> None:
        """Remove what an earlier process left behind; no other process may use the folder meanwhile."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self) -> Path:
        """The path of a part that does not exist yet."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / uuid.uuid4().hex

    @contextlib.contextmanager
    def holding(self, content: bytes) -> Iterator[Path]:
        """A synchronised file with *content*; it is removed at the end unless it was renamed."""
        part = self.new()
        try:
            with part.open("xb") as file:
                file.write(content)
                sync_file(file)
            yield part
        finally:
            part.unlink(missing_ok=True)

    def remove(self, place: Path) -> None:
        """Remove *place*, a file or a folder with its content, in one step."""
        doomed = self.new()
        place.rename(doomed)
        sync_folder(place.parent)
        if doomed.is_dir() and not doomed.is_symlink():
            shutil.rmtree(doomed, ignore_errors=True)  # `clear` removes what is left
        else:
            doomed.unlink()


def sync_file(file: BinaryIO) -> None:
    """Make sure that everything written to *file* is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def settle(part: Path, place: Path, *, replace: bool) -> None:
    """Give *part*, a synchronised file, the name *place*.

    Raises:
        FileExistsError: *place* exists, and *replace* is False.
    """
    if replace:
        part.replace(place)
    else:
        os.link(part, place)
    sync_folder(place.parent)


def make_folders(root: Path, place: Path) -> None:
    """Create the folder *place* and those between it and *root*, which exists.

    Raises:
        FileExistsError, NotADirectoryError: one of them is a file.
    """
    absent = []
    while place != root and not place.is_dir():
        absent.append(place)
        place = place.parent
    for folder in reversed(absent):
        try:
            folder.mkdir()
        except FileExistsError:  # another request was faster, or it is a file
            if not folder.is_dir():
                raise
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in *folder* are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
