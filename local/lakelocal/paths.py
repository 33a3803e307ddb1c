"""Databricks paths on this machine: `/Volumes/...` and `dbfs:/...` live inside the state folder of a catalog.

| Databricks                              | here                                                    |
| --------------------------------------- | ------------------------------------------------------- |
| /Volumes/<catalog>/<schema>/<volume>/x  | <state>/volumes/<schema>/<volume>/x                     |
| dbfs:/Volumes/... , dbfs:///Volumes/... | the same volume                                         |
| dbfs:/x , /dbfs/x                       | <state>/dbfs/x                                          |
| file:/x , file:///x                     | /x, the file system of the process that runs the notebook |
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lakelocal.errors import PathError
from lakelocal.project import State

# What to do about the name of another catalog; the bundle's reader knows the same variables.
WHICH_CATALOG = (
    "Use the run's catalog. It is the value of the bundle's variable `catalog`, `catalog_name` or `uc_catalog`; "
    "without one it is `main`."
)
_DBFS = re.compile(r"dbfs:/+|/dbfs/+", re.IGNORECASE)
_FILE = re.compile(r"file:/+", re.IGNORECASE)


@dataclass(frozen=True)
class DatabricksPaths:
    """Translates between Databricks' paths and this machine's, for one catalog."""

    state: State

    def is_databricks(self, path: str) -> bool:
        """Is *path* one that only Databricks knows (a volume, or in DBFS)?"""
        return path == "/Volumes" or path.startswith("/Volumes/") or _DBFS.match(path) is not None

    def to_local(self, path: str) -> Path:
        """The place of *path* on this machine; what it names need not exist.

        Raises:
            PathError: *path* leaves its root by `..` or by a link, names another catalog, or leads neither into a
                volume nor into DBFS.
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
        """The name that a notebook uses for *place*: `/Volumes/...`, `dbfs:/...`, else `file:/...`."""
        for root, prefix in (
            (self.state.volumes, f"/Volumes/{self.state.catalog}"),
            (self.state.dbfs, "dbfs:"),
        ):
            for known in (root, root.resolve()):
                if place.is_relative_to(known):
                    inside = place.relative_to(known).as_posix()
                    return prefix if inside == "." else f"{prefix}/{inside}"
        return f"file:{place}"

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
        if names and names[0].lower() != self.state.catalog.lower():
            raise PathError(
                f"`{path}`: found the catalog `{names[0]}`; this server holds `{self.state.catalog}` only. "
                f"{WHICH_CATALOG}"
            )
        return self.state.volumes, names[1:]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
