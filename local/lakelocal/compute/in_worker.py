"""Prepares a worker process of the server before a function of a kernel runs there.

pickle calls `prepare`, see `functions`. A worker serves one session and is reused, so all of this may be called any
number of times.
"""

import importlib
import os
import sys
import time
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from types import ModuleType
from typing import Any

from lakelocal.compute.surroundings import Surroundings, calling
from lakelocal.compute.worker_modules import provide_modules, session
from lakelocal.roots.enter import enter

_OF_A_BATCH = "pyspark.sql.connect.streaming.worker.foreach_batch_worker"  # it has a session
# What the worker itself uses and keeps: what is imported now, and what it imports later.
_KEPT = {key.partition(".")[0] for key in sys.modules} | {"numpy", "pandas", "pyarrow", "google", "grpc"}
_own_path = list(sys.path)  # as it was when the process began
_batch: tuple[str, Surroundings] | None = None  # the surroundings of the function for a stream's batches
_files: dict[str, int] = {}  # when each module from the kernel's folders was changed, in ns
_TICK = 20_000_000  # ns: the times of files are coarser than the clock
_looked = time.time_ns()  # when the modules were last compared with their files


def prepare(told: str) -> None:
    """Make this process like the kernel with the surroundings *told*: its modules, and its session if it has one."""
    surroundings = Surroundings.read(told)
    if surroundings.exclusive:
        enter(surroundings.state)
    _take_path(surroundings)
    _forget_changed(surroundings.own)
    provide_modules()
    _pass_on(told)
    _read_whole_numbers()
    if _worker() == _OF_A_BATCH:
        _speak_dialect(told, surroundings)


def _take_path(surroundings: Surroundings) -> None:
    """Import from where the kernel does; what Spark has put on the path for the session's artifacts stays in front."""
    if surroundings.exclusive:
        kernel, rest = surroundings.path, []
    else:
        kernel, rest = [entry for entry in surroundings.own if os.path.isdir(entry)], _own_path
    path = list(dict.fromkeys([*_artifacts(), *kernel, *rest]))
    if path != sys.path:
        sys.path[:] = path
        importlib.invalidate_caches()
        _forget_moved()


def _artifacts() -> list[str]:
    """What Spark has put on the path: a folder named after the session, and files in it."""
    session = os.environ.get("SPARK_JOB_ARTIFACT_UUID", "")
    return [entry for entry in sys.path if session and session in entry]


def _forget_moved() -> None:
    """Forget the imported packages that the path now finds elsewhere, so that the next import uses those."""
    for name in {key.partition(".")[0] for key in sys.modules} - _KEPT - sys.stdlib_module_names:
        file = getattr(sys.modules.get(name), "__file__", None)
        found = PathFinder.find_spec(name) if file else None
        if found is not None and found.origin and found.origin != file:
            _forget(name)


def _forget_changed(folders: list[str]) -> None:
    """Forget the modules of *folders* if the file of one of them has changed: one may contain what another defines.

    A module that was not seen before was imported after the last look, and its file may have changed since.
    """
    global _looked
    changed = False
    for name, module in _modules_in(folders):
        now = _changed_at(module)
        changed |= now >= _looked - _TICK if name not in _files else now != _files[name]
        _files[name] = now
    if changed:
        for name in {key.partition(".")[0] for key, _ in _modules_in(folders)}:
            _forget(name)
        _files.clear()
    _looked = time.time_ns()


def _changed_at(module: ModuleType) -> int:
    """When the file of *module* was last changed, in ns; 0 if it no longer exists."""
    try:
        return os.stat(module.__file__ or "").st_mtime_ns
    except OSError:
        return 0


def _modules_in(folders: list[str]) -> list[tuple[str, ModuleType]]:
    places = tuple(os.path.join(folder, "") for folder in folders)
    return [
        (name, module)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in _KEPT and (getattr(module, "__file__", None) or "").startswith(places)
    ]


def _forget(package: str) -> None:
    """Let *package* be imported again; a package with compiled parts can be imported only once, and stays."""
    own = [key for key in sys.modules if key.partition(".")[0] == package]
    files = [str(getattr(sys.modules[key], "__file__", "")) for key in own]
    if not any(file.endswith(tuple(EXTENSION_SUFFIXES)) for file in files):
        for key in own:
            del sys.modules[key]


def _pass_on(told: str) -> None:
    """Give what this worker pickles for the next worker the same surroundings.

    A table function's analysis and a data source are planned in separate workers, which pass objects of the user's
    classes on to those that compute. What they pickle is only read by workers.
    """
    from pyspark.worker_util import pickleSer

    if _worker() == "pyspark.worker":
        return
    plain = type(pickleSer).dumps
    prefix = _calls_prepare(told)
    pickleSer.dumps = lambda value: prefix + plain(pickleSer, value)  # type: ignore[method-assign,no-untyped-call]


@lru_cache
def _read_whole_numbers() -> None:
    """Let `applyInPandasWithState` locate rows with integers.

    Spark reads the positions of a group's rows from a column of structs, some of them NULL. pyarrow turns integers into
    floating-point numbers if some are NULL, and does not accept those as positions.
    """
    from pyspark.sql.pandas import serializers

    reader: Any = serializers.ApplyInPandasWithStateSerializer
    convert = reader.arrow_to_pandas

    def arrow_to_pandas(self: Any, column: Any, index: int) -> Any:
        names = {field.name for field in column.type} if str(column.type).startswith("struct") else set()
        if {"startOffset", "numRows", "isLastChunk"} <= names:
            import pandas

            return pandas.Series(column.to_pylist(), dtype=object)
        return convert(self, column, index)

    reader.arrow_to_pandas = arrow_to_pandas


@lru_cache
def _worker() -> str:
    """The Spark module that this worker runs."""
    main = sys.modules["__main__"].__spec__
    if main is None or main.name.endswith("daemon"):
        return sys.argv[1] if len(sys.argv) > 1 else ""
    return main.name


def _calls_prepare(told: str) -> bytes:
    return calling(__name__, prepare.__name__, told)


def surroundings_of_batch() -> Surroundings | None:
    """The surroundings of the foreachBatch function that this worker is for; None in any other worker."""
    return _batch[1] if _batch else None


def _speak_dialect(told: str, surroundings: Surroundings) -> None:
    """Make the session of this worker like the kernel's, in every thread."""
    global _batch
    if _batch is not None:
        assert _batch[0] == told, "the worker of a stream has one function"
        return
    _batch = told, surroundings
    from lakelocal.compute.session import register, translate

    found = session()
    translate(found, surroundings.state, lambda command, _: _calls_prepare(told) + command, surroundings.schema)
    register(found)
