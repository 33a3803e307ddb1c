"""The workspace tree as a store: find, list, write and remove objects. Every change is on the disk when it returns.

Source: Workspace API 2.0; CLI 1.14, `libs/filer/workspace_files_client.go`, for the errors that it reads.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.tree import durable
from lakelocal.workspace.tree.objects import (
    DIRECTORY,
    FILE,
    JUPYTER,
    JUPYTER_SUFFIX,
    KEEPS_SUFFIX,
    NOTEBOOK,
    SOURCE,
    SUFFIXES,
    TreeObject,
    language_in,
    without_suffix,
)
from lakelocal.workspace.tree.paths import inside, names_of

MOUNT = "Workspace"


class WorkspaceTree:
    """The objects below *root*, the folder that kernels see as `/Workspace`.

    Paths may begin with `/Workspace/` or omit it, as in `/Users/`; results have the form of the given path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parts = durable.Parts(root.with_name(f"{root.name}.parts"))
        self._naming = threading.Lock()

    def open(self, user: str) -> None:
        """Create the folders of every workspace and the home of *user*; remove what a killed server left behind."""
        self.parts.clear()
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (f"/Users/{user}", "/Shared", "/Repos"):
            self.make_folder(path)

    def find(self, path: str) -> TreeObject | None:
        """The object *path*; None if there is none."""
        prefix, names = _split(path)
        place = inside(self.root, names, path)
        if not names or place.is_dir():
            return TreeObject(DIRECTORY, _joined(prefix, names), place) if place.is_dir() else None
        found = [each for each in self._candidates(place) if each.path == place.name]
        if not found:
            return None
        newest = max(found, key=lambda each: each.place.stat().st_mtime_ns)
        return _at(newest, _joined(prefix, names))

    def get(self, path: str) -> TreeObject:
        """The object *path*.

        Raises:
            ApiError: there is none.
        """
        if found := self.find(path):
            return found
        raise not_there(f"Path ({path}) doesn't exist.")

    def list(self, path: str) -> Iterator[TreeObject]:
        """The objects in the folder *path*, by name; for a file or a notebook, the object itself.

        Raises:
            ApiError: there is no such object.
        """
        holder = self.get(path)
        if holder.kind != DIRECTORY:
            yield holder
            return
        found: dict[str, TreeObject] = {}
        for entry in sorted(os.listdir(holder.place)):
            for each in self._described(holder.place / entry):
                found.setdefault(each.path, each)
        for name in sorted(found):
            yield _at(found[name], f"{holder.path.rstrip('/')}/{name}")

    def make_folder(self, path: str) -> None:
        """Create the folder *path* and its parents, if absent.

        Raises:
            ApiError: one of them is a file or a notebook.
        """
        prefix, names = _split(path)
        place = inside(self.root, names, path)
        with self._naming:
            for length in range(1, len(names) + 1):
                found = self.find(_joined(prefix, names[:length]))
                if found is None:
                    break
                if found.kind != DIRECTORY:
                    raise _exists(found.path, f"It is a {found.kind.lower()}.")
            durable.make_folders(self.root, place)

    def write(self, path: str, content: bytes, *, overwrite: bool) -> TreeObject:
        """Write *content* as the object *path*, see `keep`.

        Raises:
            ApiError: as for `keep`.
        """
        with self.parts.holding(content) as part:
            return self.keep(path, part, overwrite=overwrite)

    def keep(self, path: str, part: Path, *, overwrite: bool) -> TreeObject:
        """Make *part*, a synchronised file of `parts`, the object *path*: a file or a notebook, depending on its
        content.

        The extension of a notebook is dropped from its name.

        Raises:
            ApiError: its folder does not exist, an object of another kind exists there, or one of the same kind exists
                and *overwrite* is False.
        """
        names = _split(path)[1]
        if not names:
            raise _exists(path, "It is the root.")
        if not language_in(names[-1], part):
            return self._settle(path, part, FILE, "", overwrite=overwrite)
        suffix = os.path.splitext(names[-1])[1]
        stem = path if path.lower().endswith(KEEPS_SUFFIX) else path[: -len(suffix)]
        return self._settle(stem, part, NOTEBOOK, suffix.lower(), overwrite=overwrite)

    def write_notebook(self, path: str, content: bytes, suffix: str, *, overwrite: bool) -> TreeObject:
        """Write *content*, the text of a file with the extension *suffix*, as a notebook with exactly the name *path*.

        Raises:
            ApiError: as for `keep`, or the content is not a notebook.
        """
        with self.parts.holding(content) as part:
            if not language_in(f"notebook{suffix}", part):
                raise wrong_value(f"The content of ({path}) is not a notebook in the format of `*{suffix}` files.")
            return self._settle(path, part, NOTEBOOK, suffix, overwrite=overwrite)

    def remove(self, path: str, *, recursive: bool) -> None:
        """Remove the object *path*; remove a folder with content only if *recursive*.

        Raises:
            ApiError: there is none, it is a folder that is not empty, or the root.
        """
        with self._naming:
            found = self.get(path)
            if found.place == self.root:
                raise wrong_value("The root of the workspace can't be deleted.")
            if found.kind == DIRECTORY and not recursive and any(found.place.iterdir()):
                raise ApiError("DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty. Delete it with `recursive`.", 400)
            self.parts.remove(found.place)

    def _settle(self, path: str, part: Path, kind: str, suffix: str, *, overwrite: bool) -> TreeObject:
        """Give *part* the name of the object *path*."""
        prefix, names = _split(path)
        if not names:
            raise _exists(path, "It is the root.")
        keeps = suffix and names[-1].lower().endswith(KEEPS_SUFFIX)
        place = inside(self.root, names, path)
        place = place.with_name(place.name if keeps else place.name + suffix)
        with self._naming:
            if not place.parent.is_dir():
                raise not_there(f"The parent folder ({_joined(prefix, names[:-1])}) does not exist.")
            found = self.find(path)
            if found and found.kind != kind:
                raise _exists(path, f"It is a {found.kind.lower()}, and the new content a {kind.lower()}.")
            if place.is_dir():
                raise _exists(path, f"The folder `{place.name}` has the name of its file.")
            if (found or place.exists()) and not overwrite:
                raise _exists(path)
            durable.settle(part, place, replace=overwrite)
            if found and found.place != place:
                self.parts.remove(found.place)
        return self.get(path)

    def _candidates(self, place: Path) -> Iterator[TreeObject]:
        """The objects in all files that may contain the object *place*."""
        for file in (place, *(place.with_name(place.name + suffix) for suffix in SUFFIXES)):
            yield from self._described(file)

    def _described(self, file: Path) -> Iterator[TreeObject]:
        """The object in *file*, with its name as its path; nothing if it is neither a file nor a folder."""
        try:
            if file.is_symlink():  # the folder that it is in was checked
                inside(self.root, file.relative_to(self.root).parts, file.name)
            if file.is_dir():
                yield TreeObject(DIRECTORY, file.name, file)
            elif file.is_file():
                name = file.name
                language = language_in(name, file)
                if not language:
                    yield TreeObject(FILE, name, file)
                else:
                    form = JUPYTER if name.lower().endswith(JUPYTER_SUFFIX) else SOURCE
                    yield TreeObject(NOTEBOOK, without_suffix(name), file, language, form)
        except (OSError, ApiError):
            return  # removed meanwhile, unreadable, or a link that leaves the tree


def _split(path: str) -> tuple[str, tuple[str, ...]]:
    """The prefix of *path*, `/Workspace` or nothing, and the names below it."""
    names = names_of(path)
    return (f"/{MOUNT}", names[1:]) if names[:1] == (MOUNT,) else ("", names)


def _joined(prefix: str, names: Iterable[str]) -> str:
    return "/".join((prefix, *names)) or "/"


def _at(found: TreeObject, path: str) -> TreeObject:
    return TreeObject(found.kind, path, found.place, found.language, found.format)


def _exists(path: str, why: str = "Choose another name, or set `overwrite`.") -> ApiError:
    return ApiError("RESOURCE_ALREADY_EXISTS", f"{why} Path ({path}) already exists.")
