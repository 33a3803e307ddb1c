"""What happens when a module is imported, whoever imports it."""

import importlib
import sys
from pathlib import Path

import pytest

from lakelocal.imports import when_imported
from lakelocal.kernel.functions import provide_functions


def test_the_action_follows_the_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and not before."""
    (tmp_path / "late_module.py").write_text("value = 1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    done: list[str] = []

    when_imported("late_module", lambda: done.append("acted"))
    before = list(done)
    importlib.import_module("late_module")
    monkeypatch.delitem(sys.modules, "late_module")

    assert (before, done) == ([], ["acted"])


def test_a_module_that_is_not_installed_is_missed_as_always(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The import says which module is missing; once it is installed, for example by %pip, the action follows it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    done: list[str] = []
    when_imported("installed_later", lambda: done.append("acted"))

    with pytest.raises(ModuleNotFoundError, match="No module named 'installed_later'"):
        importlib.import_module("installed_later")
    (tmp_path / "installed_later.py").write_text("value = 1")
    importlib.invalidate_caches()
    importlib.import_module("installed_later")
    monkeypatch.delitem(sys.modules, "installed_later")

    assert done == ["acted"]


def test_a_star_import_of_functions_has_the_names_that_it_has_on_databricks() -> None:
    """Those of older code and some types, but nothing that Spark's module itself has imported."""
    names: dict[str, object] = {}

    provide_functions()
    provide_functions()
    exec("from pyspark.sql.functions import *", names)
    functions = importlib.import_module("pyspark.sql.functions")

    assert names["countDistinct"] is vars(functions)["countDistinct"]
    assert names["DataFrame"] is importlib.import_module("pyspark.sql").DataFrame
    assert names["StructType"] is importlib.import_module("pyspark.sql.types").StructType
    assert "Callable" not in names
    assert len(set(functions.__all__)) == len(functions.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = functions.nothing
