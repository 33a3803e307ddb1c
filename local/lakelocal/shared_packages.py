"""Python packages that the tasks of a state share: what environments and `libraries` ask for is installed only once.

    <state>/packages/<key>/         an installation; it exists only if it is complete
    <state>/packages/<key>.part/    an installation that is in progress, or whose process was killed
    <state>/packages/<key>.lock     locked while the folder is filled, claimed or deleted; it is never deleted

The key is made from everything that determines what pip installs, so the contents of a folder never change. The
modification time of a folder is that of its last use.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lakelocal.errors import DialectError
from lakelocal.folders import delete_folder, size_of
from lakelocal.locks import locked

_PATIENCE = 3600.0  # seconds; a large environment takes minutes
_OF_A_FILE = re.compile(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S.*)")
_ALTERABLE = re.compile(r"\b(?:git|hg|svn|bzr)\+|(?:^|\s)(?:-e|--editable)\b")  # sources that may change over time


@dataclass(frozen=True)
class SharedPackages:
    """The installations in *folder*, which is created with the first one."""

    folder: Path

    def has(self, key: str) -> bool:
        """Is the installation *key* complete?"""
        return (self.folder / key).is_dir()

    def claim(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The folder of the installation *key*; if there is none, *fill* is called with an empty folder to install
        into.

        If another process is just making the same installation, this waits for it.

        Raises:
            DialectError: another process has been installing it for an hour.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        place, part = self.folder / key, self.folder / f"{key}.part"
        with self._locked(key, _PATIENCE):
            if not place.is_dir():
                shutil.rmtree(part, ignore_errors=True)  # its process was killed, or it would hold the lock
                part.mkdir()
                try:
                    fill(part)
                except BaseException:
                    shutil.rmtree(part, ignore_errors=True)
                    raise
                part.rename(place)
            os.utime(place)
        return place

    def forget(self, unused_since: float, *, dry_run: bool = False) -> int:
        """Delete the installations that were last used before *unused_since* (epoch seconds), and return their size.

        With *dry_run*, nothing is deleted. Installations in progress are kept.

        Raises:
            RunError: a file cannot be deleted.
        """
        freed = 0
        for lock in sorted(self.folder.glob("*.lock")):
            try:
                with self._locked(lock.stem, 0):
                    for place in (self.folder / lock.stem, self.folder / f"{lock.stem}.part"):
                        if place.is_dir() and place.stat().st_mtime < unused_since:
                            freed += size_of(place)
                            if not dry_run:
                                delete_folder(place)
            except DialectError:
                continue  # another process is installing it
        return freed

    def _locked(self, key: str, limit: float) -> AbstractContextManager[None]:
        busy = DialectError(
            f"`{self.folder / key}`: another task has been installing these packages for {limit / 60:.0f} minutes. "
            "Read its log, or cancel its run."
        )
        return locked(self.folder / f"{key}.lock", limit, busy)


def installation_key(arguments: Sequence[str], below: Iterable[str] = ()) -> str | None:
    """The key for what `pip install` with *arguments* puts into a folder; None if that may change over time.

    *below* names the other installations that the process already uses. The key depends on the contents of wheels and
    requirement files, on the Python and the packages of its environment, and on pip's settings.
    """
    files: dict[str, str] = {}
    if not _read_words(arguments, files):
        return None
    purelib = Path(sysconfig.get_path("purelib"))
    decides = {
        "arguments": list(arguments),
        "files": files,
        "below": sorted(below),
        "python": [sys.version, sys.prefix],
        "environment": sorted(place.name for place in purelib.glob("*.dist-info")),
        "settings": {name: value for name, value in sorted(os.environ.items()) if name.startswith("PIP_")},
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:24]


def _read_words(words: Sequence[str], files: dict[str, str]) -> bool:
    """Add the contents of the files that *words* name to *files*; False if something in them may change."""
    named = [f"-c {file}" for file in os.environ.get("PIP_CONSTRAINT", "").split()]
    named += [f"{option} {file}" for option, file in pairwise(words) if _OF_A_FILE.fullmatch(f"{option} {file}")]
    return all(_read_line(line, Path(), files) for line in [*named, *words])


def _read_line(line: str, folder: Path, files: dict[str, str]) -> bool:
    """Add the contents of the files that one requirement or option *line* names; *folder* is that of its file."""
    line = line.strip()
    if not line or line.startswith("#"):
        return True
    if _ALTERABLE.search(line):
        return False
    if named := _OF_A_FILE.fullmatch(line.partition(" #")[0].strip()):
        return _read_requirements(folder / named[1].strip("'\""), files)
    place = Path(line.partition(" ")[0].partition("[")[0].removeprefix("file://"))
    if place.is_dir() and (os.sep in line or line.startswith(".")):
        return False  # a source tree
    if place.is_file():
        files[str(place)] = hashlib.sha256(place.read_bytes()).hexdigest()
    return True


def _read_requirements(file: Path, files: dict[str, str]) -> bool:
    if str(file) in files or "://" in str(file) or not file.is_file():
        return "://" not in str(file)  # pip itself reports a missing file
    content = file.read_bytes()
    files[str(file)] = hashlib.sha256(content).hexdigest()
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    return all(_read_line(line, file.parent, files) for line in lines)
