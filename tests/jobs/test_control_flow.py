"""Conditions, for-each tasks, task types that do not run here, schedules: real runs, most without a kernel."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lakelocal.errors import BundleError, UsageError
from lakelocal.jobs.command import RunOptions, exit_code, list_runs
from tests.jobs.conftest import Build, condition, task

pytestmark = pytest.mark.usefixtures("one_pool")


def result(run: dict, key: str) -> str:
    """The last result of a task; its life cycle state if it has none."""
    state = [each["state"] for each in run["tasks"] if each["task_key"] == key][-1]
    return state.get("result_state", state["life_cycle_state"])


def for_each(key: str, inputs: str, nested: dict, *after: str, **settings: Any) -> dict:
    return {
        "task_key": key,
        "depends_on": [{"task_key": each} for each in after],
        "for_each_task": {"inputs": inputs, "task": nested, **settings},
    }


def test_a_condition_chooses_a_branch(build: Build) -> None:
    """The other one is EXCLUDED, the task that joins them runs, and the record has the outcome."""
    case = build(
        {
            "job": {
                "name": "If",
                "parameters": [{"name": "n", "default": "10"}],
                "tasks": [
                    condition("if", "{{job.parameters.n}}", "GREATER_THAN", "9"),
                    condition("yes", "1", "EQUAL_TO", "1", "if=true"),
                    condition("no", "1", "EQUAL_TO", "1", "if=false"),
                    condition("join", "1", "EQUAL_TO", "1", "yes", "no", run_if="NONE_FAILED"),
                ],
            }
        },
        {},
    )

    run = case.run()

    assert run["state"]["result_state"] == "SUCCESS"
    assert {key: result(run, key) for key in ("if", "yes", "no", "join")} == {
        "if": "SUCCESS",
        "yes": "SUCCESS",
        "no": "EXCLUDED",
        "join": "SUCCESS",
    }
    assert run["tasks"][0]["condition_task"] == {"left": "10", "op": "GREATER_THAN", "right": "9", "outcome": "true"}
    assert result(case.run(n="9"), "yes") == "EXCLUDED"


def test_a_condition_that_cannot_be_decided_fails(build: Build) -> None:
    """It fails once, whatever its retries; its branches are UPSTREAM_FAILED."""
    case = build(
        {
            "job": {
                "name": "If",
                "tasks": [
                    condition("if", "ten", "LESS_THAN", "9", max_retries=2),
                    condition("yes", "1", "EQUAL_TO", "1", "if=true"),
                ],
            }
        },
        {},
    )

    run = case.run()

    assert [(each["task_key"], each["state"]["result_state"]) for each in run["tasks"]] == [
        ("if", "FAILED"),
        ("yes", "UPSTREAM_FAILED"),
    ]
    assert "left: found `ten`, expected a number" in run["tasks"][0]["error"]


def test_a_for_each_task_runs_all_its_inputs(build: Build) -> None:
    """Each is an entry with the nested task's key; one that fails fails the task, after all have ended."""
    nested = condition("compare", "{{input.n}}", "GREATER_THAN", "1")
    case = build(
        {
            "job": {
                "name": "Loop",
                "parameters": [{"name": "inputs", "default": '[{"n": 1}, {"n": "x"}, {"n": 3}]'}],
                "tasks": [
                    for_each("loop", "{{job.parameters.inputs}}", nested, concurrency=2),
                    condition("after", "1", "EQUAL_TO", "1", "loop"),
                ],
            }
        },
        {},
    )

    run = case.run()

    outer, *iterations = [each for each in run["tasks"] if each["task_key"] != "after"]
    iterations.sort(key=lambda each: each["iteration"]["index"])
    assert outer["state"]["result_state"] == "FAILED"
    assert outer["error"] == "1 of 3 iterations failed: iteration 1 (n=x)."
    assert outer["for_each_task"]["stats"]["task_run_stats"] == {
        "total_iterations": 3,
        "scheduled_iterations": 3,
        "active_iterations": 0,
        "completed_iterations": 3,
        "succeeded_iterations": 2,
        "failed_iterations": 1,
    }
    assert [(each["task_key"], each["state"]["result_state"]) for each in iterations] == [
        ("compare", "SUCCESS"),
        ("compare", "FAILED"),
        ("compare", "SUCCESS"),
    ]
    assert [each["condition_task"].get("outcome") for each in iterations] == ["false", None, "true"]
    assert iterations[2]["iteration"] == {"for_each_task_key": "loop", "index": 2, "input": {"n": 3}}
    assert result(run, "after") == "UPSTREAM_FAILED"
    assert case.run(inputs="[]")["state"]["result_state"] == "SUCCESS"


def test_iterations_are_notebooks_with_retries_and_their_own_files(build: Build) -> None:
    """Inputs come from a task value; the retries of the nested task count separately for each iteration."""
    nested = {
        "task_key": "load",
        "max_retries": 1,
        "notebook_task": {"notebook_path": "./load.ipynb", "base_parameters": {"city": "{{input}}"}},
    }
    case = build(
        {
            "job": {
                "name": "Loop",
                "tasks": [task("list"), for_each("loop", "{{tasks.list.values.cities}}", nested, "list")],
            }
        },
        {
            "list": ["dbutils.jobs.taskValues.set('cities', ['Rio', 'Ã'])"],
            "load": [
                "import pathlib\ncity = dbutils.widgets.get('city')",
                "flag = pathlib.Path(city)\nfirst = not flag.exists()",
                "flag.touch()\nassert city == 'Rio' or not first",
            ],
        },
    )

    run = case.run()

    iterations = [each for each in run["tasks"] if each["task_key"] == "load"]
    assert run["state"]["result_state"] == "SUCCESS"
    assert [
        (
            each["iteration"]["input"],
            each["attempt_number"],
            each["state"]["result_state"],
            Path(each["output_notebook"]).name,
        )
        for each in iterations
    ] == [
        ("Rio", 0, "SUCCESS", "loop.0.ipynb"),
        ("Ã", 0, "FAILED", "loop.1.ipynb"),
        ("Ã", 1, "SUCCESS", "loop.1-1.ipynb"),
    ]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            [for_each("a", "[1]", condition("b", "1", "EQUAL_TO", "1"), concurrency=101)],
            "expected 1 to 100",
        ),
        ([for_each("a", "[1]", for_each("b", "[1]", condition("c", "1", "EQUAL_TO", "1")))], "found a for_each_task"),
        ([condition("a", "1", "EQUAL_TO", "1"), condition("b", "1", "EQUAL_TO", "1", "a=maybe")], "outcome `maybe`"),
        ([task("a"), condition("b", "1", "EQUAL_TO", "1", "a=true")], "an outcome only of a condition_task"),
    ],
)
def test_what_a_graph_cannot_have(build: Build, tasks: list, message: str) -> None:
    """Refused when the bundle is read."""
    case = build({"job": {"name": "Wrong", "tasks": tasks}}, {"a": ["1"]})

    with pytest.raises(BundleError, match=message):
        case.run()


ELSEWHERE = {
    "a job of a workspace": (
        {"run_job_task": {"job_id": 7}},
        {},
        "found job_id `7`; expected a job of this bundle",
    ),
    "a notebook of a workspace": (
        {"notebook_task": {"notebook_path": "/Workspace/Users/x/n"}},
        {},
        "found the notebook `/Workspace/Users/x/n` of a workspace; expected a notebook of the bundle",
    ),
    "a notebook from Git": (
        {"notebook_task": {"notebook_path": "n"}},
        {"git_source": {"git_url": "u", "git_provider": "gitHub", "git_branch": "m"}},
        "found a `notebook_task` with `source: GIT`, which does not run locally: nothing is cloned",
    ),
    "a notebook of a workspace for each input": (
        {"for_each_task": {"inputs": "[1]", "task": {"task_key": "n", "notebook_task": {"notebook_path": "/W/n"}}}},
        {},
        "found the notebook `/W/n` of a workspace",
    ),
    "a notebook without a path": ({"notebook_task": {}}, {}, "found no `notebook_path` in this NotebookTask"),
    "a condition without an operand": (
        {"condition_task": {"left": "1", "op": "EQUAL_TO"}},
        {},
        "found no `right` in this ConditionTask",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_elsewhere_fails_when_its_turn_comes(build: Build, name: str) -> None:
    """Once, whatever its retries are; on a branch that is not taken it fails nothing, and it can be passed over."""
    kind, of_job, message = ELSEWHERE[name]
    first = condition("first", "{{job.parameters.way}}", "EQUAL_TO", "there")
    there = {"task_key": "there", "depends_on": [{"task_key": "first", "outcome": "true"}], "max_retries": 2, **kind}
    parameters = [{"name": "way", "default": "there"}]
    case = build({"job": {"name": "Job", "tasks": [first, there], "parameters": parameters, **of_job}}, {})

    failed, spared = case.run(), case.run(way="here")
    passed_over = case.run(options=RunOptions(json=True, skip_unsupported=True))

    assert failed["state"]["result_state"] == "FAILED"
    assert [each["task_key"] for each in failed["tasks"]] == ["first", "there"], "it is not tried again"
    assert message in failed["tasks"][1]["error"]
    assert spared["state"]["result_state"] == "SUCCESS"
    assert passed_over["tasks"][1]["state"]["life_cycle_state"] == "SKIPPED"


def test_a_task_type_that_does_not_run_here_is_passed_over_on_request(build: Build) -> None:
    """It is SKIPPED, says why, and what comes after it goes on; without the option nothing runs."""
    case = build(
        {
            "job": {
                "name": "Other",
                "tasks": [
                    {"task_key": "p", "dbt_task": {"commands": ["dbt run"]}},
                    condition("after", "{{tasks.p.result_state}}", "EQUAL_TO", "skipped", "p"),
                ],
            }
        },
        {},
    )

    with pytest.raises(UsageError, match=r"`dbt_task`, which does not run locally.*--skip-unsupported"):
        case.run()
    run = case.run(options=RunOptions(json=True, skip_unsupported=True))

    passed_over, after = run["tasks"]
    assert passed_over["state"] == {
        "life_cycle_state": "SKIPPED",
        "state_message": "A dbt_task does not run locally; it was passed over.",
    }
    assert passed_over["status"]["termination_details"]["code"] == "SKIPPED"
    assert passed_over["run_duration"] == 0
    assert after["condition_task"]["outcome"] == "true"
    assert run["state"]["result_state"] == "SUCCESS"
    assert run["state"]["state_message"] == "Passed over, since their types do not run locally: p."
    assert len(list_runs(case.state)) == 1


def test_a_scheduled_run_knows_its_time(build: Build) -> None:
    """The trigger is PERIODIC, and parameters may name the time; a run that a person starts has none."""
    job = {
        "name": "Nightly",
        "parameters": [{"name": "day", "default": "{{job.trigger.time.iso_date}}"}],
        "tasks": [condition("is", "{{job.trigger.type}} {{job.parameters.day}}", "EQUAL_TO", "periodic 2018-01-31")],
    }
    case = build({"job": job}, {})

    run = case.run(options=RunOptions(json=True, scheduled_at=datetime(2018, 1, 31, 6, tzinfo=UTC)))

    assert run["tasks"][0]["condition_task"]["outcome"] == "true"
    assert (run["trigger"], run["trigger_time"]) == ("PERIODIC", 1517378400000)
    with pytest.raises(UsageError, match=r"parameter `day`.*start it with --scheduled-at"):
        case.run()
    assert case.run(day="x")["state"]["result_state"] == "SUCCESS", "the default is not used, so it is not checked"


def test_a_run_that_a_person_gives_a_wrong_reference_is_refused(build: Build) -> None:
    """Also in operands, inputs and the nested task's parameters."""
    for tasks in (
        [condition("a", "{{job.nothing}}", "EQUAL_TO", "1")],
        [for_each("a", "{{tasks.b.values.x}}", condition("c", "1", "EQUAL_TO", "1"))],
        [for_each("a", "[1]", condition("c", "{{job.nothing}}", "EQUAL_TO", "1"))],
    ):
        case = build({"job": {"name": "Wrong", "tasks": tasks}}, {})
        with pytest.raises(UsageError, match="Correct the reference"):
            case.run()


def test_a_disabled_task_and_what_needs_it_do_not_run(build: Build) -> None:
    """Their result is DISABLED, and the run succeeds."""
    tasks = [condition("a", "1", "EQUAL_TO", "1", disabled=True), condition("b", "1", "EQUAL_TO", "1", "a")]
    case = build({"job": {"name": "Off", "tasks": tasks}}, {})

    run = case.run()

    assert (result(run, "a"), result(run, "b"), exit_code(run)) == ("DISABLED", "DISABLED", 0)
    assert json.dumps(run)


def test_a_python_file_is_a_task_like_others(build: Build) -> None:
    """References in its list of parameters, a retry, and no job parameters pushed into the list."""
    script = {"python_file": "./go.py", "parameters": ["--day", "{{job.parameters.day}}", "{{task.execution_count}}"]}
    job = {
        "name": "Script",
        "parameters": [{"name": "day", "default": "2018-01-31"}],
        "tasks": [{"task_key": "go", "spark_python_task": script, "environment_key": "e", "max_retries": 1}],
        "environments": [{"environment_key": "e", "spec": {"environment_version": "4"}}],
    }
    case = build({"job": job}, {})
    case.file("go.py").write_text("import sys\nassert sys.argv[1:] == ['--day', '2018-01-31', '2'], sys.argv\n")

    run = case.run()

    assert [each["state"]["result_state"] for each in run["tasks"]] == ["FAILED", "SUCCESS"]
    assert run["tasks"][1]["spark_python_task"]["parameters"] == ["--day", "2018-01-31", "2"]


def test_an_sql_task_of_a_query_does_not_run_here(build: Build) -> None:
    """Only those with files do; the nested task of a for-each task is reported by itself."""
    query = {"task_key": "q", "sql_task": {"query": {"query_id": "1"}, "warehouse_id": "w"}}
    case = build({"job": {"name": "Sql", "tasks": [for_each("loop", "[1]", query)]}}, {})

    with pytest.raises(UsageError, match="task `q`: found a `sql_task` with `query`"):
        case.run()
    run = case.run(options=RunOptions(json=True, skip_unsupported=True))

    assert result(run, "loop") == "SKIPPED"
