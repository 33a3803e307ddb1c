"""Folders that the emulator fills: their size, and deleting them."""

import contextlib
import shutil
from pathlib import Path

from lakelocal.errors import RunError


def size_of(folder: Path) -> int:
    """The total size of the files in *folder*, in bytes, without following links; 0 if it does not exist."""
    found = 0
    for place in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it was moved or deleted meanwhile
            found += place.lstat().st_size if place.is_symlink() or place.is_file() else 0
    return found


def delete_folder(folder: Path) -> None:
    """Delete *folder*, which need not exist.

    Raises:
        RunError: a file in it cannot be deleted.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(
            f"`{error.filename or folder}`: cannot be deleted ({error.strerror}). Close what uses it, then prune again."
        ) from error
