"""The fixture `lakeflow` as other projects' tests use it: on the bundle of `init`, and on some without Spark."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakelocal.cli.init import write_bundle
from lakelocal.errors import UsageError
from tests.jobs.conftest import Build, condition, task

pytestmark = pytest.mark.usefixtures("one_pool")


def test_the_bundle_of_init_passes_its_own_tests(tmp_path: Path) -> None:
    """In a separate process, as a person starts it: the plugin is found, one server serves both tests and ends."""
    write_bundle(tmp_path / "shop")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'temporary'}"],
        cwd=tmp_path / "shop", env=surroundings, capture_output=True, text=True, timeout=500,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert not (tmp_path / "shop" / ".local").exists()
    assert list((tmp_path / "temporary").rglob("server-*.log")) and not list(tmp_path.rglob("server.json"))


def test_what_a_run_tells(build: Build) -> None:
    """Results, messages, task values, exit values, attempts and the executed notebook."""
    case = build(
        {
            "job": {
                "name": "job",
                "parameters": [{"name": "day", "default": "1"}],
                "tasks": [
                    task("a"),
                    task("b", "a", max_retries=1),
                    task("c", "b"),
                    condition("d", "{{job.parameters.day}}", "EQUAL_TO", "2"),
                ],
            }
        },
        {
            "a": [
                "dbutils.jobs.taskValues.set('rows', [1, 2])",
                "dbutils.notebook.exit(dbutils.widgets.get('day'))",
            ],
            "b": ["1 / 0"],
            "c": ["1"],
        },
    )

    run = case.lakeflow.run("job", params={"day": 2})

    assert (
        run.result == "FAILED"
        and repr(run) == f"<Run {run.id}: FAILED; b: ZeroDivisionError: division by zero, in `1 / 0` (cell 1)>"
    )
    assert {key: found.result for key, found in run.tasks.items()} == {
        "a": "SUCCESS", "b": "FAILED", "c": "UPSTREAM_FAILED", "d": "SUCCESS",
    }  # fmt: skip
    a, b = run.task("a"), run.task("b")
    assert (a.output, a.values, a.attempts, a.error) == ("2", {"rows": [1, 2]}, 1, "")
    assert (b.output, b.values, b.attempts, b.error) == (
        None,
        {},
        2,
        "ZeroDivisionError: division by zero, in `1 / 0` (cell 1)",
    )
    assert b.notebook is not None and "ZeroDivisionError" in b.notebook.read_text()
    with pytest.raises(UsageError, match=r"found no task `x`; its tasks are .*`a`"):
        run.task("x")


def test_iterations_are_told_in_order(build: Build) -> None:
    """Each iteration of a for-each task is a task run."""
    nested = task("each", notebook="each")
    nested["notebook_task"]["base_parameters"] = {"x": "{{input}}"}
    case = build(
        {
            "job": {
                "name": "job",
                "tasks": [
                    {"task_key": "all", "for_each_task": {"inputs": '["p", "q"]', "concurrency": 2, "task": nested}}
                ],
            }
        },
        {"each": ["dbutils.notebook.exit(dbutils.widgets.get('x'))"]},
    )

    run = case.lakeflow.run("job")

    assert list(run.tasks) == ["all"]
    assert [(each.key, each.output) for each in run.task("all").iterations] == [("each", "p"), ("each", "q")]


def test_one_notebook_runs_with_its_parameters(build: Build) -> None:
    """Without a job; a parameter that it does not take is refused before it runs."""
    case = build({}, {"a": ["# parameters\nx = '1'", "dbutils.notebook.exit(x)"]})

    run = case.lakeflow.run_notebook("a", params={"x": 5})

    assert (run.result, run.task("a").output) == ("SUCCESS", "5")
    with pytest.raises(UsageError, match="`y`"):
        case.lakeflow.run_notebook("a.ipynb", params={"y": "5"})


def test_a_reset_forgets_the_runs_and_empties_the_volumes(build: Build) -> None:
    """The next test starts afresh."""
    case = build({}, {"a": ["1"]})
    case.lakeflow.run_notebook("a")
    place = case.lakeflow.path("/Volumes/main/raw/files/x.csv")
    place.parent.mkdir(parents=True)
    place.write_text("x")

    case.lakeflow.reset()

    assert not place.exists()
    assert case.lakeflow.run_notebook("a").id == 1
