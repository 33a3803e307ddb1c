"""`dbutils.notebook`: how a notebook ends, and which file a path names. Runs of others: tests/spark/test_kernel.py."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lakelocal.context import TaskContext
from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.notebook import Notebook, find_notebook

EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def context_of(tmp_path) -> TaskContext:
    return TaskContext(
        job_id=1,
        job_name="job",
        job_run_id=2,
        task_run_id=3,
        task_key="one",
        attempt_number=0,
        notebook=str(tmp_path / "notebooks" / "n.ipynb"),
        exit_file=str(tmp_path / "exit.txt"),
        values_folder=str(tmp_path / "values"),
    )


@pytest.mark.parametrize("in_a_job", [True, False])
def test_exit_is_a_plain_system_exit_with_zero(tmp_path, capsys, in_a_job):
    """papermill treats exactly that as a regular end; the value goes to the runner's file."""
    context = context_of(tmp_path) if in_a_job else None

    with pytest.raises(SystemExit) as caught:
        Notebook(SimpleNamespace(context=context, ip=None)).exit("done é")

    assert (type(caught.value), caught.value.code) == (SystemExit, 0)
    assert capsys.readouterr().out == "Notebook exited: done é\n"
    assert not in_a_job or (tmp_path / "exit.txt").read_text(encoding="utf-8") == "done é"


def test_a_path_starts_at_the_folder_of_the_current_notebook(tmp_path):
    """That of the task's notebook, wherever its kernel was started; the extension may be omitted."""
    (tmp_path / "notebooks").mkdir()
    for name in ("other.ipynb", "v1.2.ipynb"):
        (tmp_path / "notebooks" / name).write_text(EMPTY)
    folder = Notebook(SimpleNamespace(context=context_of(tmp_path), folder=tmp_path)).folder

    assert folder == tmp_path / "notebooks"
    assert find_notebook("./other", folder).name == "other.ipynb"
    assert find_notebook("../notebooks/other.ipynb", folder).name == "other.ipynb"
    assert find_notebook("v1.2", folder).name == "v1.2.ipynb"
    assert Notebook(SimpleNamespace(context=None, folder=tmp_path)).folder == tmp_path


@pytest.mark.parametrize("path", ["nope", "folder", "."])
def test_what_is_no_notebook_is_refused_with_where_it_was_looked_for(tmp_path, path):
    """A typo in a path is the usual cause."""
    (tmp_path / "folder").mkdir()

    with pytest.raises(DbutilsError, match=r"found no notebook of this name in .*relative to"):
        find_notebook(path, tmp_path)


@pytest.mark.parametrize("path", ["script", "script.py"])
def test_a_python_file_without_the_header_is_refused_with_the_reason(tmp_path, path):
    """It is where the notebook should be, so "not found" would be misleading."""
    (tmp_path / "script.py").write_text("print(1)\n")

    with pytest.raises(DbutilsError, match=r"its first line is `print\(1\)`; expected that of a notebook"):
        find_notebook(path, tmp_path)


def test_a_similar_notebook_is_named(tmp_path):
    """With or without the extension, and not a file that is no notebook."""
    (tmp_path / "report.sql").write_text("-- Databricks notebook source\nSELECT 1\n")
    (tmp_path / "reprots.csv").write_text("")
    (tmp_path / "reprots.py").write_text("print('a module')\n")

    with pytest.raises(DbutilsError, match="Did you mean `report`"):
        find_notebook("./reprot", tmp_path)


def test_a_notebook_that_is_run_has_the_packages_of_the_task(tmp_path):
    """It runs on the task's compute; otherwise it could not import what the notebook that runs it imports."""
    context = replace(context_of(tmp_path), installs=["%pip install six"], working_folder="w")

    child = Notebook(SimpleNamespace(context=context))._child(tmp_path / "n.ipynb", {"day": "1"}, tmp_path / "place")

    assert (child.installs, child.parameters, child.working_folder) == (["%pip install six"], {"day": "1"}, "")
