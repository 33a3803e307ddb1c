"""Small bundles of notebooks without Spark, written for one test each; their attempts are forked from one template."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from lakelocal.jobs import command
from lakelocal.jobs.command import RunOptions
from lakelocal.pool.forks import Template
from lakelocal.pool.pool import Pool
from lakelocal.project import Project, State
from lakelocal.testing.lakeflow import Lakeflow


@dataclass(frozen=True)
class Case:
    """A project in a temporary folder, and the state of its runs; *lakeflow* is the fixture for tests of a bundle."""

    lakeflow: Lakeflow
    project: Project
    state: State

    def run(self, job: str = "job", *, options: RunOptions | None = None, **parameters: str) -> dict[str, Any]:
        """Run *job* like `--json`, and return the run's shape."""
        return dict(self.lakeflow.run(job, parameters, options=options or RunOptions(json=True)).shape)

    def file(self, name: str) -> Path:
        """A file beside the notebooks."""
        return self.project.root / name


Build = Callable[..., Case]


class OpenPool(Pool):
    """A pool that survives the run that closes it, so that the next run need not import everything again."""

    def close(self) -> None:
        """Do nothing: the waiting processes keep waiting."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def pool_of_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPool]:
    """Ready processes for all runs of this worker that do not need Spark."""
    pool = OpenPool(tmp_path_factory.mktemp("pool") / "pool.log", spark=False)
    yield pool
    pool.end()


@pytest.fixture
def one_pool(pool_of_runs: OpenPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs in this process take their attempts from the worker's pool: importing would take most of their time.

    Not for tests about the life of a pool (test_pool.py, test_ending.py).
    """

    def pool(log: Path, *, spark: bool, template: Template | None = None, **settings: Any) -> Pool:
        if spark or template:  # the template of a command is ended by its pool
            return Pool(log, spark=spark, template=template, **settings)
        return pool_of_runs

    monkeypatch.setattr(command, "Pool", pool)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Write a bundle: *jobs* by key, *notebooks* by name as lists of cells (`# ...` alone is Markdown)."""
    # A unique path, by which leftover processes can be recognised.
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))

    def write(jobs: dict[str, Any], notebooks: dict[str, list[str]]) -> Case:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        (root / "databricks.yml").write_text("bundle: {name: example}\ninclude: [jobs.json]\n")
        (root / "jobs.json").write_text(json.dumps({"resources": {"jobs": jobs}}))
        for name, cells in notebooks.items():
            write_notebook(root / f"{name}.ipynb", cells)
        project = Project.at(root)
        return Case(Lakeflow(root, project.states, warm=False), project, project.state("main").make())

    return write


def write_notebook(place: Path, cells: list[str]) -> None:
    """Write a notebook of *cells*; a code cell whose first line is `# parameters` gets that tag."""
    made = []
    for text in cells:
        if text.startswith("# ") and "\n" not in text:
            made.append(nbformat.v4.new_markdown_cell(text))
            continue
        cell = nbformat.v4.new_code_cell(text)
        if text.startswith("# parameters\n"):
            cell.metadata["tags"] = ["parameters"]
        made.append(cell)
    notebook = nbformat.v4.new_notebook(cells=made)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, place)


def task(key: str, *after: str, notebook: str | None = None, **settings: Any) -> dict[str, Any]:
    """A notebook task that runs the notebook of its own name."""
    return {
        "task_key": key,
        "depends_on": [{"task_key": each} for each in after],
        "notebook_task": {"notebook_path": f"./{notebook or key}.ipynb"},
        **settings,
    }


def condition(key: str, left: str, op: str, right: str, *after: str, **settings: Any) -> dict[str, Any]:
    """A condition task: it needs no kernel. *after* names tasks, with `=true` or `=false` for a branch."""
    depends_on = [dict(zip(("task_key", "outcome"), each.split("="), strict=False)) for each in after]
    inner = {"left": left, "op": op, "right": right}
    return {"task_key": key, "depends_on": depends_on, "condition_task": inner, **settings}


def left_running(state: State) -> list[str]:
    """The command lines of living processes that belong to attempts of *state*."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("LOCAL_STATE") == str(state.folder.parent):
                found.append(" ".join(process.cmdline()) or process.name())
        except psutil.Error:
            continue
    return found
