"""The class data archive: when it is used, when it is made, and what happens to files that are of no use."""

import os
import time
from pathlib import Path

import pytest

from lakelocal.server import archive
from lakelocal.server.archive import RECORDING, TORN, archive_options


@pytest.fixture
def java(tmp_path) -> Path:
    """A Java runtime, as far as the archive looks at it."""
    for place in ("java/bin/java", "java/lib/modules", "a.jar", "b.jar"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    return tmp_path / "java" / "bin" / "java"


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder of the archives."""
    return tmp_path / "archives"


def options(java: Path, folder: Path) -> list[str]:
    return archive_options(java, java.parents[2].glob("*.jar"), make=True, folder=folder)


def write(option: str, *, header: bytes = b"\xa8\xab\x0b\xf0") -> Path:
    """The file that a server started with *option* writes when it ends."""
    place = Path(option.removeprefix(RECORDING))
    place.write_bytes(header)
    return place


def test_the_first_server_makes_the_archive_and_the_next_one_uses_it(java, folder):
    """Two that start at the same time write separate files."""
    first, second = options(java, folder)[0], options(java, folder)[0]
    assert first != second
    write(first)

    (used,) = options(java, folder)

    assert used.startswith("-XX:SharedArchiveFile=") and Path(used.partition("=")[2]).exists()
    assert options(java, folder) == [used]


@pytest.mark.parametrize("changed", ["a.jar", "java/lib/modules"])
def test_another_jar_or_another_java_needs_another_archive(java, folder, changed):
    """Java would not use the old one; the two newest are kept, for users who switch between two Javas."""
    write(options(java, folder)[0])
    options(java, folder)
    (java.parents[2] / changed).write_bytes(b"changed")

    assert options(java, folder)[0].startswith(RECORDING)
    assert len(list(folder.glob("*.jsa"))) == 1 <= archive.KEPT


@pytest.mark.parametrize(("header", "age", "stays"), [(b"\0\0\0\0", 0, True), (b"\0\0\0\0", 2 * TORN, False)])
def test_a_file_without_a_header_is_never_used(java, folder, header, age, stays):
    """A server is writing it, or was killed while writing it."""
    part = write(options(java, folder)[0], header=header)
    os.utime(part, (time.time() - age,) * 2)

    assert options(java, folder)[0].startswith(RECORDING)
    assert part.exists() is stays


def test_a_server_that_is_not_to_make_one_uses_what_is_there(java, folder):
    """A session of two statements would wait longer for the archive than it could ever save."""
    jars = [java.parents[2] / "a.jar"]
    assert archive_options(java, jars, make=False, folder=folder) == []

    write(archive_options(java, jars, make=True, folder=folder)[0])

    assert len(archive_options(java, jars, make=False, folder=folder)) == 1


def test_an_environment_that_cannot_be_written_has_no_archive(java, tmp_path, monkeypatch):
    """The server starts as it would without an archive."""
    monkeypatch.setattr(archive.os, "access", lambda place, mode: False)

    assert options(java, tmp_path / "archives") == []
