"""Jobs that start each other: one rule, which `run` and `validate` report in the same words."""

from pathlib import Path
from typing import Any

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import UsageError
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.child_jobs import started_by
from lakelocal.validate import validate
from tests.unit.validate_bundles import ROOT, job, notebook, project, starts, task


def starting(*jobs: str) -> dict[str, Any]:
    return job(*(task(f"to_{key}", run_job_task=starts(key)) for key in jobs))


def looping(key: str) -> dict[str, Any]:
    """A job that starts the job *key* for each of its inputs."""
    inner = task("inner", run_job_task=starts(key))
    return job(task("loop", for_each_task={"inputs": "[1, 2]", "task": inner}))


TWO_LEVELS = {"a": starting("b"), "b": job()}
CYCLE = {"a": starting("b"), "b": starting("a")}
CYCLE_IN_A_LOOP = {"a": looping("b"), "b": looping("a")}
FOUR_LEVELS = {"a": starting("b"), "b": starting("c"), "c": starting("d"), "d": job()}
FOUR_LEVELS_IN_LOOPS = {"a": looping("b"), "b": looping("c"), "c": looping("d"), "d": job()}
A_B_A = "found jobs that start each other: a -> b -> a; expected no cycle. Remove one of the tasks."
A_B_C_D = "found more than 3 levels of jobs: a -> b -> c -> d; expected at most 3. Merge two of the jobs."


@pytest.mark.parametrize(
    ("jobs", "rule", "where", "message"),
    [
        (CYCLE, "job-cycle", "task `to_b`", A_B_A),
        (CYCLE_IN_A_LOOP, "job-cycle", "task `inner`", A_B_A),
        (FOUR_LEVELS, "job-levels", "task `to_b`", A_B_C_D),
        (FOUR_LEVELS_IN_LOOPS, "job-levels", "task `inner`", A_B_C_D),
    ],
)
def test_run_and_validate_refuse_the_same_jobs(tmp_path: Path, jobs: dict, rule: str, where: str, message: str) -> None:
    """Run-job tasks inside for-each tasks count for both, at every level."""
    place = project(tmp_path, jobs, head=ROOT)
    read = load_bundle(place)

    with pytest.raises(UsageError) as raised:
        check_run(read, read.job("a"))

    assert f"job `a`, {where}: {message}" in str(raised.value)
    seen = [each for each in validate(place).findings if each.rule == rule and each.where.job == "a"]
    assert [each.message for each in seen] == [message]


def test_a_run_is_refused_for_a_circle_further_down(tmp_path: Path) -> None:
    """The cycle is reported where it is, not where it is entered."""
    jobs = {"top": starting("a"), **CYCLE}
    read = load_bundle(project(tmp_path, jobs, head=ROOT))

    with pytest.raises(UsageError) as raised:
        check_run(read, read.job("top"))

    assert A_B_A in str(raised.value)
    assert "job `top`" not in str(raised.value)


def test_three_levels_are_allowed(tmp_path: Path) -> None:
    """The job below may run, and so may one that starts it."""
    jobs = {"top": starting("a"), **TWO_LEVELS}
    place = project(tmp_path, jobs, head=ROOT)
    read = load_bundle(place)

    assert check_run(read, read.job("top")) == ()
    assert list(validate(place).findings) == []


def test_what_a_job_starts_is_listed_once(tmp_path: Path) -> None:
    """Through two paths to one job, and through a for-each task; a cycle ends where it began."""
    jobs = {"a": starting("b", "c"), "b": looping("d"), "c": starting("d"), "d": starting("a"), "else": job()}
    read = load_bundle(project(tmp_path, jobs, head=ROOT))

    assert [each.key for each in started_by(read, read.job("a"))] == ["a", "b", "c", "d"]
    assert [each.key for each in started_by(read, read.job("c"))] == ["c", "d", "a", "b"]


def test_validate_looks_at_the_jobs_that_a_for_each_task_starts(tmp_path: Path) -> None:
    """Together with the requested job; others are left out."""
    jobs = {"a": looping("b"), "b": job(), "else": job()}

    assert validate(project(tmp_path, jobs, head=ROOT), job="a").jobs == ("a", "b")


def test_a_for_each_task_pushes_parameters_down_to_the_job_that_it_starts(tmp_path: Path) -> None:
    """Like any other run-job task: a notebook there may read them without a default."""
    reads_day = job(task("a", notebook_task={"notebook_path": "day.ipynb"}))
    jobs = {"a": {**looping("b"), "parameters": [{"name": "day", "default": "2018-01-31"}]}, "b": reads_day}
    files = {"day.ipynb": notebook("dbutils.widgets.get('day')")}

    assert list(validate(project(tmp_path, jobs, files, head=ROOT)).findings) == []
