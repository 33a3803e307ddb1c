"""Databricks paths on this machine: `/Volumes/...` and `dbfs:/...` are inside the state folder of a catalog.

| Databricks                              | here                                                      |
| --------------------------------------- | --------------------------------------------------------- |
| /Volumes/<catalog>/<schema>/<volume>/x  | <state>/volumes/<schema>/<volume>/x                       |
| /Volumes/<another>/<schema>/<volume>/x  | <state>/catalogs/<another>/volumes/<schema>/<volume>/x    |
| dbfs:/Volumes/... , dbfs:///Volumes/... | the same volume                                           |
| dbfs:/x , /dbfs/x                       | <state>/dbfs/x                                            |
| file:/x , file:///x                     | /x, the file system of the process that runs the notebook |
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lakelocal.catalogs import Catalogs
from lakelocal.errors import PathError
from lakelocal.project import State

_DBFS = re.compile(r"dbfs:/+|/dbfs/+", re.IGNORECASE)
_FILE = re.compile(r"file:/+", re.IGNORECASE)


@dataclass(frozen=True)
class DatabricksPaths:
    """Translates between Databricks paths and local paths, for the catalogs of one state."""

    state: State

    @property
    def catalogs(self) -> Catalogs:
        return Catalogs(self.state)

    def in_volumes(self, place: Path) -> tuple[str, ...] | None:
        """(catalog, schema, volume, ...) of *place*, as far as it goes; None if it is in no catalog's volumes."""
        if place.is_relative_to(self.state.volumes):
            return (self.state.catalog, *place.relative_to(self.state.volumes).parts)
        if place.is_relative_to(self.state.catalogs):
            catalog, folder, *names = (*place.relative_to(self.state.catalogs).parts, "", "")
            if folder == "volumes":
                return (catalog, *(name for name in names if name))
        return None

    def is_databricks(self, path: str) -> bool:
        """Does *path* exist only on Databricks (in a volume, or in DBFS)?"""
        return path == "/Volumes" or path.startswith("/Volumes/") or _DBFS.match(path) is not None

    def to_local(self, path: str) -> Path:
        """The local path of *path*; the file need not exist.

        Raises:
            PathError: *path* leaves its root through `..` or a link, names a catalog that does not exist, or is
                neither in a volume nor in DBFS.
        """
        if file := _FILE.match(path):
            return Path("/" + path[file.end() :])
        root, parts = self._split(path)
        if ".." in parts:
            raise PathError(f"`{path}`: found `..`; expected a path inside the volume. Write the path without `..`.")
        target = root.joinpath(*parts)
        resolved = target.resolve()
        if not resolved.is_relative_to(root.resolve()):
            raise PathError(
                f"`{path}`: a link leads out of the state folder, to `{resolved}`. "
                "Copy the files into the volume instead of linking them."
            )
        return target

    def to_databricks(self, place: Path) -> str:
        """The name that a notebook uses for *place*: `/Volumes/...`, `dbfs:/...`, otherwise `file:/...`."""
        for root, prefix in self.roots():
            for known in (root, root.resolve()):
                if place.is_relative_to(known):
                    inside = place.relative_to(known).as_posix()
                    return prefix if inside == "." else f"{prefix}/{inside}"
        return f"file:{place}"

    def roots(self) -> list[tuple[Path, str]]:
        """(a folder of this machine, what notebooks call it) of all that is inside of the state; the run's first."""
        others = [
            (folder, f"/Volumes/{folder.parent.name}") for folder in sorted(self.state.catalogs.glob("*/volumes"))
        ]
        return [(self.state.volumes, f"/Volumes/{self.state.catalog}"), (self.state.dbfs, "dbfs:"), *others]

    def _split(self, path: str) -> tuple[Path, list[str]]:
        inside = path
        if dbfs := _DBFS.match(path):
            inside = "/" + path[dbfs.end() :]
            if not (inside == "/Volumes" or inside.startswith("/Volumes/")):
                return self.state.dbfs, _parts(inside)
        if not (inside == "/Volumes" or inside.startswith("/Volumes/")):
            raise PathError(
                f"`{path}`: found neither a volume nor a DBFS path; expected "
                f"`/Volumes/{self.state.catalog}/<schema>/<volume>/...`, `dbfs:/...` or `file:/...`."
            )
        names = _parts(inside)[1:]
        if not names:
            return self.state.volumes, []
        if not self.catalogs.exists(names[0]):
            raise PathError(self.catalogs.missing(names[0], f"`{path}`"))
        return self.catalogs.volumes(names[0]), names[1:]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
