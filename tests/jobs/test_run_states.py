"""What becomes of runs and attempts that fail, are skipped, wait or take too long. Two runs need a kernel."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from test_slots import LIMIT_SECONDS, free_slot, hold_slot, job, waiting_run

from lakelocal.bundle import load_bundle
from lakelocal.jobs.command import RunOptions, get_run
from lakelocal.jobs.repair import repair_run
from tests.jobs.conftest import Build, condition, task

pytestmark = pytest.mark.usefixtures("one_pool")

MAIN = "import sys\n\ndef main():\n    assert sorted(sys.argv[1:]) == ['--day=2018-01-31', '--mode=full'], sys.argv\n"


def test_a_failed_run_is_an_internal_error_and_its_task_is_not(build: Build) -> None:
    """The run's message names the task; the newer status of both is TERMINATED."""
    case = build({"job": {"name": "Fail", "tasks": [condition("a", "ten", "LESS_THAN", "9")]}}, {})

    run = case.run()

    assert run["state"] == {
        "life_cycle_state": "INTERNAL_ERROR",
        "result_state": "FAILED",
        "state_message": "Task a failed with message: Workload failed, see run output for details.",
    }
    (attempt,) = run["tasks"]
    assert (attempt["state"]["life_cycle_state"], attempt["state"]["result_state"]) == ("TERMINATED", "FAILED")
    assert run["status"]["state"] == attempt["status"]["state"] == "TERMINATED"


def test_a_timeout_is_that_of_each_attempt(build: Build) -> None:
    """With retry_on_timeout, the second attempt has the full time again; here each waits for a child without a slot."""
    start = {
        "task_key": "t",
        "run_job_task": {"job_id": "${resources.jobs.job.id}"},
        **{"timeout_seconds": 1, "max_retries": 1, "retry_on_timeout": True},
    }
    case = build({**job(), "parent": {"name": "Parent", "tasks": [start]}}, {})
    hold_slot(case)
    with ThreadPoolExecutor() as pool:
        run = pool.submit(case.run, "parent").result(LIMIT_SECONDS)

    assert [each["state"]["result_state"] for each in run["tasks"]] == ["TIMEDOUT", "TIMEDOUT"]
    assert [each["attempt_number"] for each in run["tasks"]] == [0, 1]
    assert all(each["run_duration"] >= 1000 for each in run["tasks"])
    assert run["state"]["result_state"] == "FAILED"


def test_a_child_run_that_was_skipped_fails_its_task(build: Build) -> None:
    """A child job without slots counts as one that failed."""
    start = {"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.job.id}"}}
    case = build({**job(max_concurrent_runs=0), "parent": {"name": "Parent", "tasks": [start]}}, {})

    (attempt,) = case.run("parent")["tasks"]

    assert get_run(case.state, attempt["run_job_output"]["run_id"])["state"]["life_cycle_state"] == "SKIPPED"
    assert attempt["state"]["result_state"] == "FAILED"
    assert attempt["error"].endswith("ended with MAXIMUM_CONCURRENT_RUNS_REACHED.")


def test_a_repair_waits_for_a_slot(build: Build) -> None:
    """Like a new run; then it continues in the same run."""
    case = build(job(), {})
    run = case.run()
    holder = hold_slot(case)
    with ThreadPoolExecutor() as pool:
        options = RunOptions(json=True)
        bundle = load_bundle(case.project)
        running = pool.submit(repair_run, bundle, run["run_id"], state=case.state, tasks="a", options=options)
        waiting = waiting_run(case)
        free_slot(case, holder)
        repaired = running.result(LIMIT_SECONDS)

    assert waiting == repaired["run_id"] == run["run_id"]
    assert [each["attempt_number"] for each in repaired["tasks"]] == [0, 1]


def test_the_task_values_of_a_failed_attempt_are_gone_with_the_next(build: Build) -> None:
    """What it set is not visible to the tasks after the attempt that succeeded."""
    fails_once = "import pathlib\nflag = pathlib.Path('tried')\nif not flag.exists():\n    flag.touch()\n"
    sets = "    dbutils.jobs.taskValues.set('k', 1)\n    raise ValueError('once')"
    tasks = [task("a", max_retries=1), condition("b", "{{tasks.a.values.k}}", "EQUAL_TO", "1", "a")]
    case = build({"job": {"name": "Values", "tasks": tasks}}, {"a": [fails_once + sets]})

    first, second, behind = case.run()["tasks"]

    assert [each["state"]["result_state"] for each in (first, second, behind)] == ["FAILED", "SUCCESS", "FAILED"]
    assert "{{tasks.a.values.k}}" in behind["error"]


def test_job_parameters_reach_the_named_parameters_of_a_wheel(build: Build) -> None:
    """Including a parameter that the task does not name."""
    wheel = {"package_name": "mine", "entry_point": "run", "named_parameters": {"mode": "full"}}
    tasks = [{"task_key": "w", "python_wheel_task": wheel, "libraries": [{"whl": "dist/*.whl"}]}]
    parameters = [{"name": "day", "default": "2018-01-31"}]
    case = build({"job": {"name": "Wheel", "parameters": parameters, "tasks": tasks}}, {})
    project = '[project]\nname = "mine"\nversion = "1"\nscripts = {run = "mine.main:main"}\n'
    case.file("pyproject.toml").write_text(project)
    case.file("src/mine").mkdir(parents=True)
    case.file("src/mine/__init__.py").touch()
    case.file("src/mine/main.py").write_text(MAIN)

    run = case.run()

    assert run["state"]["result_state"] == "SUCCESS", run["tasks"][0].get("error")
