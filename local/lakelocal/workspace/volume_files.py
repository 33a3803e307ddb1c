"""Files and folders of volumes by the paths of the Files API, `/Volumes/<catalog>/<schema>/<volume>/...`.

Source: Files API 2.0; CLI 1.14, `libs/filer/files_client.go`, for the errors that it reads.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.catalogs import Catalogs
from lakelocal.paths import VOLUMES
from lakelocal.project import State
from lakelocal.workspace.catalog_states import CatalogStates
from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.paging import page_of
from lakelocal.workspace.tree.durable import Parts, make_folders, settle, sync_folder
from lakelocal.workspace.tree.paths import inside, names_of

LARGEST_PAGE = 1000
_UPLOADS = "uploads"  # in the state, on the disk of its volumes
NOT_EMPTY = "FILES_API_DIRECTORY_IS_NOT_EMPTY"  # the reason that the CLI looks for


@dataclass(frozen=True)
class InVolume:
    """A path in a volume: its *place* on the disk, in the folder *volume* of *state*."""

    path: str
    state: State
    volume: Path
    place: Path

    @property
    def parts(self) -> Parts:
        """The folder for files that are being written to the volume."""
        return parts_of(self.state)


def parts_of(state: State) -> Parts:
    """The folder for files that are being written to the volumes and the DBFS of *state*."""
    return Parts(state.folder / _UPLOADS)


class VolumeFiles:
    """The files of all volumes."""

    def __init__(self, states: CatalogStates) -> None:
        self.states = states

    def at(self, path: str) -> InVolume:
        """The place of *path*, which is in a volume that exists; the file need not exist.

        Raises:
            ApiError: *path* is not in a volume, or leaves it.
        """
        names = names_of(path)
        if names[:1] != (VOLUMES[1:],) or len(names) < 4:
            raise wrong_value(f"Path ({path}) must be in a volume: {VOLUMES}/<catalog>/<schema>/<volume>/...")
        _, catalog, schema, volume, *rest = names
        state = self.states.get(catalog)
        folder = volume_folder(state, catalog, schema, volume)
        if not folder.is_dir():
            raise _not_found(f"Volume '{catalog}.{schema}.{volume}' does not exist.")
        return InVolume("/" + "/".join(names), state, folder, inside(folder, rest, path))

    def file(self, path: str) -> Path:
        """The place of the file *path*.

        Raises:
            ApiError: there is no such file.
        """
        place = self.at(path).place
        if not place.is_file():
            raise _not_found(f"The file ({path}) being accessed is not found.")
        return place

    def keep(self, target: InVolume, part: Path, *, overwrite: bool) -> None:
        """Give *part*, a synchronised file of `target.parts`, the name of *target*; parent folders are created.

        Raises:
            ApiError: *target* is a folder, a parent is a file, or the file exists and *overwrite* is False.
        """
        if target.place.is_dir():
            raise ApiError("ALREADY_EXISTS", f"The path ({target.path}) is an existing directory.")
        self._make_folders(target, target.place.parent)
        try:
            settle(part, target.place, replace=overwrite)
        except FileExistsError as error:
            raise ApiError("ALREADY_EXISTS", f"The file ({target.path}) being created already exists.") from error

    def remove_file(self, path: str) -> None:
        """Remove the file *path*.

        Raises:
            ApiError: there is no such file.
        """
        place = self.file(path)
        place.unlink()
        sync_folder(place.parent)

    def make_folder(self, path: str) -> None:
        """Create the folder *path* and its parents, if absent.

        Raises:
            ApiError: one of them is a file.
        """
        target = self.at(path)
        self._make_folders(target, target.place)

    def remove_folder(self, path: str) -> None:
        """Remove the folder *path*, which is empty.

        Raises:
            ApiError: there is no such folder, it is not empty, or it is the volume.
        """
        target = self.at(path)
        if not target.place.is_dir() or target.place.is_symlink():
            raise _not_found(f"The directory ({path}) being accessed is not found.")
        if target.place == target.volume:
            raise wrong_value(f"The path ({path}) is a volume. Remove it with `volumes delete` or DROP VOLUME.")
        try:
            target.place.rmdir()
        except OSError as error:
            raise ApiError("BAD_REQUEST", f"The directory ({path}) is not empty.", 400, reason=NOT_EMPTY) from error
        sync_folder(target.place.parent)

    def is_folder(self, path: str) -> bool:
        """Is *path* a folder, a volume, a schema or a catalog?

        Raises:
            ApiError: *path* is in a volume that does not exist.
        """
        names = names_of(path)
        if names[:1] == (VOLUMES[1:],) and len(names) < 4:
            return self._above(names) is not None
        return self.at(path).place.is_dir()

    def page(self, path: str, size: int, token: str) -> tuple[list[dict[str, Any]], str]:
        """At most *size* entries of the folder *path*, by name, and the token of the next page; "" after the last.

        Raises:
            ApiError: there is no such folder, or *token* is not a token of a page.
        """
        if not self.is_folder(path):
            raise _not_found(f"The directory ({path}) being accessed is not found.")
        names, following = page_of(self._names(path), str, size, LARGEST_PAGE, token)
        return list(self._entries(path, names)), following

    def _names(self, path: str) -> list[str]:
        above = self._above(names_of(path))
        return above if above is not None else os.listdir(self.at(path).place)

    def _entries(self, path: str, names: list[str]) -> Iterator[dict[str, Any]]:
        shown = "/" + "/".join(names_of(path))
        if self._above(names_of(path)) is not None:
            yield from ({"path": f"{shown}/{name}/", "name": name, "is_directory": True} for name in names)
            return
        folder = self.at(path)
        for name in names:
            try:
                place = folder.place / name
                if place.is_symlink():
                    inside(folder.volume, place.relative_to(folder.volume).parts, name)
                status = place.stat()
            except (OSError, ApiError):
                continue  # removed meanwhile, or a link that is broken or leaves the volume
            entry = {"path": f"{shown}/{name}", "name": name, "is_directory": place.is_dir()}
            entry["last_modified"] = status.st_mtime_ns // 1_000_000
            yield entry if entry["is_directory"] else {**entry, "file_size": status.st_size}

    def _above(self, names: tuple[str, ...]) -> list[str] | None:
        """The catalogs, the schemas of a catalog or the volumes of a schema; None for a path in a volume."""
        if names[:1] != (VOLUMES[1:],) or len(names) > 3:
            return None
        if len(names) == 1:
            return [name for name in self.states.names() if self.states.find(name)]
        catalog = names[1]
        state = self.states.get(catalog)
        folder = schema_folder(state, catalog, names[2]) if len(names) == 3 else Catalogs(state).volumes(catalog)
        if len(names) == 3 and not folder.is_dir():
            raise _not_found(f"The directory (/{'/'.join(names)}) being accessed is not found.")
        return [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []

    @staticmethod
    def _make_folders(target: InVolume, place: Path) -> None:
        try:
            make_folders(target.volume, place)
        except (FileExistsError, NotADirectoryError) as error:
            text = f"The path ({target.path}): a file is where a directory is expected."
            raise ApiError("ALREADY_EXISTS", text) from error


def schema_folder(state: State, catalog: str, schema: str) -> Path:
    """The folder with the volumes of a schema, which need not exist; the case of names does not matter."""
    return _named(Catalogs(state).volumes(catalog), schema)


def volume_folder(state: State, catalog: str, schema: str, volume: str) -> Path:
    """The folder of a volume, which need not exist."""
    return _named(schema_folder(state, catalog, schema), volume)


def _named(folder: Path, name: str) -> Path:
    """The folder *name* in *folder*, with the spelling that it has there; in lower case if it does not exist."""
    if (folder / name).is_dir():
        return folder / name
    entries = folder.iterdir() if folder.is_dir() else ()
    return next((entry for entry in entries if entry.name.lower() == name.lower()), folder / name.lower())


def _not_found(message: str) -> ApiError:
    return ApiError("NOT_FOUND", message, 404)
