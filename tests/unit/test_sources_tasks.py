"""Tasks that are not notebooks: what the bundle knows about their files, and the notebooks generated for them."""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lakelocal.bundle import Bundle, load_bundle
from lakelocal.errors import BundleError, LocalError, RunError
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.task_types import python_file, sql, wheel
from lakelocal.jobs.task_types.in_kernel import command_line, write_cells
from lakelocal.project import Project

FILES = {
    "src/etl.py": "print(1)\n",
    "src/n.py": "# Databricks notebook source\n",
    "sql/report.sql": "-- a report\nSELECT ';' AS a;\n\n"
    "SELECT * -- {{ no }}\nFROM IDENTIFIER({{ table }})\nWHERE day = :day AND '{{table}}' <> '';\nSELECT ';' AS a\n",
}


def load(root: Path, task: dict[str, Any], files: dict[str, str] | None = None, **job: Any) -> Bundle:
    """A bundle of one job of one task, written in a file of the folder `jobs`."""
    jobs = {"j": {"name": "J", "tasks": [{"task_key": "t", **task}], **job}}
    written = {
        **FILES,
        "databricks.yml": "bundle: {name: b}\ninclude: [jobs/*.json]\n",
        "jobs/j.json": json.dumps({"resources": {"jobs": jobs}}),
        **(files or {}),
    }
    for name, text in written.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return load_bundle(Project.at(root))


def python_task(**settings: Any) -> dict[str, Any]:
    return {"spark_python_task": {"python_file": "../src/etl.py"}, **settings}


WHEEL = {"python_wheel_task": {"package_name": "my_pkg", "entry_point": "main"}}
SQL = {"sql_task": {"warehouse_id": "w", "file": {"path": "../sql/report.sql"}}}


@pytest.mark.parametrize(("task", "file"), [(python_task(), "src/etl.py"), (SQL, "sql/report.sql"), (WHEEL, None)])
def test_a_task_knows_its_file(tmp_path: Path, task: dict, file: str | None) -> None:
    """Its path is relative to the file of the job."""
    assert load(tmp_path, task).job("j").task("t").file == (file and tmp_path / file)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../src/gone.py", r"task `t`: found no file `\.\./src/gone\.py`; expected `src/gone\.py`"),
        ("../../etl.py", "outside of the bundle"),
        ("../src/n.py", "a notebook; expected a plain file. Make the task a `notebook_task`"),
    ],
)
def test_a_file_that_cannot_run_is_refused_when_the_bundle_is_read(tmp_path: Path, path: str, reason: str) -> None:
    """With file and line, as for a notebook."""
    with pytest.raises(BundleError, match=rf"`jobs/j\.json:1`: .*{reason}"):
        load(tmp_path, {"spark_python_task": {"python_file": path}}).job("j")


@pytest.mark.parametrize("path", ["/Workspace/etl.py", "dbfs:/etl.py", "s3://bucket/etl.py"])
def test_a_file_of_a_workspace_is_missed_when_the_turn_of_its_task_comes(tmp_path: Path, path: str) -> None:
    """The bundle is read, and its other tasks run."""
    task = load(tmp_path, {"spark_python_task": {"python_file": path}}).job("j").task("t")

    assert task.file is None
    assert task.elsewhere is not None and f"found the file `{path}` of a workspace" in str(task.elsewhere)


def test_libraries_are_the_tasks_and_its_environments(tmp_path: Path) -> None:
    """In this order; those of other environments, and those that are not Python, are left out."""
    libraries = [
        {"whl": "../dist/*.whl"},
        {"jar": "x.jar"},
        {"pypi": {"package": "six==1.16.0", "repo": "https://example.com"}},
        {"requirements": "./requirements.txt"},
    ]
    environments = [
        {"environment_key": "other", "spec": {"dependencies": ["no"]}},
        {"environment_key": "default", "spec": {"environment_version": "4", "dependencies": ["pandas", "../x.whl"]}},
    ]

    task = (
        load(tmp_path, python_task(libraries=libraries, environment_key="default"), environments=environments)
        .job("j")
        .task("t")
    )

    assert [library.text for library in task.libraries] == [
        "../dist/*.whl",
        "six==1.16.0 --index-url https://example.com",
        "-r ./requirements.txt",
        "pandas",
        "../x.whl",
    ]
    assert {library.folder for library in task.libraries} == {tmp_path / "jobs"}


def arguments(root: Path, *texts: str, files: dict[str, str] | None = None, **task: Any) -> list[str]:
    environments = [{"environment_key": "e", "spec": {"dependencies": list(texts)}}]
    bundle = load(root, {**(task or python_task()), "environment_key": "e"}, files, environments=environments)
    return [install.arguments for install in installs_of(bundle.job("j").task("t"), bundle)]


def test_what_pip_is_told(tmp_path: Path) -> None:
    """Paths are absolute, because the notebook runs elsewhere; of two wheels of a project, the newer is used."""
    files = {f"dist/{name}-py3-none-any.whl": "" for name in ("my_pkg-0.1", "my_pkg-0.2", "other-1")}
    load(tmp_path, python_task(), {**files, "dir/pyproject.toml": "", "r.txt": ""})
    os.utime(tmp_path / "dist/my_pkg-0.2-py3-none-any.whl", (1, 1))  # built before 0.1

    told = arguments(
        tmp_path, "../dist/*.whl", "pandas>=2", "-r ../r.txt", "../dir", "--editable ../dir", "/Volumes/c/s/v/x.whl"
    )

    wheels = f"{tmp_path}/dist/my_pkg-0.1-py3-none-any.whl {tmp_path}/dist/other-1-py3-none-any.whl"
    assert told == [
        f"--no-deps --force-reinstall {wheels}",
        wheels,
        "'pandas>=2'",
        f"-r {tmp_path}/r.txt",
        f"-e {tmp_path}/dir",
        f"--editable {tmp_path}/dir",
        "--no-deps --force-reinstall /Volumes/c/s/v/x.whl",
        "/Volumes/c/s/v/x.whl",
    ]


def test_the_extras_of_a_wheel_are_kept(tmp_path: Path) -> None:
    """With or without a pattern; a requirement with a URL is not a path."""
    name, address = "my_pkg-0.1-py3-none-any.whl", "my_pkg @ https://example.com/my_pkg-0.1-py3-none-any.whl"

    told = arguments(tmp_path, f"../dist/{name}[train]", "../dist/*.whl[a,b]", address, files={f"dist/{name}": ""})

    wheel = f"{tmp_path}/dist/{name}"
    assert told == [
        *(f"--no-deps --force-reinstall '{wheel}[train]'", f"'{wheel}[train]'"),
        *(f"--no-deps --force-reinstall '{wheel}[a,b]'", f"'{wheel}[a,b]'"),
        f"'{address}'",
    ]


@pytest.mark.parametrize(
    ("wheel", "place"),
    [("../dist/*.whl", "."), ("../packages/mine/dist/my_pkg-*.whl", "packages/mine")],
)
def test_a_wheel_that_is_not_built_is_imported_from_its_source(tmp_path: Path, wheel: str, place: str) -> None:
    """From the project above its folder, or the bundle's; the executed notebook says so."""
    files = {f"{place}/pyproject.toml": '[project]\nname = "my-pkg"\n'}
    bundle = load(tmp_path, {**WHEEL, "libraries": [{"whl": wheel}]}, files)

    (install,) = installs_of(bundle.job("j").task("t"), bundle)

    assert install.arguments == f"-e {(tmp_path / place).resolve()}"
    assert f"There is no wheel `{wheel}`: `my-pkg` is imported from its source tree, `{place}`" in install.note


@pytest.mark.parametrize(
    ("library", "files", "expected"),
    [
        (
            "../dist/*.whl",
            {},
            r"`jobs/j\.json:1`: task `t`: found no wheel `\.\./dist/\*\.whl` for the package `my_pkg`, whose entry "
            r"point `main` it runs .*Build the wheel by `python -m build --wheel`",
        ),
        (
            "../dist/*.whl",
            {"pyproject.toml": '[project]\nname = "another"\n'},
            r"found no wheel .* no Python project of it in `[^`]+`\. Build",  # each folder is named once
        ),
        (
            "s3://bucket/x.whl",
            {},
            "found the library `s3://bucket/x.whl`; expected a path in the bundle, in a volume or",
        ),
    ],
)
def test_a_wheel_that_cannot_be_had_is_an_error(tmp_path: Path, library: str, files: dict, expected: str) -> None:
    """It names the wheel, the package, and what to build."""
    with pytest.raises(RunError, match=expected):
        arguments(tmp_path, library, files=files, **WHEEL)


def generated(bundle: Bundle, parameters: Any, place: Path) -> tuple[list[Any], Path]:
    task = bundle.job("j").task("t")
    made = {"spark_python_task": python_file, "python_wheel_task": wheel, "sql_task": sql}[task.kind]
    given = (bundle,) if made is sql else ()
    notebook, folder = write_cells(task, made.cells(task, parameters, *given), place)
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    return content.cells, folder


def test_a_python_file_runs_in_its_own_folder(tmp_path: Path) -> None:
    """With its parameters unchanged, including quotes."""
    cells, folder = generated(load(tmp_path, python_task()), ["--day", 'it\'s \\ "x"'], tmp_path / "t.ipynb")

    assert folder == tmp_path / "src"
    assert cells[0].source == "# etl.py"
    called: list[Any] = []
    exec(cells[1].source.partition("\n\n")[2], {"run_script": lambda *words: called.extend(words)})
    assert called == [str(tmp_path / "src/etl.py"), ["--day", 'it\'s \\ "x"']]


def test_a_wheel_runs_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """It finds no file of the bundle, as on Databricks."""
    files = {"dist/my_pkg-1-py3-none-any.whl": ""}
    bundle = load(tmp_path, {**WHEEL, "libraries": [{"whl": "../dist/*.whl"}]}, files)

    cells, folder = generated(bundle, {"day": "1", "mode": "a b"}, tmp_path / "t.ipynb")

    assert list(folder.iterdir()) == []
    assert [cell.source.partition("\n\n")[2] or cell.source for cell in cells] == [
        "# my_pkg: main",
        "run_entry_point('my_pkg', 'main', ['--day=1', '--mode=a b'])",
    ]


def test_the_cells_that_install_say_what_they_are_for(tmp_path: Path) -> None:
    """The wheel alone, then what it needs."""
    bundle = load(tmp_path, {**WHEEL, "libraries": [{"whl": "../dist/*.whl"}]}, {"dist/my_pkg-1-py3-none-any.whl": ""})

    installs = installs_of(bundle.job("j").task("t"), bundle)

    wheel = f"{tmp_path}/dist/my_pkg-1-py3-none-any.whl"
    assert [each.cell for each in installs] == [
        f"# The wheel `my_pkg-1-py3-none-any.whl`:\n%pip install --no-deps --force-reinstall {wheel}",
        f"# What it needs:\n%pip install {wheel}",
    ]


def test_each_statement_of_an_sql_file_is_a_cell(tmp_path: Path) -> None:
    """`:name` is left for the widgets, `{{name}}` is a literal, or text inside a string; each cell knows its line."""
    cells, folder = generated(load(tmp_path, SQL), {"table": "it's", "day": "1"}, tmp_path / "t.ipynb")

    assert folder == tmp_path / "sql"
    assert [cell.source for cell in cells] == [
        "# report.sql",
        "%sql\n-- a report\nSELECT ';' AS a",
        "%sql\nSELECT * -- {{ no }}\nFROM IDENTIFIER('it\\'s')\nWHERE day = :day AND 'it\\'s' <> ''",
        "%sql\nSELECT ';' AS a",
    ]
    assert [cell.metadata.source_place.line for cell in cells[1:]] == [1, 4, 7]


def test_a_parameter_inside_a_quoted_name_is_its_text(tmp_path: Path) -> None:
    """``USE CATALOG `{{catalog}}` ``, as in the SQL template of the Databricks CLI."""
    sql = {"sql/report.sql": "USE CATALOG `{{catalog}}`; USE IDENTIFIER({{schema}}); SELECT 1 AS `a {{ schema }}`"}
    cells, _ = generated(load(tmp_path, SQL, sql), {"catalog": "my`lake", "schema": "x"}, tmp_path / "t.ipynb")

    assert [cell.source for cell in cells[1:]] == [
        "%sql\nUSE CATALOG `my``lake`",
        "%sql\nUSE IDENTIFIER('x')",
        "%sql\nSELECT 1 AS `a x`",
    ]


def test_an_unknown_mustache_is_an_error_with_the_known_ones(tmp_path: Path) -> None:
    """If it were kept, Spark would complain about braces."""
    with pytest.raises(LocalError, match=r"`report\.sql` holds `\{\{ table \}\}`; the task's parameters are `day`"):
        generated(load(tmp_path, SQL), {"day": "1"}, tmp_path / "t.ipynb")


def test_parameters_as_a_command_line() -> None:
    """Named ones become `--name=value`, as Databricks passes them."""
    assert command_line(["a", "-b"]) == ["a", "-b"]
    assert command_line({"a": "1", "b": ""}) == ["--a=1", "--b="]
