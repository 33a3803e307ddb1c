"""Python functions on their way to the server, whose worker processes run them.

Spark's client pickles a function, but refers to everything that an importable module defines only by the module's name.
So a worker must import what the kernel can: modules beside the notebook, packages of `%pip`, the environment itself. A
call of `prepare` of `in_worker` is put in front of what the client pickled, and pickle makes it first in the worker:

    call of prepare(surroundings) | drop its result | what the client pickled

The surroundings are the current ones: the kernel's `sys.path` and its catalog. They are sent with each function,
because a worker serves a session, not a kernel, and a session imports more over time.

On a server that somebody else maintains, the kernel's folders may not exist: what the modules in them define is pickled
as a whole instead, and a worker without `lakelocal` can still run functions, except those that need a session.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from lakelocal.compute.surroundings import Surroundings, calling
from lakelocal.project import State

PREPARE = "lakelocal.compute.in_worker", "prepare"
# Run in a worker of somebody else's server, with `told` for the surroundings.
_WHERE_INSTALLED = """
import os
try:
    from lakelocal.compute.in_worker import prepare
except ImportError:
    if "SPARK_CONNECT_LOCAL_URL" in os.environ:
        raise ImportError(
            "foreachBatch: the Python of this server does not have the package `lakelocal`, which translates what the "
            "function asks Spark for. Install the notebook's environment there, or run the stream on the local server."
        ) from None
else:
    prepare(told)
"""


@dataclass(frozen=True)
class Carrier:
    """Prepares pickled functions for the workers of the server of *state*; *here*: it is the state's own server."""

    state: State
    here: bool = True

    def __call__(self, command: bytes, schema: str) -> bytes:
        """*command*, a pickled function, table function or data source, with its surroundings."""
        path = [os.path.abspath(entry) for entry in sys.path]
        own = [entry for entry in path if not _in_environment(entry)]
        state = self.state
        told = Surroundings(
            str(state.root), state.catalog, str(state.folder), schema, path, own, exclusive=self.here
        ).told()
        if self.here:
            return calling(*PREPARE, told) + command
        return calling("builtins", "exec", _WHERE_INSTALLED, {"told": told}) + _whole(command, own)


def _whole(command: bytes, folders: list[str]) -> bytes:
    """*command* including everything that modules in *folders* define in it, so that a worker needs none of them."""
    from pyspark import cloudpickle

    modules = list(_modules_in(folders))
    if not modules:
        return command
    registered = cloudpickle.list_registry_pickle_by_value()
    new = [module for module in modules if module.__name__ not in registered]
    for module in new:
        cloudpickle.register_pickle_by_value(module)
    try:
        whole: bytes = cloudpickle.dumps(cloudpickle.loads(command))
    finally:
        for module in new:
            cloudpickle.unregister_pickle_by_value(module)
    return whole


def _modules_in(folders: list[str]) -> Iterator[ModuleType]:
    """The imported modules that come from a source file in one of *folders*, and not from this package."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or not file or not file.endswith(".py") or name.partition(".")[0] == "lakelocal":
            continue
        if any(file.startswith(os.path.join(folder, "")) for folder in folders) and not _in_environment(file):
            yield module


def _in_environment(place: str) -> bool:
    return any(place == folder or place.startswith(os.path.join(folder, "")) for folder in _ENVIRONMENT)


_ENVIRONMENT = {
    os.path.abspath(folder)
    for folder in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
}
