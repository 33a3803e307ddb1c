"""What a notebook takes and returns, read without running it, once for `run` and `validate`; nothing is guessed."""

import os
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import NotebookError, UsageError
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.notebook_interface import NotebookInterface, read_interface
from lakelocal.project import Project
from tests.unit.validate_bundles import found, job, notebook, task


def read(tmp_path: Path, *cells: str, parameters: str = "") -> NotebookInterface:
    file = tmp_path / "n.ipynb"
    file.write_text(notebook(*cells, parameters=parameters))
    return read_interface(file)


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

    assert (seen.sets, seen.sets_any, seen.opaque) == (keys, computed, False)


@pytest.mark.parametrize(
    ("cell", "needs"),
    [
        ("dbutils.widgets.get('x')", {"x"}),
        ("getArgument('x')", {"x"}),
        ("getArgument('x', 'default')", set()),
        ("dbutils.widgets.get(name)", set()),
        ("dbutils.widgets.getAll()", set()),
        ("try:\n    x = dbutils.widgets.get('x')\nexcept Exception:\n    x = 1", set()),
        ("getArgument('x', defaultValue='default')", set()),
        ("dbutils.widgets.getArgument('x')", {"x"}),
        ("try:\n    x = dbutils.widgets.get('x')\nexcept* Exception:\n    x = 1", set()),
        ("try:\n    x = 1\nfinally:\n    dbutils.widgets.get('x')", {"x"}),
        ("%sql\nSELECT :x", {"x"}),
        ("%sql\nSELECT getArgument('x')", {"x"}),
        ("%sql\nSELECT ${x}, '${x}'", set()),
        ("%%time\ndbutils.widgets.get('x')", {"x"}),
        ("%time y = dbutils.widgets.get('x')", {"x"}),
        ("%python\ndbutils.widgets.get('x')", {"x"}),
        ("%md\ndbutils.widgets.get('x')", set()),
        ("other.widgets.get('x')", set()),
    ],
)
def test_widgets_that_are_needed(tmp_path: Path, cell: str, needs: set[str]) -> None:
    """Only if the notebook would fail without them, as SQL does at a marker without a value."""
    assert read(tmp_path, cell).needs == needs


@pytest.mark.parametrize(
    "cell",
    [
        "dbutils.widgets.text('x', '')",
        "dbutils.widgets.dropdown(name='x', defaultValue='a', choices=['a'])",
        "%sql\nCREATE WIDGET TEXT x DEFAULT ''",
        "%sql\n-- a list\ncreate widget dropdown `x` DEFAULT 'a' CHOICES SELECT 1",
        "%sql\nSELECT ';'; CREATE WIDGET TEXT x DEFAULT ''; REMOVE WIDGET y",
        "%%sql\nCREATE WIDGET TEXT x DEFAULT '' -- CREATE WIDGET TEXT y DEFAULT ''",
        "%sql\nCREATE WIDGET TEXT x DEFAULT ''; SELECT 'CREATE WIDGET TEXT y DEFAULT 1'; CREATE WIDGET TEXT z",
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
        ("files = !ls", True),
        ("x = 1\n%run ./common", True),
        ("%%bash\nls", True),
        ("%%time\nx = 1", False),
        ("%load_ext autoreload\n%autoreload 2", False),
        ("x = ('a %s'\n  % (1))", False),
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
    """Cells, and magics after `# MAGIC`."""
    file = tmp_path / "n.py"
    file.write_text(
        "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ----------\n\n"
        "dbutils.jobs.taskValues.set(key='k', value=1)\n\n# COMMAND ----------\n\n"
        "# MAGIC %sql\n# MAGIC CREATE WIDGET TEXT x DEFAULT ''\n"
    )

    seen = read_interface(file)

    assert (seen.sets, seen.declares, seen.opaque) == ({"k"}, {"x"}, False)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("SELECT ':day' -- :comment", []),
        ("SELECT getArgument('day')", ["day"]),
        ('SELECT GETARGUMENT( "day" ) /* :comment */', ["day"]),
        ("SELECT * FROM t WHERE a>=:day AND b<=:until", ["day", "until"]),
        ("SHOW TABLES IN IDENTIFIER(:day)", ["day"]),
        ("VACUUM t RETAIN :day HOURS", ["day"]),
        ("SELECT :`day`, :`a-b`", ["a-b", "day"]),
        ("SELECT :'day', :1", []),
        ("SELECT raw:owner, map(1, 2):n, a[0]:b, 'x':y", []),
        ("SELECT ${day}, '${text}', $n", ["day", "text"]),
        ("CREATE WIDGET TEXT day DEFAULT ''", ["day"]),
        ("REMOVE WIDGET day", []),
        ("SELECT 'open :day", []),
    ],
)
def test_the_parameters_of_an_sql_cell_are_those_that_it_is_filled_with(
    tmp_path: Path, cell: str, names: list[str]
) -> None:
    """By tokens: what is in a string or a comment is text, and a colon after a value reads JSON."""
    assert read(tmp_path, f"%sql\n{cell}").names == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("getArgument('day')", ["day"]),
        ("other.widgets.get('day')", ["day"]),
        ("dbutils.widgets.remove('day')", []),
        ("%md\ndbutils.widgets.get('day')", []),
        ("%%time\ndbutils.widgets.get('day')", ["day"]),
    ],
)
def test_the_parameters_of_a_python_cell(tmp_path: Path, cell: str, names: list[str]) -> None:
    """Including those that are read in a deprecated way, through a copy of `dbutils`, or in a timed cell."""
    assert read(tmp_path, cell).names == names


def test_defaults_are_those_of_the_parameters_cell(tmp_path: Path) -> None:
    """Magics and other languages are passed over; a value that is not a literal is only known at run time."""
    seen = read(
        tmp_path,
        "%pip install x\nother = 1",
        "dbutils.widgets.text('day', '')\nvalue = dbutils.widgets.get(name='mode')",
        "%%sql\nSELECT 1",
        "SELECT nonsense FROM",
        parameters='catalog: str = "dev"  # where\nrows: int = 10\nrate = 0.5\nlate = rate * 2',
    )

    assert dict(seen.defaults) == {"catalog": "dev", "rows": 10, "rate": 0.5, "late": None}
    assert (seen.declares, seen.reads) == ({"day"}, {"mode"})
    assert seen.names == ["catalog", "day", "late", "mode", "rate", "rows"]
    assert seen.takes("rows")
    assert not seen.takes("other")


def test_an_sql_source_file_has_cells_of_both_languages(tmp_path: Path) -> None:
    """Statements, and magics after `-- MAGIC`."""
    file = tmp_path / "m.sql"
    file.write_text(
        "-- Databricks notebook source\nCREATE WIDGET TEXT day DEFAULT ''; SELECT getArgument('state'), ${table}\n"
        "-- COMMAND ----------\n-- MAGIC %python\n-- MAGIC dbutils.widgets.get('mode')\n"
    )

    seen = read_interface(file)

    assert (seen.declares, seen.reads, seen.needs) == ({"day"}, {"state", "table", "mode"}, {"state", "mode"})


@pytest.mark.parametrize("cell", ["dbutils.widgets.getAll()", "dbutils.widgets.get(n)", "getArgument(n)", "%run ./x"])
def test_a_notebook_whose_parameters_cannot_be_listed_takes_anything(tmp_path: Path, cell: str) -> None:
    """So nothing is called unknown, unless its parameters cell lists them."""
    assert read(tmp_path, cell).takes("x")


def test_a_file_that_is_not_a_notebook_is_refused(tmp_path: Path) -> None:
    """It is not mistaken for a notebook without parameters."""
    (tmp_path / "n.py").write_text("x = 1\n")

    with pytest.raises(NotebookError, match=r"n\.py"):
        read_interface(tmp_path / "n.py")


def test_a_notebook_that_changes_is_read_again(tmp_path: Path) -> None:
    """A scheduler outlives edits."""
    assert read(tmp_path, "dbutils.widgets.get('x')").names == ["x"]
    os.utime(tmp_path / "n.ipynb", (0, 0))
    assert read(tmp_path, "dbutils.widgets.get('y')").names == ["y"]


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
        (["%sql\nSELECT * FROM t WHERE d = :x"], "", {}, [], ["parameter-missing"]),
        (["%sql\nSELECT getArgument('x')"], "", {"x": "1"}, [], []),
        (["%sql\nSELECT ':x' -- :x"], "", {"x": "1"}, [], ["parameter-not-taken"]),
        (["getArgument('x')"], "", {"x": "1"}, [], []),
    ],
)
def test_parameters_of_a_task_and_of_its_notebook(
    tmp_path: Path, cells: list[str], tagged: str, base: dict, pushed: list[str], rules: list[str]
) -> None:
    """Given and not taken, for `validate` as for a strict run; needed and not given."""
    parameters = [{"name": name, "default": ""} for name in pushed]
    own = {"notebook_path": "own.ipynb", "base_parameters": base}

    findings = found(
        tmp_path,
        {"j": job(task("a", notebook_task=own), parameters=parameters)},
        {"own.ipynb": notebook(*cells, parameters=tagged)},
    )

    assert [each.rule for each in findings] == rules
    assert refuses(tmp_path) == ("parameter-not-taken" in rules)


def refuses(folder: Path) -> bool:
    """Does a strict run of the job in *folder* refuse a parameter?"""
    bundle = load_bundle(Project.at(folder))
    try:
        check_run(bundle, bundle.job("j"), strict=True)
    except UsageError as error:
        return "found the parameter" in str(error)
    return False


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
