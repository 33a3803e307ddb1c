"""Runs of small bundles: what starts when, what is retried, and what a run leaves behind."""

import json
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import UsageError
from lakelocal.jobs.command import RunOptions, exit_code, get_run, list_runs
from tests.jobs.conftest import Build, task

pytestmark = pytest.mark.usefixtures("one_pool")

# Each of the two waits until the other has arrived: one after the other they would fail.
MEET = """
import pathlib, time
pathlib.Path("{me}.here").touch()
deadline = time.monotonic() + 60
while not pathlib.Path("{other}.here").exists():
    assert time.monotonic() < deadline, "the other branch did not start"
    time.sleep(0.02)
"""


def attempts(run: dict, key: str) -> list[dict]:
    return [each for each in run["tasks"] if each["task_key"] == key]


def result(run: dict, key: str) -> str:
    return attempts(run, key)[-1]["state"]["result_state"]


def test_branches_run_at_the_same_time(build: Build) -> None:
    """Two branches that wait for each other both succeed, and their recorded times overlap."""
    case = build(
        {"job": {"name": "Meet", "tasks": [task("left"), task("right")]}},
        {"left": [MEET.format(me="left", other="right")], "right": [MEET.format(me="right", other="left")]},
    )

    run = case.run()

    (left,), (right,) = attempts(run, "left"), attempts(run, "right")
    assert run["state"]["result_state"] == "SUCCESS"
    assert max(left["start_time"], right["start_time"]) < min(left["end_time"], right["end_time"])


def test_a_failed_task_keeps_its_downstream_from_running(build: Build) -> None:
    """The leaf is UPSTREAM_FAILED, so the run is FAILED; the failed cell, its error and its notebook are kept."""
    case = build(
        {"job": {"name": "Fail", "tasks": [task("a"), task("b", "a")]}},
        {"a": ["# Sums", "x = 1", "x / 0", "y = 2"], "b": ["1"]},
    )

    run = case.run()

    (a,), (b,) = attempts(run, "a"), attempts(run, "b")
    assert run["state"]["result_state"] == "FAILED"
    assert exit_code(run) == 1
    assert a["error"] == 'ZeroDivisionError: division by zero, in `x / 0` where x = 1 (cell 3 "Sums")'
    assert "\x1b" not in a["error_trace"]
    assert "x / 0" in a["error_trace"]
    assert b["state"] == {
        "life_cycle_state": "TERMINATED",
        "result_state": "UPSTREAM_FAILED",
        "state_message": "An upstream task failed.",
    }
    cells = json.loads(Path(a["output_notebook"]).read_text())["cells"]
    assert "y = 2" in ["".join(cell["source"]) for cell in cells]


def test_a_retry_starts_its_interval_after_the_failed_start(build: Build) -> None:
    """Every attempt is an entry with its own notebook; the interval counts from the start of the one before."""
    fails_once = (
        "import pathlib, time\nflag = pathlib.Path('tried')\nfirst = not flag.exists()\nflag.touch()\n"
        "time.sleep(3 * first)  # start and end must be told apart on a busy machine\nassert not first"
    )
    case = build(
        {"job": {"name": "Retry", "tasks": [task("a", max_retries=2, min_retry_interval_millis=6000)]}},
        {"a": [fails_once]},
    )

    run = case.run()

    first, second = attempts(run, "a")
    assert [each["attempt_number"] for each in (first, second)] == [0, 1]
    assert [each["state"]["result_state"] for each in (first, second)] == ["FAILED", "SUCCESS"]
    assert second["start_time"] >= first["start_time"] + 6000
    assert second["start_time"] < first["end_time"] + 6000, "the interval was counted from the end"
    assert [Path(each["output_notebook"]).name for each in (first, second)] == ["a.ipynb", "a-1.ipynb"]
    assert run["state"]["result_state"] == "SUCCESS"


def test_a_child_run_gets_the_parents_parameters(build: Build) -> None:
    """A run-job task starts a separate run; the parent's parameters win there, declared by the child or not."""
    show = "# parameters\nday: str = '-'\nlevel: int = 0\nown: str = '-'\nmode: str = '-'"
    write = "import json, pathlib\npathlib.Path('got.json').write_text(json.dumps([day, level, own, mode]))"
    case = build(
        {
            "job": {
                "name": "Parent",
                "parameters": [
                    {"name": "day", "default": "{{job.start_time.year}}"},
                    {"name": "level", "default": "1"},
                ],
                "tasks": [
                    {
                        "task_key": "start",
                        "run_job_task": {
                            "job_id": "${resources.jobs.child.id}",
                            "job_parameters": {"level": "5", "mode": "full"},
                        },
                    }
                ],
            },
            "child": {
                "name": "Child",
                "parameters": [{"name": "level", "default": "9"}, {"name": "mode", "default": "part"}],
                "tasks": [
                    {
                        "task_key": "show",
                        "notebook_task": {"notebook_path": "./show.ipynb", "base_parameters": {"own": "{{task.name}}"}},
                    }
                ],
            },
        },
        {"show": [show, write]},
    )

    run = case.run(level="3")

    (start,) = attempts(run, "start")
    child = get_run(case.state, start["run_job_output"]["run_id"])
    assert start["run_job_task"]["job_id"] == child["job_id"]
    assert child["state"]["result_state"] == "SUCCESS"
    assert child["trigger"] == "RUN_JOB_TASK"
    assert child["parent_run_id"] == run["run_id"]
    day, *others = json.loads(case.file("got.json").read_text())
    assert day.isdigit()
    assert others == [3, "show", "full"]
    assert [each["run_id"] for each in list_runs(case.state)] == [child["run_id"], run["run_id"]]


def test_an_exit_value_is_the_result_of_the_notebook(build: Build) -> None:
    """`dbutils.notebook.exit` ends the task with success; the cells after it do not run."""
    case = build(
        {"job": {"name": "Exit", "tasks": [task("a"), task("b", "a")]}},
        {
            "a": ["dbutils.notebook.exit('42 rows')", "raise RuntimeError('must not run')"],
            "b": ["print(dbutils.widgets.getAll())"],
        },
    )

    run = case.run()

    assert attempts(run, "a")[0]["notebook_output"] == {"result": "42 rows", "truncated": False}
    assert "notebook_output" not in attempts(run, "b")[0]
    assert run["state"]["result_state"] == "SUCCESS"


def test_task_values_reach_references(build: Build) -> None:
    """`{{tasks.T.values.K}}` in a later task's parameters is what the earlier one set; in its code it is plain text."""
    case = build(
        {
            "job": {
                "name": "Values",
                "tasks": [
                    task("a"),
                    {
                        "task_key": "b",
                        "depends_on": [{"task_key": "a"}],
                        "notebook_task": {
                            "notebook_path": "./b.ipynb",
                            "base_parameters": {"rows": "{{tasks.a.values.rows}}", "how": "{{tasks.a.result_state}}"},
                        },
                    },
                ],
            }
        },
        {
            "a": ["dbutils.jobs.taskValues.set('rows', 12)"],
            "b": [
                "assert dbutils.widgets.get('rows') == '12'\nassert dbutils.widgets.get('how') == 'success'",
                "assert '{{job.id}}'.strip('{}') == 'job.id'",
            ],
        },
    )

    assert case.run()["state"]["result_state"] == "SUCCESS"


def test_a_partial_run_runs_the_selection_alone(build: Build) -> None:
    """The tasks that the selected task depends on neither run nor count."""
    case = build(
        {"job": {"name": "Part", "tasks": [task("a"), task("b", "a"), task("c", "b")]}},
        {"a": ["1 / 0"], "b": ["1"], "c": ["1"]},
    )

    run = case.run(options=RunOptions(json=True, only="b+"))

    assert [(each["task_key"], each["state"]["result_state"]) for each in run["tasks"]] == [
        ("b", "SUCCESS"),
        ("c", "SUCCESS"),
    ]


@pytest.mark.parametrize(
    ("parameters", "only", "message"),
    [
        ({"dya": "x"}, None, "`dya`; its parameters are `day`"),
        ({}, "z", "found no task `z`; its tasks are `a`"),
    ],
)
def test_what_the_job_does_not_define_is_refused_before_the_run(
    build: Build, parameters: dict, only: str | None, message: str
) -> None:
    """The message lists the legal names, and nothing is recorded."""
    case = build(
        {"job": {"name": "Strict", "parameters": [{"name": "day", "default": "1"}], "tasks": [task("a")]}}, {"a": ["1"]}
    )

    with pytest.raises(UsageError, match=message):
        case.run(options=RunOptions(json=True, only=only), **parameters)

    assert list_runs(case.state) == []


def test_other_task_types_are_refused_by_name(build: Build) -> None:
    """A task type that does not run here is refused before anything runs."""
    case = build(
        {"job": {"name": "Other", "tasks": [task("a"), {"task_key": "p", "dbt_task": {"commands": ["dbt run"]}}]}},
        {"a": ["1"]},
    )

    with pytest.raises(UsageError, match="task `p`: found a `dbt_task`"):
        case.run()

    assert list_runs(case.state) == []


def test_a_parameter_that_the_notebook_does_not_take(build: Build, capsys: pytest.CaptureFixture) -> None:
    """It is a warning; with *strict* it is refused. A job parameter that is pushed down is allowed."""
    tasks = [{"task_key": "a", "notebook_task": {"notebook_path": "a.ipynb", "base_parameters": {"z": "1"}}}]
    case = build(
        {"job": {"name": "Extra", "parameters": [{"name": "day", "default": "1"}], "tasks": tasks}},
        {"a": ["# parameters\nx = 1"]},
    )

    with pytest.raises(UsageError, match=r"task `a`: found the parameter `z`; expected one that `a.ipynb` takes: `x`"):
        case.run(options=RunOptions(json=True, strict=True))
    run = case.run(options=RunOptions())

    assert run["state"]["result_state"] == "SUCCESS"
    assert "warning: `jobs.json:1`: job `job`, task `a`: found the parameter `z`; expected" in capsys.readouterr().out


def test_json_prints_nothing(build: Build, capsys: pytest.CaptureFixture) -> None:
    """The caller prints the run; nothing else may be on standard output."""
    case = build({"job": {"name": "Quiet", "tasks": [task("a")]}}, {"a": ["print('loud')"]})

    case.run()

    assert capsys.readouterr() == ("", "")


def test_jobs_that_start_each_other_are_refused(build: Build) -> None:
    """A cycle of run-job tasks would never end."""
    case = build(
        {
            key: {
                "name": key,
                "tasks": [{"task_key": "t", "run_job_task": {"job_id": f"${{resources.jobs.{other}.id}}"}}],
            }
            for key, other in (("job", "other"), ("other", "job"))
        },
        {},
    )

    with pytest.raises(UsageError, match="job -> other -> job"):
        case.run()


def test_ids_of_jobs_are_stable(build: Build) -> None:
    """The same job of the same bundle and target has the same id each time it is read."""
    case = build({"job": {"name": "Id", "tasks": [task("a")]}}, {"a": ["1"]})

    assert load_bundle(case.project).job("job").id == load_bundle(case.project).job("job").id


def test_a_task_has_the_environment_variables_of_its_cluster_and_of_its_job(build: Build) -> None:
    """A cluster of its own, one of the job, and a block of variables; a secret is that of the project's file."""
    shows = ["import os", "dbutils.notebook.exit(' '.join(os.environ.get(name, '-') for name in ('A', 'B', 'C')))"]
    own = {"spark_version": "x", "num_workers": 1, "spark_env_vars": {"A": "own", "B": "{{secrets/mail/password}}"}}
    shared = {"spark_version": "x", "num_workers": 1, "spark_env_vars": {"A": "shared"}}
    job = {
        "name": "job",
        "job_clusters": [{"job_cluster_key": "c", "new_cluster": shared}],
        "environment_variables": [{"environment_variables_key": "v", "spec": {"variables": {"C": "block"}}}],
        "tasks": [
            task("own", new_cluster=own),
            task("shared", job_cluster_key="c"),
            task("block", environment_variables_key="v"),
            task("none"),
            task("lost", new_cluster={**own, "spark_env_vars": {"A": "{{secrets/mail/nothing}}"}}),
        ],
    }
    case = build({"job": job}, dict.fromkeys(("own", "shared", "block", "none", "lost"), shows))
    case.file(".secrets.yml").write_text("mail: {password: hunter2}")

    tasks = {each["task_key"]: each for each in case.run()["tasks"]}

    given = {key: each["notebook_output"]["result"] for key, each in tasks.items() if key != "lost"}
    assert given == {"own": "own hunter2 -", "shared": "shared - -", "block": "- - block", "none": "- - -"}
    assert "Secret does not exist with scope: mail and key: nothing" in tasks["lost"]["state"]["state_message"]


def test_an_unknown_magic_is_the_reason(build: Build) -> None:
    """IPython writes it to standard error and raises nothing that says it."""
    case = build({"job": {"name": "job", "tasks": [task("a")]}}, {"a": ["1", "%no_such_magic 3"]})

    assert case.run()["reason"] == "a: UsageError: Line magic function `%no_such_magic` not found. (cell 2)"
