"""What is read from a notebook without running it, and where nothing is guessed."""

from pathlib import Path

import pytest

from local.validate.notebooks import read_notebook
from tests.unit.validate_bundles import found, job, notebook, task


def read(tmp_path: Path, *cells: str):
    file = tmp_path / "n.ipynb"
    file.write_text(notebook(*cells))
    return read_notebook(file)


@pytest.mark.parametrize(
    ("cell", "keys", "computed"),
    [
        ("dbutils.jobs.taskValues.set('k', 1)", {"k"}, False),
        ("dbutils.jobs.taskValues.set(value=1, key='k')", {"k"}, False),
        ("if x:\n    dbutils.jobs.taskValues.set(key='k', value=1)", {"k"}, False),
        ("for k in ks:\n    dbutils.jobs.taskValues.set(key=k, value=1)", set(), True),
        ("dbutils.jobs.taskValues.set(key=f'k{n}', value=1)", set(), True),
        ("# dbutils.jobs.taskValues.set(key='k', value=1)", set(), False),
        ("'dbutils.jobs.taskValues.set(\"k\", 1)'", set(), False),
    ],
)
def test_keys_of_task_values(tmp_path: Path, cell: str, keys: set[str], computed: bool) -> None:
    """Literal keys; a computed one could be any."""
    seen = read(tmp_path, cell)

    assert (seen.sets, seen.sets_computed, seen.opaque) == (keys, computed, False)


@pytest.mark.parametrize(
    ("cell", "needs"),
    [
        ("dbutils.widgets.get('x')", {"x"}),
        ("getArgument('x')", {"x"}),
        ("getArgument('x', 'default')", set()),
        ("dbutils.widgets.get(name)", set()),
        ("dbutils.widgets.getAll()", set()),
        ("try:\n    x = dbutils.widgets.get('x')\nexcept Exception:\n    x = 1", set()),
        ("%sql\nSELECT :x", set()),
    ],
)
def test_widgets_that_are_read(tmp_path: Path, cell: str, needs: set[str]) -> None:
    """Only where the notebook would fail without them."""
    assert read(tmp_path, cell).needs == needs


@pytest.mark.parametrize(
    "cell",
    [
        "dbutils.widgets.text('x', '')",
        "dbutils.widgets.dropdown(name='x', defaultValue='a', choices=['a'])",
        "%sql\nCREATE WIDGET TEXT x DEFAULT ''",
        "%sql\n-- a list\ncreate widget dropdown `x` DEFAULT 'a' CHOICES SELECT 1",
    ],
)
def test_widgets_that_are_declared(tmp_path: Path, cell: str) -> None:
    """In Python and in SQL."""
    assert read(tmp_path, cell).declares == {"x"}


@pytest.mark.parametrize(
    ("cell", "opaque"),
    [
        ("%run ./common", True),
        ("%run ./common\nx = 1", True),
        ("helper(dbutils)", True),
        ("values = dbutils.jobs.taskValues", True),
        ("w = dbutils.widgets\nw.text('x', '')", True),
        ('%scala\ndbutils.widgets.text("x", "")', True),
        ("%r\n1", True),
        ("this is no Python", True),
        ("%md\n# Heading", False),
        ("%pip install x", False),
        ("%sh ls", False),
        ("%sql\nSELECT 1", False),
        ("%python\ndbutils.fs.ls('/')", False),
        ("", False),
    ],
)
def test_what_cannot_be_read_is_not_guessed(tmp_path: Path, cell: str, opaque: bool) -> None:
    """Other notebooks, other languages, `dbutils` under another name."""
    assert read(tmp_path, cell).opaque is opaque


def test_databricks_source_files(tmp_path: Path) -> None:
    """Cells, and magics behind `# MAGIC`."""
    file = tmp_path / "n.py"
    file.write_text(
        "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ----------\n\n"
        "dbutils.jobs.taskValues.set(key='k', value=1)\n\n# COMMAND ----------\n\n"
        "# MAGIC %sql\n# MAGIC CREATE WIDGET TEXT x DEFAULT ''\n"
    )

    seen = read_notebook(file)

    assert (seen.sets, seen.declares, seen.opaque) == ({"k"}, {"x"}, False)


@pytest.mark.parametrize(
    ("cells", "tagged", "base", "pushed", "rules"),
    [
        (["dbutils.widgets.get('x')"], "", {"x": "1"}, [], []),
        (["dbutils.widgets.get('x')"], "", {}, ["x"], []),
        (["dbutils.widgets.get('x')", "dbutils.widgets.text('x', '')"], "", {}, [], []),
        (["dbutils.widgets.get('x')"], "x = 1", {}, [], []),
        (["dbutils.widgets.get('x')", "%run ./other"], "", {}, [], []),
        (["dbutils.widgets.get('x')"], "", {}, [], ["parameter-missing"]),
        (["1"], "", {}, ["x"], []),  # a job's parameter is pushed down, wanted or not
        (["1"], "", {"x": "1"}, [], ["parameter-not-taken"]),
        (["helper(dbutils)"], "", {"x": "1"}, [], []),
        (["helper(dbutils, y=y)"], "y = 1", {"x": "1"}, [], ["parameter-not-taken"]),  # the tagged cell says it all
        (["dbutils.widgets.getAll()"], "", {"x": "1"}, [], []),
        (["%sql\nSELECT * FROM t WHERE d = :x"], "", {"x": "1"}, [], []),
    ],
)
def test_parameters_of_a_task_and_of_its_notebook(
    tmp_path: Path, cells: list[str], tagged: str, base: dict, pushed: list[str], rules: list[str]
) -> None:
    """Given and not taken; needed and not given."""
    parameters = [{"name": name, "default": ""} for name in pushed]
    own = {"notebook_path": "own.ipynb", "base_parameters": base}

    findings = found(
        tmp_path,
        {"j": job(task("a", notebook_task=own), parameters=parameters)},
        {"own.ipynb": notebook(*cells, parameters=tagged)},
    )

    assert [each.rule for each in findings] == rules


def test_a_parent_job_gives_what_its_child_needs(tmp_path: Path) -> None:
    """Parameters of a run-job task, and those of its job, are pushed down."""
    child = job(task("a", notebook_task={"notebook_path": "own.ipynb"}))
    run = {"job_id": "${resources.jobs.child.id}", "job_parameters": {"x": "1"}}
    parent = job(task("t", run_job_task=run), parameters=[{"name": "y", "default": ""}])
    needs = {"own.ipynb": notebook("dbutils.widgets.get('x')", "dbutils.widgets.get('y')")}

    assert found(tmp_path, {"child": child, "parent": parent}, needs) == []
    assert [each.found.split(",")[0] for each in found(tmp_path, {"child": child}, needs)] == [
        "no parameter `x`",
        "no parameter `y`",
    ]
