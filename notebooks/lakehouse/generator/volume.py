"""The volume in which files land, accessed only through `dbutils.fs`."""

import contextlib
import copy
import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lakehouse.errors import LakehouseError
from lakehouse.places import entries_of, volume_missing, volume_root

_MANIFESTS = "_manifests"  # Spark's readers skip names that begin with an underscore
_STARTED = ".started"
_STAGING = "_staging"
INITIAL = "_initial"  # ends the name of the first batch, which begins with its run date like the others
_LONGEST_TEXT = 4_000_000
_LONGEST_HEADER = 8_192


class LandingConflictError(LakehouseError):
    """Raised when what should land conflicts with what has landed; landed files are never rewritten."""


def run_date_of(batch: str) -> str:
    """The business day of the batch with this name."""
    return batch.removesuffix(INITIAL)


class Batches(NamedTuple):
    """Names of batches, ascending: those that were announced, and those of them that have landed completely."""

    begun: tuple[str, ...]
    ended: tuple[str, ...]


@dataclass(frozen=True)
class BatchFile:
    """A file of a landed batch; *rows* is None for a real file, which is copied without being read."""

    entity: str
    path: str
    rows: int | None
    size: int

    @property
    def name(self) -> str:
        """The last part of the path; no other landed file has the same name."""
        return self.path.rsplit("/", 1)[1]

    @classmethod
    def listed(cls, entry: dict[str, Any]) -> "BatchFile":
        """The file described by an *entry* of a manifest."""
        return cls(entry["entity"], entry["file"], entry["rows"], entry["bytes"])

    def entry(self) -> dict[str, Any]:
        """The entry for this file in a manifest."""
        return {"entity": self.entity, "file": self.path, "rows": self.rows, "bytes": self.size}


class Volume:
    """Files in one catalog's volume. A file appears in its folder complete, once, and is never rewritten.

    Args:
        dbutils: the notebook's `dbutils`.
        catalog: the run's catalog.
        missing_ok: treat a volume that does not exist as one in which nothing has landed, for read-only use.

    Raises:
        PlaceError: the volume does not exist.
    """

    def __init__(self, dbutils: Any, catalog: str, *, missing_ok: bool = False) -> None:
        self._dbutils, self._fs = dbutils, dbutils.fs
        self.root = volume_root(catalog)
        if not missing_ok and self.sizes(self.root) is None:
            raise volume_missing(self.root)

    def below(self, folder: str) -> "Volume":
        """The same volume from *folder* on, with its own manifests and staging there."""
        part = copy.copy(self)
        part.root = f"{self.root}/{folder}"
        return part

    def sizes(self, folder: str) -> dict[str, int] | None:
        """The size in bytes of each entry of *folder* by name; None if there is no such folder."""
        entries = entries_of(self._dbutils, folder)
        return None if entries is None else {entry.name.rstrip("/"): entry.size for entry in entries}

    def head(self, path: str, size: int = _LONGEST_TEXT) -> str:
        """The first *size* bytes of a file as text."""
        with contextlib.redirect_stdout(io.StringIO()):  # some environments print a notice when they cut a file
            return self._fs.head(path, size)

    def batches(self) -> Batches:
        """The names of the batches, ascending, from one listing: nothing is read."""
        names = sorted(name.removesuffix(".json") for name in self.sizes(f"{self.root}/{_MANIFESTS}") or {})
        return Batches(
            begun=tuple(name.removesuffix(_STARTED) for name in names if name.endswith(_STARTED)),
            ended=tuple(name for name in names if not name.endswith(_STARTED)),
        )

    def announcement(self, batch: str) -> dict[str, Any]:
        """What was written when *batch* began: its run date and its parameters."""
        return self._manifest(batch + _STARTED)

    def announce(self, batch: str, facts: dict[str, Any]) -> None:
        """Record that *batch* begins, unless it has already begun."""
        self._write_manifest(batch + _STARTED, facts)

    def end(self, batch: str, facts: dict[str, Any]) -> None:
        """Record that *batch* has landed."""
        self._write_manifest(batch, facts)

    def files_of(self, batch: str) -> list[BatchFile]:
        """The files of a landed *batch* of entities."""
        return [BatchFile.listed(entry) for entry in self._manifest(batch)["files"]]

    def landed_files(self) -> list[BatchFile]:
        """The files of all batches that have landed, in order."""
        return [file for batch in self.batches().ended for file in self.files_of(batch)]

    def _manifest(self, name: str) -> dict[str, Any]:
        return json.loads(self.head(f"{self.root}/{_MANIFESTS}/{name}.json"))

    def _write_manifest(self, name: str, content: dict[str, Any]) -> None:
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        self.write(text.encode(), _MANIFESTS, f"{name}.json")

    def write(self, content: bytes, folder: str, name: str) -> bool:
        """Write UTF-8 *content* as the file *name* in *folder*; False if it is already there, from an interrupted run.

        No local file is involved: serverless compute keeps `dbutils.fs` away from `file:/`.

        Raises:
            LandingConflictError: there is a file of that name with another size.
        """
        return self._publish(folder, name, len(content), lambda staged: self._put(staged, content))

    def copy(self, origin: str, folder: str, name: str, *, size: int) -> bool:
        """Copy the file *origin*, like `write`."""
        return self._publish(folder, name, size, lambda staged: self._fs.cp(origin, staged))

    def _publish(self, folder: str, name: str, size: int, stage: Callable[[str], object]) -> bool:
        target = f"{self.root}/{folder}"
        self._fs.mkdirs(target)
        found = (self.sizes(target) or {}).get(name)
        if found is not None:
            if found == size:
                return False
            raise LandingConflictError(
                f"`{target}/{name}`: found {found:,} bytes, expected {size:,}; landed files are never rewritten. "
                "Repeat the interrupted landing with its own parameters, or delete that file if nothing has read it.",
                file=f"{target}/{name}",
            )
        staging = f"{self.root}/{_STAGING}"
        self._fs.mkdirs(staging)
        stage(f"{staging}/{name}")
        self._fs.mv(f"{staging}/{name}", f"{target}/{name}")
        return True

    def _put(self, path: str, content: bytes) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints how much it wrote
            self._fs.put(path, content.decode("utf-8"), True)

    def header(self, path: str) -> list[str]:
        """The names in the first line of a CSV file."""
        return next(csv.reader(self.head(path, _LONGEST_HEADER).removeprefix("\ufeff").splitlines()[:1]), [])

    def clear_staging(self) -> None:
        """Remove what an interrupted run left in the staging folder."""
        if self.sizes(f"{self.root}/{_STAGING}") is not None:
            self._fs.rm(f"{self.root}/{_STAGING}", True)
