"""A notebook that is a source file hides no module of its name, and is none."""

import sys
from pathlib import Path

import pytest

from lakelocal.kernel.notebook_modules import NotebooksAreNotModules


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook's folder, first on the path, as in a kernel."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [NotebooksAreNotModules(tmp_path), *sys.meta_path])
    for name in ("colorsys", "only_notebook", "plain_module"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_the_module_behind_a_notebook_is_found(folder: Path) -> None:
    """`colorsys` of the standard library, in place of the notebook of that name."""
    (folder / "colorsys.py").write_text("# Databricks notebook source\nraise RuntimeError('the notebook ran')\n")

    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_notebook_alone_is_not_imported(folder: Path, start: str) -> None:
    """The message says what to do, as on Databricks nothing is found."""
    (folder / "only_notebook.py").write_text(f"{start}# Databricks notebook source\nx = 1\n", encoding="utf-8")

    with pytest.raises(ModuleNotFoundError, match=r"No module named 'only_notebook'.*%run \./only_notebook"):
        import only_notebook  # noqa: F401


def test_a_file_of_python_is_a_module(folder: Path) -> None:
    """Only the first line makes a notebook."""
    (folder / "plain_module.py").write_text("'''Docs.'''\n# Databricks notebook source\nx = 1\n")

    import plain_module

    assert plain_module.x == 1
