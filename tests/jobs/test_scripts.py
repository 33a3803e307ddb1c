"""Source files, Python files and wheels as real attempts: how they run, and how they fail. No Spark.

The cells of SQL files need a server to run; their contents are tested in tests/unit/test_sources_tasks.py.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lakelocal.bundle import load_bundle
from lakelocal.context import TaskContext
from lakelocal.jobs.launch import AttemptFiles, Outcome, run_notebook
from lakelocal.jobs.libraries import installs_of
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task_types import python_file, wheel
from lakelocal.jobs.task_types.in_kernel import write_cells
from lakelocal.kernel.catalog import environment_of
from lakelocal.pool.pool import Pool
from lakelocal.project import Project


@dataclass(frozen=True)
class Attempt:
    """A project in which one task of a job `j` is attempted as a run would do it."""

    root: Path
    pool: Pool

    def write(self, files: dict[str, str]) -> "Attempt":
        for name, text in {"databricks.yml": "bundle: {name: b}\ninclude: [j.json]\n", **files}.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        return self

    def run(self, task: dict[str, Any], parameters: Any = ()) -> tuple[Outcome, AttemptFiles]:
        """Attempt *task*; *parameters* are those of a notebook's widgets, or of a program."""
        job = {"name": "J", "tasks": [{"task_key": "t", **task}]}
        self.write({"j.json": json.dumps({"resources": {"jobs": {"j": job}}})})
        project = Project.at(self.root)
        bundle = load_bundle(project)
        read = bundle.job("j").task("t")
        state = project.state("main").make()
        places = AttemptFiles.of(state, 1, "t", 0)
        notebook, folder = read.notebook, ""
        if notebook is None:
            made = {"spark_python_task": python_file, "python_wheel_task": wheel}[read.kind]
            notebook, folder = write_cells(read, made.cells(read, parameters), places.inner("task.ipynb"))
        context = TaskContext(
            job_id=1,
            job_name="J",
            job_run_id=1,
            task_run_id=2,
            task_key="t",
            attempt_number=0,
            notebook=str(notebook),
            working_folder=str(folder),
            exit_file=str(places.inner("exit")),
            values_folder=str(places.values),
            parameters=dict(parameters) if read.notebook else {},
            installs=[each.cell for each in installs_of(read, bundle)],
        )
        environment = {**environment_of(state, ""), "PIP_NO_INDEX": "1"}
        with Stop().part(0) as stop:
            return run_notebook(self.pool, context, places, environment, stop, lambda event: None), places


@pytest.fixture
def attempt(tmp_path: Path, pool_of_runs: Pool, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))
    (tmp_path / "project").mkdir()
    return Attempt(tmp_path / "project", pool_of_runs)


def printed(places: AttemptFiles) -> str:
    cells = nbformat.read(places.output, as_version=4).cells
    return "".join(out.get("text", "") for cell in cells if cell.cell_type == "code" for out in cell.outputs)


NOTEBOOK = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # Numbers

# COMMAND ----------

dbutils.widgets.text("day", "1")
print("day", dbutils.widgets.get("day"), IPYTHON.user_ns["dbutils"] is dbutils)

# COMMAND ----------

# MAGIC %run ./helpers/more $who="you"

# COMMAND ----------

print(greeting, dbutils.notebook.run("helpers/child", 0, {"n": "20"}))

# COMMAND ----------

# DBTITLE 1,Ratio
ratio = 1

ratio / 0
""".replace("IPYTHON", "__import__('IPython').get_ipython()")


def test_source_files_run_as_notebooks_do(attempt: Attempt) -> None:
    """With `%run` and `dbutils.notebook.run` of others; an error names the cell of the source, its title and line."""
    attempt.write(
        {
            "src/n.py": NOTEBOOK,
            "src/helpers/more.py": "# Databricks notebook source\n# MAGIC %run ./deep\n"
            "# COMMAND ----------\ngreeting = f'hello {dbutils.widgets.get(\"who\")} {deep}'\n",
            "src/helpers/deep.sql": "-- Databricks notebook source\n-- MAGIC %python\n-- MAGIC deep = 'deep'\n",
            "src/helpers/child.sql": "-- Databricks notebook source\nCREATE WIDGET TEXT n DEFAULT '1'\n"
            "-- COMMAND ----------\n-- MAGIC %python dbutils.notebook.exit(dbutils.widgets.get('n') + '!')\n",
        }
    )

    outcome, places = attempt.run({"notebook_task": {"notebook_path": "src/n.py"}}, {"day": "2"})

    assert "day 2 True\n" in printed(places)
    assert "hello you deep 20!\n" in printed(places)
    place = '(cell 5 "Ratio", line 21 of n.py)'
    assert outcome.error == f"ZeroDivisionError: division by zero, in `ratio / 0` where ratio = 1 {place}"
    assert outcome.output == places.output
    assert places.output.suffix == ".ipynb"


SCRIPT = """\
import os
import sys
from pathlib import Path

from databricks.sdk.runtime import dbutils as same

import beside


class Thing:
    pass


print(sys.argv[1:], __name__, Path(__file__).name, Path.cwd().name, beside.value, same is dbutils)
print(Thing.__module__)
sys.exit(None if sys.argv[1] == "good" else int(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("good", ""),
        (
            "3",
            "`etl.py`: ended with the exit code 3; expected 0 or none. The last line that it printed: __main__",
        ),
    ],
)
def test_a_python_file_ends_as_a_process_does(attempt: Attempt, code: str, error: str) -> None:
    """Its parameters are `sys.argv[1:]`, its folder is the working folder and on the path, it is `__main__`."""
    attempt.write({"src/etl.py": SCRIPT, "src/beside.py": "value = 7\n"})

    outcome, places = attempt.run({"spark_python_task": {"python_file": "src/etl.py"}}, [code, "--b=c d"])

    assert outcome.result == ("FAILED" if error else "SUCCESS"), outcome.trace
    assert outcome.error.startswith(error)
    assert f"[{code!r}, '--b=c d'] __main__ etl.py src 7 True\n__main__\n" in printed(places)


def test_an_error_in_a_python_file_shows_its_own_lines(attempt: Attempt) -> None:
    """Not those of the code that runs it."""
    attempt.write({"src/etl.py": "def f():\n    return 1 / 0\n\n\nf()\n"})

    outcome, _ = attempt.run({"spark_python_task": {"python_file": "src/etl.py"}})

    assert (
        outcome.error == 'ZeroDivisionError: division by zero, in `return 1 / 0` (line 2 of etl.py) (cell 2 "etl.py")'
    )
    assert "return 1 / 0" in outcome.trace
    assert "programs.py" not in outcome.trace


WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
MAIN = "import sys\n\n\ndef main():\n    print('ran', sys.argv, __file__)\n    return 0\n"


def test_a_wheel_runs_by_its_entry_point(attempt: Attempt) -> None:
    """It is installed once for the tasks of the state; the environment stays as it is."""
    attempt.write({"dist/readme": ""})
    with zipfile.ZipFile(attempt.root / "dist" / "sample_pkg-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("sample_pkg.py", MAIN)
        wheel.writestr("sample_pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample-pkg\nVersion: 1.0\n")
        wheel.writestr("sample_pkg-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("sample_pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = sample_pkg:main\n")
        wheel.writestr("sample_pkg-1.0.dist-info/RECORD", "")
    task = {
        "python_wheel_task": {"package_name": "sample-pkg", "entry_point": "run"},
        "libraries": [{"whl": "dist/*.whl"}],
    }

    for day in ("1", "2"):
        outcome, places = attempt.run(task, {"day": day})

        assert outcome.result == "SUCCESS", outcome.trace
        (installed,) = Project.at(attempt.root).state("main").packages.glob("*/sample_pkg.py")
        assert f"ran ['sample-pkg', '--day={day}'] {installed}" in printed(places)
        assert not places.inner("packages").exists()


def test_a_wheel_that_is_not_built_runs_from_its_source(attempt: Attempt) -> None:
    """From `src`, through the entry point that pyproject.toml declares."""
    attempt.write(
        {
            "pyproject.toml": '[project]\nname = "mine"\nversion = "1"\nscripts = {run = "mine.main:main"}\n',
            "src/mine/__init__.py": "",
            "src/mine/main.py": MAIN,
        }
    )
    task = {
        "python_wheel_task": {"package_name": "mine", "entry_point": "run"},
        "libraries": [{"whl": "dist/*.whl"}],
    }

    outcome, places = attempt.run(task, ["a"])

    assert outcome.result == "SUCCESS", outcome.trace
    assert f"ran ['mine', 'a'] {attempt.root / 'src/mine/main.py'}" in printed(places)
