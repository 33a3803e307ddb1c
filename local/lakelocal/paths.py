"""Databricks paths on this machine: volumes and DBFS are in the state folder of a catalog, workspace files beside it.

| Databricks                             | here                                                         |
| -------------------------------------- | ------------------------------------------------------------ |
| /Volumes/<catalog>/<schema>/<volume>/x | <state>/volumes/<schema>/<volume>/x                          |
| /Volumes/<another>/<schema>/<volume>/x | <state>/catalogs/<another>/volumes/<schema>/<volume>/x       |
| dbfs:/Volumes/... , /dbfs/Volumes/...  | the same volume                                              |
| dbfs:/x , /dbfs/x                      | <state>/dbfs/x                                               |
| /Workspace/x                           | <states>/.workspace/tree/x; a file of the bundle is in place |
| file:/x , file:///x                    | as /x if that is one of the above; else the file /x          |
"""

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lakelocal.catalogs import Catalogs
from lakelocal.errors import PathError
from lakelocal.project import State
from lakelocal.sample_files import FOLDERS

VOLUMES, DBFS, WORKSPACE = ROOTS = ("/Volumes", "/dbfs", "/Workspace")
_SAMPLE_FILES = "/databricks-datasets"
_IN_SAMPLE_FILES = re.compile(rf"(?:^|dbfs:|/dbfs|['\"\s]){_SAMPLE_FILES}(?![\w-])")
_OFTEN_IN_DBFS = ("/FileStore", "/mnt", _SAMPLE_FILES)
_SCHEME = re.compile(r"(dbfs|file):(?://localhost(?=/))?(?=/)", re.IGNORECASE)


@dataclass(frozen=True)
class Mount:
    """The folder *local*, which has the name *shown* on Databricks."""

    shown: str
    local: Path
    writable: bool = True


@dataclass(frozen=True)
class DatabricksPaths:
    """Translates between Databricks paths and local paths, for the catalogs of one state."""

    state: State

    @property
    def catalogs(self) -> Catalogs:
        return Catalogs(self.state)

    @property
    def sample_files(self) -> Path:
        """Where `/databricks-datasets` is."""
        return self.state.dbfs / _SAMPLE_FILES.lstrip("/")

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
        """Does *path* exist only on Databricks (in a volume, in DBFS, or in the workspace)?"""
        return _root_of(path) is not None

    def is_in_bundle(self, path: str) -> bool:
        """Is *path* in the bundle's folder on this machine, which `${workspace.file_path}` stands for?"""
        return self.state.files is not None and PurePosixPath(path).is_relative_to(self.state.files.folder)

    def of_spark(self, path: str) -> str:
        """*path* as given to Spark; with its scheme if it is in DBFS, as every plain path is on Databricks.

        A folder that this machine has itself, such as `/tmp`, is kept: local tests and tools put their files there.
        """
        first = _first_of(path)
        here = first not in _OFTEN_IN_DBFS and os.path.exists(first)
        is_kept = not path.startswith("/") or self.is_databricks(path) or here or self.is_in_bundle(path)
        return path if is_kept else f"dbfs:{path}"

    def to_local(self, path: str) -> Path:
        """The local path of *path*; the file need not exist.

        Raises:
            PathError: *path* leaves its root through `..` or a link, names a catalog that does not exist, or is
                neither in a volume nor in DBFS nor in the workspace.
        """
        found = _root_of(path)
        if found is None:
            if (scheme := _SCHEME.match(path)) and scheme[1].lower() == "file":
                return Path("/" + path[scheme.end() :].lstrip("/"))
            raise PathError(
                f"`{path}`: found neither a volume nor a DBFS path; expected "
                f"`/Volumes/{self.state.catalog}/<schema>/<volume>/...`, `dbfs:/...` or `file:/...`."
            )
        root, parts = self._place_of(path, *found)
        if ".." in parts:
            raise PathError(f"`{path}`: found `..`; expected a path inside the volume. Write the path without `..`.")
        target = root.joinpath(*parts)
        resolved = target.resolve()
        if not self.is_bundle_file(path) and not resolved.is_relative_to(root.resolve()):
            raise PathError(
                f"`{path}`: a link leads out of the state folder, to `{resolved}`. "
                "Copy the files into the volume instead of linking them."
            )
        return target

    def is_bundle_file(self, path: str) -> bool:
        """Is *path* the workspace's name for a file of the bundle? It can be read here, but not written."""
        found, files = _root_of(path), self.state.files
        if found is None or files is None or found[0] != WORKSPACE:
            return False
        return PurePosixPath(WORKSPACE, *found[1]).is_relative_to(files.shown)

    def refuse_bundle_file(self, path: str) -> None:
        """Refuse to write to *path* if it is a file of the bundle.

        Raises:
            PathError: it is such a file.
        """
        if self.is_bundle_file(path):
            raise PathError(
                f"`{path}`: a file of the bundle, which is read-only under this name on this machine. "
                "Write to a volume, to another folder of /Workspace, or to a path relative to the notebook."
            )

    def to_databricks(self, place: Path) -> str:
        """The name that a notebook uses for *place*: `/Volumes/...`, `dbfs:/...`, otherwise `file:/...`."""
        for root, prefix in self.roots():
            for known in (root, root.resolve()):
                if place.is_relative_to(known):
                    inside = place.relative_to(known).as_posix()
                    return prefix if inside == "." else f"{prefix}/{inside}"
        return f"file:{place}"

    def shown(self, text: str) -> str:
        """*text*, a message of Spark, with the paths that a notebook uses in place of those of this machine."""
        for root, prefix in self.roots():
            for known in dict.fromkeys((str(root), str(root.resolve()))):
                if known in text:
                    text = re.sub(rf"(?:file:/{{0,2}})?{re.escape(known)}(?![\w-])", prefix, text)
        return text

    def roots(self) -> list[tuple[Path, str]]:
        """Pairs of a local folder and its name in notebooks, for everything inside the state; the run's come first."""
        state = self.state
        others = [(folder, f"{VOLUMES}/{folder.parent.name}") for folder in sorted(state.catalogs.glob("*/volumes"))]
        return [
            (state.volumes, f"{VOLUMES}/{state.catalog}"),
            (state.dbfs, "dbfs:"),
            (state.workspace, f"file:{WORKSPACE}"),
            *others,
        ]

    def mounts(self) -> list[Mount]:
        """What a notebook's process sees at the root of its file system, outer folders first.

        The run's catalog is mounted; the others are links, so that a catalog that is created later is there at once.
        """
        state, links = self.state, self.catalogs.linked()
        found = [
            Mount(VOLUMES, links, writable=False),
            Mount(f"{VOLUMES}/{state.catalog}", state.volumes),
            Mount(DBFS, state.dbfs),
            Mount(f"{DBFS}{VOLUMES}", links, writable=False),
            Mount(f"{DBFS}{VOLUMES}/{state.catalog}", state.volumes),
            Mount(WORKSPACE, state.workspace),
        ]
        if state.files:
            found.append(Mount(state.files.shown, state.files.folder, writable=False))
        return found

    def _place_of(self, path: str, root: str, parts: list[str]) -> tuple[Path, list[str]]:
        if root == DBFS:
            return self.state.dbfs, parts
        if root == WORKSPACE:
            files = self.state.files
            if files and self.is_bundle_file(path):
                return files.folder, parts[len(PurePosixPath(files.shown).parts) - 2 :]
            return self.state.workspace, parts
        if not parts:
            return self.state.volumes, []
        if not self.catalogs.exists(parts[0]):
            raise PathError(self.catalogs.missing(parts[0], f"`{path}`"))
        return self.catalogs.volumes(parts[0]), parts[1:]


def about_sample_files(text: str) -> str:
    """What to add to *text*, which names a path that does not exist: "" unless that is one of Databricks' samples."""
    if not _IN_SAMPLE_FILES.search(text):
        return ""
    return (
        "Databricks' sample files are not on this machine, except for "
        f"{', '.join(f'`{name}`' for name in FOLDERS)}: copy files of your own there by dbutils.fs.cp, or read the "
        "tables of the catalog `samples`."
    )


def in_root(path: str) -> bool:
    """Does the plain absolute *path* lead into one of `ROOTS`, however it is written?"""
    return any(root in path for root in ROOTS) and _first_of(posixpath.normpath(path)) in ROOTS


def _root_of(path: str) -> tuple[str, list[str]] | None:
    """The one of `ROOTS` that contains *path*, and the names below it; None if none does."""
    scheme = _SCHEME.match(path)
    kind = scheme[1].lower() if scheme else ""
    plain = path[scheme.end() :] if scheme else path
    if not plain.startswith("/"):
        return None
    parts = _parts(plain)
    if kind != "dbfs":
        first = f"/{parts[0]}" if parts else ""
        if first.lower() == DBFS:
            parts = parts[1:]
        elif first in (VOLUMES, WORKSPACE):
            return first, parts[1:]
        elif in_root(plain):  # such as /tmp/../Volumes/...
            return _root_of(posixpath.normpath(plain))
        else:
            return None
    return (VOLUMES, parts[1:]) if parts[:1] == [VOLUMES[1:]] else (DBFS, parts)


def _first_of(path: str) -> str:
    return f"/{path.lstrip('/').partition('/')[0]}"


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
