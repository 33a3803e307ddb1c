"""Finds the files that paths given to `dbutils.fs` name, and decides which of them may be read or written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lakelocal.errors import DbutilsError, PathError
from lakelocal.paths import WORKSPACE, DatabricksPaths, about_sample_files
from lakelocal.project import State
from lakelocal.sample_files import make_sample_files


class PathNotFound(DbutilsError, FileNotFoundError):
    """Raised when a file, folder or volume does not exist; its text contains what notebooks on Databricks look for."""


@dataclass(frozen=True)
class Place:
    """A path on this machine, and as Databricks shows it (`dbfs:/Volumes/...`, `dbfs:/...`, `file:/...`)."""

    local: Path
    shown: str

    @property
    def name(self) -> str:
        return self.shown.rstrip("/").rpartition("/")[2]


class Places:
    """Finds the places of paths, given the catalogs of a state.

    Args:
        state: Returns the state; it is called when the first path is looked up.
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self._find_state = state

    @cached_property
    def _paths(self) -> DatabricksPaths:
        return DatabricksPaths(self._find_state())

    def at(self, path: str) -> Place:
        """The place of *path*, which need not exist.

        Raises:
            PathError: the path leaves the state folder or names a catalog that does not exist.
            PathNotFound: the volume does not exist.
        """
        if not isinstance(path, str):
            raise DbutilsError(f"dbutils.fs: found {path!r} as a path; expected a string. Write str(...).")
        if path.startswith("/") and not self._paths.is_databricks(path):
            # As on Databricks, a path without a scheme is in DBFS; a file of the bundle would be in /Workspace there.
            path = f"file:{path}" if self._paths.is_in_bundle(path) else f"dbfs:{path}"
        local = self._paths.to_local(path)
        make_sample_files(local, self._paths.sample_files)
        if self._paths.is_bundle_file(path):
            return Place(local, f"file:{path[path.index(WORKSPACE) :]}")
        if not self._paths.is_databricks(path):
            return Place(local, f"file:{local}")
        self._need_volume(local)
        return self._place(local, whole=path.rstrip("/") in ("/Volumes", "dbfs:/Volumes"))

    def existing(self, path: str) -> Place:
        """The place of *path*, which must exist."""
        place = self.at(path)
        if not place.local.exists():
            above = place.shown.rstrip("/").rpartition("/")[0] or "/"
            raise PathNotFound(
                f"java.io.FileNotFoundException: No such file or directory: {place.shown}. "
                + (about_sample_files(place.shown) or f'List what exists with dbutils.fs.ls("{above}").')
            )
        return place

    def writable(self, path: str) -> Place:
        """The place of *path*, which is to be written; the folders above it are created.

        An existing volume or root may be written into, but a schema or volume is never created on the way.
        """
        place = self.at(path)
        self._paths.refuse_bundle_file(path)
        if not (place.local.is_dir() and self._depth(place) != 1):
            self.refuse_roots(place)
        try:
            place.local.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise DbutilsError(
                f"`{place.shown}`: a part of the path is a file; expected folders. Choose another path."
            ) from None
        return place

    def removable(self, path: str) -> Place:
        """The place of *path*, which is to be removed; a whole volume, or anything above it, is refused."""
        place = self.at(path)
        self._paths.refuse_bundle_file(path)
        self.refuse_roots(place)
        return place

    def refuse_roots(self, place: Place) -> None:
        """Refuse to create, move or remove a root, a schema or a volume as a whole."""
        state = self._paths.state
        if self._depth(place) in (0, 1, 2):
            raise PathError(
                f"`{place.shown}`: not inside a volume; expected /Volumes/{state.catalog}/<schema>/<volume>/... "
                "Volumes are created and removed by CREATE VOLUME and DROP VOLUME."
            )
        if place.local in (state.dbfs, state.workspace, Path("/")):
            raise PathError(f"`{place.shown}`: a root cannot be created, moved or removed. Name something in it.")

    def _depth(self, place: Place) -> int | None:
        """The level of *place* below /Volumes/<catalog>: 1 for a schema, 2 for a volume; None if it is outside."""
        names = self._paths.in_volumes(place.local)
        return None if names is None else len(names) - 1

    def children(self, place: Place) -> list[Place]:
        """The contents of the folder *place*, sorted by name; a link that leads out of the state folder is refused."""
        if place.shown == "dbfs:/Volumes":
            volumes = sorted((name, root) for root, name in self._paths.roots() if name.startswith("/Volumes/"))
            return [Place(root, f"dbfs:{name}") for name, root in volumes]
        found = []
        for entry in sorted(place.local.iterdir(), key=lambda entry: entry.name):
            self._check_link(place, entry)
            found.append(Place(entry, f"{place.shown.rstrip('/')}/{entry.name}"))
        return [child for child in found if child.local.exists()]

    def tree(self, place: Place) -> Iterator[tuple[Path, list[Path]]]:
        """The folder *place* and all folders below it, each with its files; links that lead out are refused."""
        entries = sorted(place.local.iterdir(), key=lambda entry: entry.name)
        for entry in entries:
            self._check_link(place, entry)
        yield place.local, [entry for entry in entries if entry.is_file()]
        for entry in entries:
            if entry.is_dir():
                yield from self.tree(Place(entry, f"{place.shown.rstrip('/')}/{entry.name}"))

    def _check_link(self, place: Place, entry: Path) -> None:
        if entry.is_symlink() and self._paths.is_databricks(place.shown):
            self._paths.to_local(f"{place.shown.rstrip('/')}/{entry.name}")

    def _place(self, local: Path, *, whole: bool) -> Place:
        if whole:
            return Place(local, "dbfs:/Volumes")
        shown = self._paths.to_databricks(local)
        return Place(local, shown if shown.startswith(("dbfs:", "file:")) else f"dbfs:{shown}")

    def _need_volume(self, local: Path) -> None:
        catalog, *names = self._paths.in_volumes(local) or ("",)
        if names and not self._paths.catalogs.volumes(catalog).joinpath(*names[:2]).is_dir():
            found = "/".join(("/Volumes", catalog, *names[:2]))
            raise PathNotFound(
                f"Volume path not found: {found}; expected "
                f"{'an existing volume' if len(names) > 1 else 'an existing schema'}. Create it with "
                f"CREATE {'VOLUME' if len(names) > 1 else 'SCHEMA'}, or run the project's set-up notebook."
            )
