"""The class data archive: a server's classes in the form that Java loads fastest, written by a run's server as it ends.

Spark finds its classes in some 290 jars, parses and verifies them. From an archive they are mapped, already verified: a
start takes 4.2 s of CPU instead of 7.0 to 8.0, and the first dozen statements 48 s instead of 56 (Java 17). The server
of a run that finds no archive writes one of 250 MB when it ends normally, which takes about 20 s of CPU, once.

- The archive belongs to the environment: every state folder uses it, `reset` leaves it alone.
- Its name contains a digest of the Java runtime and of all jars by path, size and time. Java checks the same again, and
  continues without an archive that does not fit.
- It is written under a temporary name and gets its real name at a later start, so that servers may end at the same
  time, and running ones keep the file that they have mapped. Java writes the header last: a file that a kill has torn
  has none, and is deleted. An archive that a disk has damaged may crash Java: then the start is tried without it.
"""

import contextlib
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path

USING = "-XX:SharedArchiveFile="
RECORDING = "-XX:ArchiveClassesAtExit="  # identifies a process that will write an archive, on its command line
TORN = 600  # seconds after which a file without a header is no longer being written
KEPT = 2  # archives: a user who switches between two Javas needs one for each


def archive_options(java: Path, jars: Iterable[Path], *, make: bool, folder: Path | None = None) -> list[str]:
    """The options with which *java* uses the archive for *jars*, or writes it at its end; none if neither is possible.

    Args:
        java: the program that will run.
        jars: the jars of its class path.
        make: whether to write the archive if there is none; for a server that runs briefly it is not worth the time.
        folder: the folder of archives; by default that of this environment.
    """
    folder = folder or Path(sys.prefix) / "share" / "class-archives"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # the environment belongs to someone else
        return []
    if not os.access(folder, os.W_OK):
        return []
    archive = folder / f"{_digest(java, jars)}.jsa"
    _name_finished(folder, archive)
    if archive.exists():
        return [f"{USING}{archive}"]
    if not make:
        return []
    # Without the last option, Java warns about a thousand classes that cannot be archived.
    return [f"{RECORDING}{archive.with_suffix('')}-{secrets.token_hex(4)}.part", "-Xlog:cds*=off"]


def forget_archive(command: Iterable[str]) -> bool:
    """Delete the archive that *command* uses; False if it uses none."""
    used = [Path(option.removeprefix(USING)) for option in command if option.startswith(USING)]
    for archive in used:
        archive.unlink(missing_ok=True)
    return bool(used)


def _digest(java: Path, jars: Iterable[Path]) -> str:
    java = java.resolve()
    image = java.parents[1] / "lib" / "modules"  # Java's own classes
    found = hashlib.sha256()
    for place in (image if image.exists() else java, *sorted(jars)):
        status = place.stat()
        found.update(f"{place} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]


def _name_finished(folder: Path, archive: Path) -> None:
    """Give *archive* its name if a server has finished it; delete torn and old archives."""
    for part in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):  # another start was faster
            with part.open("rb") as file:
                finished = any(file.read(4))
            if finished and part.name.startswith(archive.stem):
                part.replace(archive)
            elif finished or time.time() - part.stat().st_mtime > TORN:
                part.unlink()
    with contextlib.suppress(FileNotFoundError):
        for old in sorted(folder.glob("*.jsa"), key=lambda place: place.stat().st_mtime)[:-KEPT]:
            old.unlink()
