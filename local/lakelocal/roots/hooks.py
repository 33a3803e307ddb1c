"""Makes Python's functions translate Databricks' paths, where the machine does not let a process have mounts.

Every function that takes a path is replaced by one that translates the path first: in `os`, `io`, the builtins,
`sqlite3` and, when they are imported, the modules of pyarrow. `pathlib`, `shutil`, `glob`, pandas and others call
these. Paths that reach the system in another way are refused: see `refusals` and `landlock`.
"""

import builtins
import functools
import glob
import importlib.machinery
import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from lakelocal.imports import when_imported
from lakelocal.paths import DBFS, ROOTS, VOLUMES, DatabricksPaths, in_root
from lakelocal.roots.refusals import WRITING, check_in_volume

_OS = (
    {"access", "chdir", "chmod", "chown", "getxattr", "lchown", "link", "listdir", "listxattr", "lstat", "mkdir"}
    | {"mkfifo", "mknod", "open", "pathconf", "readlink", "remove", "removexattr", "rename", "replace", "rmdir"}
    | {"scandir", "setxattr", "stat", "statvfs", "symlink", "truncate", "unlink", "utime"}
)
# Modules that keep their own reference to `open` from when they were imported.
_TAKEN = {
    "bz2": "_builtin_open",
    "tarfile": "bltn_open",
    "tokenize": "_builtin_open",
    "IPython.core.interactiveshell": "io_open",
}
_LIBRARIES = {
    "sqlite3": "connect",
    "sqlite3.dbapi2": "connect",
    "pyarrow": "OSFile memory_map create_memory_map input_stream output_stream",
    "pyarrow.csv": "open_csv read_csv write_csv",
    "pyarrow.dataset": "dataset parquet_dataset write_dataset",
    "pyarrow.feather": "read_feather read_table write_feather",
    "pyarrow.json": "open_json read_json",
    "pyarrow.orc": "read_table write_table",
    "pyarrow.parquet": "read_metadata read_schema read_table write_metadata write_table write_to_dataset",
}
# The audit event that describes what a function changes.
_EVENTS = {
    "open": "open",
    "mkdir": "os.mkdir",
    "rmdir": "os.rmdir",
    "rename": "os.rename",
    "replace": "os.rename",
    "link": "os.link",
    "symlink": "os.symlink",
}


def install(paths: DatabricksPaths, is_own: Callable[[str], bool]) -> None:
    """Make the functions of this process use the place on this machine for each path in `ROOTS`.

    Args:
        paths: the paths of the catalog.
        is_own: whether a path belongs to the state, the project or Python, which may be on a disk in /Volumes.
    """
    translation = _Translation(paths, is_own)
    _replace(os, _OS, translation)
    opened = translation.around(io.open, "io")
    for module, name in ((io, "open"), (builtins, "open"), *((sys.modules.get(m), n) for m, n in _TAKEN.items())):
        if module is not None:
            setattr(module, name, opened)
    if shell := sys.modules.get("IPython.core.interactiveshell"):
        vars(vars(shell)["_modified_open"])["__wrapped__"] = opened  # it is pickled with any function that calls open()
    if own := getattr(glob, "_StringGlobber", None):  # since Python 3.13 it keeps references to functions of `os`
        for name in ("lstat", "scandir"):
            setattr(own, name, staticmethod(getattr(os, name)))
    for library, functions in _LIBRARIES.items():
        when_imported(library, functools.partial(_replace_in, library, functions.split(), translation))
    sys.path_hooks.insert(0, functools.partial(_finder, translation))


class _Translation:
    """Returns the place on this machine for a path in `ROOTS`, and any other value unchanged."""

    def __init__(self, paths: DatabricksPaths, is_own: Callable[[str], bool]) -> None:
        self._paths, self._is_own = paths, is_own

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, (str, bytes, os.PathLike)):
            return value
        plain = os.fspath(value)
        text = os.fsdecode(plain)
        if not any(root in text for root in ROOTS):
            return value
        absolute = os.path.abspath(text)
        if not in_root(absolute) or self._is_own(absolute):
            return value
        if absolute in (VOLUMES, f"{DBFS}{VOLUMES}"):  # a folder with the names of the catalogs
            local = str(self._paths.catalogs.linked())
        else:
            local = str(self._paths.to_local(absolute))
        return os.fsencode(local) if isinstance(plain, bytes) else local

    def around(self, function: Callable[..., Any], module: str) -> Callable[..., Any]:
        """*function* of *module* with translated arguments; it cannot change the bundle or anything above a volume."""
        event = _EVENTS.get(function.__name__)

        @functools.wraps(function)
        def with_paths(*arguments: Any, **named: Any) -> Any:
            if event:
                self._check(event, arguments, named)
            return function(*map(self, arguments), **{name: self(value) for name, value in named.items()})

        with_paths.__module__ = module  # pickle writes the name only, and a worker has its own function
        return with_paths

    def _check(self, event: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if event != "open":
            check_in_volume(self._paths, event, (*arguments, *named.values()))
            return
        path, how, *_ = (*arguments, *named.values(), "r")
        flags = how if isinstance(how, int) else os.O_WRONLY * bool(set(str(how)) & set("wax+"))
        if flags & WRITING and isinstance(path, (str, bytes, os.PathLike)):
            self._paths.refuse_bundle_file(os.path.abspath(os.fsdecode(path)))
        check_in_volume(self._paths, event, (path, None, flags))


def _replace(owner: Any, names: Iterable[str], translation: _Translation) -> None:
    sets = [getattr(os, f"supports_{what}") for what in ("dir_fd", "effective_ids", "fd", "follow_symlinks")]
    for name in names:
        if (function := getattr(owner, name, None)) is None:  # not every system has every function
            continue
        made = translation.around(function, owner.__name__)
        setattr(owner, name, made)
        for supporting in sets:  # `shutil` looks up in these sets what it may call
            if function in supporting:
                supporting.add(made)


def _replace_in(module: str, names: Iterable[str], translation: _Translation) -> None:
    _replace(sys.modules[module], names, translation)


def _finder(translation: _Translation, entry: str) -> Any:
    """The finder of the modules in the folder *entry* of `sys.path`.

    Raises:
        ImportError: *entry* is not in `ROOTS`; Python then asks the next hook.
    """
    place = translation(entry)
    if place == entry:
        raise ImportError("a folder of this machine")
    return importlib.machinery.FileFinder(place, *_loaders())


def _loaders() -> list[tuple[Any, list[str]]]:
    machinery = importlib.machinery
    return [
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (machinery.SourceFileLoader, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    ]
