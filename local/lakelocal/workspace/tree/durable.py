"""Writes and removes files so that what was acknowledged survives the end of the process, and of the machine.

A file appears whole or not at all: it is written beside its tree, synchronised, and then gets its name.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class Parts:
    """The folder of files that are being written, and of what is being removed; on the disk of their tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clear(self) -> None:
        """Remove what an earlier process has left behind; nobody else may use the folder at that time."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self) -> Path:
        """The path of a part that does not exist yet."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / uuid.uuid4().hex

    @contextlib.contextmanager
    def holding(self, content: bytes) -> Iterator[Path]:
        """A file with *content*, synchronised; it is gone at the end unless it was given another name."""
        part = self.new()
        try:
            with part.open("xb") as file:
                file.write(content)
                sync_file(file)
            yield part
        finally:
            part.unlink(missing_ok=True)

    def remove(self, place: Path) -> None:
        """Remove *place*, a file or a folder with all that is in it, in one step."""
        doomed = self.new()
        place.rename(doomed)
        sync_folder(place.parent)
        if doomed.is_dir() and not doomed.is_symlink():
            shutil.rmtree(doomed, ignore_errors=True)  # what is left, `clear` removes
        else:
            doomed.unlink()


def sync_file(file: BinaryIO) -> None:
    """Make sure that what was written to *file* is on the disk."""
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
    """Make *place* and the folders between it and *root*, which exists.

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
