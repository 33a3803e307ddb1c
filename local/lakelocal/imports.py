"""Calls a function when a module is imported, no matter which code imports it."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from typing import Any


class when_imported(importlib.abc.MetaPathFinder):
    """Calls *action* directly after the module *name* is imported, or now if it already is."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self._name, self._action = name, action
        if name in sys.modules:
            action()
        else:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:  # it is not installed (yet)
            sys.meta_path.insert(0, self)
            return spec
        load = spec.loader.exec_module

        def load_then_act(module: Any) -> None:
            load(module)
            try:
                self._action()
            except BaseException:
                # The import fails with the reason: without our session, Spark would look for a server elsewhere.
                sys.meta_path.insert(0, self)
                raise

        spec.loader.exec_module = load_then_act  # type: ignore[method-assign]  # of this one loader only
        return spec
