"""The volume that files land in, reached by `dbutils.fs` alone."""

import contextlib
import copy
import io
import json
from collections.abc import Callable

from lakehouse.errors import LakehouseError
from lakehouse.places import volume_missing, volume_root

_MANIFESTS = "_manifests"  # Spark's readers skip names that begin with an underscore
_STAGING = "_staging"
_LONGEST_TEXT = 4_000_000
_MISSING = ("notfound", "not found", "not_found", "does not exist", "no such file")


class LandingConflictError(LakehouseError):
    """Raised when what should land does not agree with what has landed; landed files are never rewritten."""


class Volume:
    """Files of one catalog's volume. A file appears in its folder whole, once, and is never written again.

    Args:
        dbutils: the notebook's `dbutils`.
        catalog: the run's catalog.

    Raises:
        PlaceError: the volume does not exist.
    """

    def __init__(self, dbutils, catalog: str) -> None:
        self._fs = dbutils.fs
        self.root = volume_root(catalog)
        if self.sizes(self.root) is None:
            raise volume_missing(self.root)

    def below(self, folder: str) -> "Volume":
        """The same volume from *folder* on, with manifests and staging of its own there."""
        part = copy.copy(self)
        part.root = f"{self.root}/{folder}"
        return part

    def sizes(self, folder: str) -> dict[str, int] | None:
        """Size in bytes of each entry of *folder* by name; None where there is no such folder."""
        try:
            return {entry.name.rstrip("/"): entry.size for entry in self._fs.ls(folder)}
        except Exception as error:  # each environment has a class of its own for a missing path
            told = f"{type(error).__name__} {error}".lower()
            if any(word in told for word in _MISSING):
                return None
            raise

    def head(self, path: str, size: int = _LONGEST_TEXT) -> str:
        """The first *size* bytes of a file as text."""
        with contextlib.redirect_stdout(io.StringIO()):  # some environments print a notice about the cut
            return self._fs.head(path, size)

    def manifests(self) -> dict[str, dict]:
        """The manifests by their names, without `.json`."""
        folder = f"{self.root}/{_MANIFESTS}"
        names = [name for name in self.sizes(folder) or {} if name.endswith(".json")]
        return {name.removesuffix(".json"): json.loads(self.head(f"{folder}/{name}")) for name in sorted(names)}

    def landed_paths(self) -> dict[str, list[str]]:
        """Entity -> the files that landed, as the manifests say."""
        paths: dict[str, list[str]] = {}
        for manifest in self.manifests().values():
            for file in manifest.get("files", []):
                paths.setdefault(file["entity"], []).append(file["file"])
        return paths

    def write_manifest(self, name: str, content: dict) -> None:
        """Write a manifest, unless there is one of this name."""
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        self.write(text.encode(), _MANIFESTS, f"{name}.json")

    def write(self, content: bytes, folder: str, name: str) -> bool:
        """Write UTF-8 *content* as the file *name* in *folder*; False if it is there already, from an interrupted run.

        No file of this machine is in between: serverless compute keeps `dbutils.fs` away from `file:/`.

        Raises:
            LandingConflictError: the name is taken by a file of another size.
        """
        return self._publish(folder, name, len(content), lambda staged: self._put(staged, content))

    def copy(self, origin: str, folder: str, name: str, *, size: int) -> bool:
        """Copy the file *origin*, as `write`."""
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
        with contextlib.redirect_stdout(io.StringIO()):  # it says how much it wrote
            self._fs.put(path, content.decode("utf-8"), True)

    def clear_staging(self) -> None:
        """Remove what an interrupted run left in the staging folder."""
        if self.sizes(f"{self.root}/{_STAGING}") is not None:
            self._fs.rm(f"{self.root}/{_STAGING}", True)
