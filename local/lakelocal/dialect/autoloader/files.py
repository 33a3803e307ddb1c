"""The files of a source: those in its folder, and those that are done according to the stream's checkpoint."""

import fnmatch
import json
import os
from pathlib import Path

from lakelocal.dialect.volumes import uri_file
from lakelocal.errors import DialectError

_GLOB = frozenset("*?[{")


def is_pattern(folder: Path) -> bool:
    """Is *folder* a pattern that may match any number of folders?"""
    return bool(_GLOB & set(str(folder)))


def check_exists(folder: Path, path: str) -> None:
    """Check that *folder* exists, unless it is a pattern; *path* is the path as the user has written it.

    Raises:
        DialectError: it does not exist.
    """
    scheme = path.partition("://")[0] if "://" in path else ""
    if scheme and scheme.lower() not in ("dbfs", "file"):
        raise DialectError(
            f"`{path}`: there is no storage `{scheme}://` on this machine. Put the files into a volume, and read them "
            "from there."
        )
    if not (is_pattern(folder) or folder.exists()):
        raise DialectError(f"`{path}`: the folder does not exist in its volume. Put a file there, or correct the path.")


def fixed_root(folder: Path) -> Path:
    """The part of *folder* before its first pattern; the folders below it may name partition columns."""
    parts = folder.parts
    first = next((at for at, part in enumerate(parts) if _GLOB & set(part)), None)
    if first is not None:
        return Path(*parts[:first])
    return folder.parent if folder.is_file() else folder


def list_files(folder: Path, glob: str | None = None) -> list[Path]:
    """The data files at and below *folder* (a folder, a file, or a pattern), sorted and without hidden ones.

    Only files whose names match *glob* are included, as with the option `pathGlobFilter`.
    """
    found = []
    for root in _roots(folder):
        if root.is_file():
            found.append(root)
        for place, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith((".", "_")) or "=" in name]
            found += [Path(place, name) for name in names if not name.startswith((".", "_"))]
    return sorted(file for file in set(found) if glob is None or fnmatch.fnmatchcase(file.name, glob))


def done_files(checkpoint: Path | None) -> frozenset[Path]:
    """The files whose rows a stream has committed; those of an unfinished batch will be read again.

    Source: the layout of Spark's checkpoints: `commits/<batch>`, `offsets/<batch>` (two header lines, then the offset
    of each source), `sources/<source>/<log>` (one line per file).
    """
    if checkpoint is None or not (batches := _numbers(checkpoint / "commits")):
        return frozenset()
    offsets = (checkpoint / "offsets" / str(max(batches))).read_text(encoding="utf-8").split("\n")[2:]
    done: set[Path] = set()
    for source, line in enumerate(offsets):
        offset = json.loads(line) if line.startswith("{") else {}
        if "logOffset" in offset:
            done |= _logged(checkpoint / "sources" / str(source), offset["logOffset"])
    return frozenset(done)


def _logged(log: Path, last: int) -> set[Path]:
    files = set()
    for name in log.iterdir() if log.is_dir() else ():
        if not name.name.removesuffix(".compact").isdigit():
            continue
        for line in name.read_text(encoding="utf-8").split("\n")[1:]:
            entry = json.loads(line)
            if entry["batchId"] <= last:
                files.add(uri_file(entry["path"]))
    return files


def _numbers(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir() if file.name.isdigit()] if folder.is_dir() else []


def _roots(folder: Path) -> list[Path]:
    parts = folder.parts
    first = next((at for at, part in enumerate(parts) if _GLOB & set(part)), None)
    if first is None:
        return [folder]
    found = [Path(*parts[:first])]
    for part in parts[first:]:
        patterns = _alternatives(part)
        found = [
            inner
            for place in found
            if place.is_dir()
            for inner in sorted(place.iterdir())
            if any(fnmatch.fnmatchcase(inner.name, pattern) for pattern in patterns)
        ]
    return found


def _alternatives(pattern: str) -> list[str]:
    """`a{b,c}d` as `abd`, `acd`: Hadoop's patterns have alternatives, Python's do not."""
    start, end = pattern.find("{"), pattern.find("}")
    if start < 0 or end < start:
        return [pattern]
    return [
        full
        for choice in pattern[start + 1 : end].split(",")
        for full in _alternatives(pattern[:start] + choice + pattern[end + 1 :])
    ]
