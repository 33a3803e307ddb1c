"""Jobs and their runs through the official Python SDK: every call for them.

The tasks are conditions and small programs without Spark. The expected results come from Databricks' documentation of
the Jobs API 2.2 and of the SDK.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service import compute, jobs
from databricks.sdk.service.jobs import RunLifeCycleState, RunResultState

from lakelocal.history.reading import History
from lakelocal.project import Project
from tests.workspace.served import Served

SECONDS = timedelta(seconds=120)


def condition(key: str, left: str = "1", right: str = "1", after: str = "") -> jobs.Task:
    """A task that compares two texts; its outcome is `true` if they are equal."""
    return jobs.Task(
        task_key=key,
        depends_on=[jobs.TaskDependency(after)] if after else None,
        condition_task=jobs.ConditionTask(op=jobs.ConditionTaskOp.EQUAL_TO, left=left, right=right),
    )


def program(key: str, path: str, *parameters: str, after: str = "") -> jobs.Task:
    """A task that runs a file of the workspace."""
    return jobs.Task(
        task_key=key,
        depends_on=[jobs.TaskDependency(after)] if after else None,
        spark_python_task=jobs.SparkPythonTask(python_file=path, parameters=list(parameters)),
    )


@pytest.fixture
def job(sdk: WorkspaceClient, request: pytest.FixtureRequest) -> Callable[..., int]:
    """Creates a job named after the test, and returns its id."""

    def create(*tasks: jobs.Task, **settings: Any) -> int:
        job_id = sdk.jobs.create(name=request.node.name, tasks=list(tasks), **settings).job_id
        assert job_id is not None
        return job_id

    return create


def results(run: jobs.Run) -> dict[str, str]:
    """The result of each task."""
    return {each.task_key: each.state.result_state.value for each in run.tasks or []}  # type: ignore[union-attr]


def states(run: jobs.Run) -> dict[str, str]:
    """The state of each task of a run that goes on."""
    return {each.task_key: each.state.life_cycle_state.value for each in run.tasks or []}  # type: ignore[union-attr]


def test_a_client_knows_where_it_is(sdk: WorkspaceClient) -> None:
    assert sdk.config.auth_type == "pat"
    assert sdk.get_workspace_id() > 0
    assert sdk.current_user.me().user_name == "ana@example.com"


def test_a_job_is_created_read_listed_and_deleted(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    """Settings come back as they were sent: a second deployment compares them and finds nothing to do."""
    given = {
        "tags": {"team": "sales"},
        "max_concurrent_runs": 3,
        "timeout_seconds": 0,
        "queue": jobs.QueueSettings(True),
    }
    job_id = job(condition("one"), **given)

    found = sdk.jobs.get(job_id)
    assert found.settings is not None
    assert found.settings.as_dict() == {
        "name": "test_a_job_is_created_read_listed_and_deleted",
        "tasks": [{"task_key": "one", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}],
        "tags": {"team": "sales"},
        "max_concurrent_runs": 3,
        "timeout_seconds": 0,
        "queue": {"enabled": True},
    }
    assert found.creator_user_name == "ana@example.com"
    listed = {each.job_id: each for each in sdk.jobs.list(name="TEST_a_job_is_created_read_LISTED_and_deleted")}
    assert listed[job_id].settings is not None
    assert not listed[job_id].settings.tasks
    (expanded,) = (each for each in sdk.jobs.list(expand_tasks=True) if each.job_id == job_id)
    assert [task.task_key for task in expanded.settings.tasks] == ["one"]  # type: ignore[union-attr]

    sdk.jobs.delete(job_id)
    for call in (sdk.jobs.get, sdk.jobs.delete, sdk.jobs.run_now):
        with pytest.raises(ResourceDoesNotExist, match=f"Job {job_id} does not exist"):
            call(job_id)
    assert job_id not in {each.job_id for each in sdk.jobs.list()}


def test_reset_replaces_all_settings_and_update_some(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    job_id = job(condition("one"), condition("two"), tags={"a": "1"}, timeout_seconds=60)

    new = jobs.JobSettings(tasks=[condition("two", "x"), condition("three")], description="new")
    sdk.jobs.update(job_id, new_settings=new, fields_to_remove=["tags", "tasks/one"])

    settings = sdk.jobs.get(job_id).settings.as_dict()  # type: ignore[union-attr]
    assert [task["task_key"] for task in settings["tasks"]] == ["two", "three"]
    assert settings["tasks"][0]["condition_task"]["left"] == "x"
    assert (settings["timeout_seconds"], settings["description"], "tags" in settings) == (60, "new", False)

    sdk.jobs.reset(job_id, jobs.JobSettings(name="other", tasks=[condition("four")]))

    settings = sdk.jobs.get(job_id).settings.as_dict()  # type: ignore[union-attr]
    assert (settings["name"], [task["task_key"] for task in settings["tasks"]]) == ("other", ["four"])
    assert settings.keys() == {"name", "tasks"}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"tasks": []}, "no tasks"),
        ({"tasks": [condition("a", after="b").as_dict(), condition("b", after="a").as_dict()]}, "circle|cycle"),
        ({"tasks": [condition("a", after="none").as_dict()]}, "none"),
        ({"tasks": [condition("not a key").as_dict()]}, "task_key"),
        ({"tasks": [{"task_key": "a"}]}, "task type"),
        ({"tasks": [{**condition("a").as_dict(), "notebook_task": {"notebook_path": "/x"}}]}, "2 task types"),
        (
            {
                "tasks": [condition("a").as_dict()],
                "schedule": {"quartz_cron_expression": "0 0 6 * * *", "timezone_id": "UTC"},
            },
            r"\?",
        ),
        (
            {
                "tasks": [condition("a").as_dict()],
                "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "Mars/Olympus"},
            },
            "Mars/Olympus",
        ),
    ],
)
def test_a_job_that_could_never_run_is_refused(sdk: WorkspaceClient, settings: dict[str, Any], why: str) -> None:
    """The CLI does not check such jobs, so the API has to."""
    with pytest.raises(InvalidParameterValue, match=why) as caught:
        sdk.api_client.do("POST", "/api/2.2/jobs/create", body={"name": "wrong", **settings})

    assert "\n" not in str(caught.value)


def test_long_jobs_and_runs_come_in_parts(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    """A part has at most 100 entries of each array; the SDK joins the parts."""
    keys = [f"t{number:03}" for number in range(130)]
    parameters = [jobs.JobParameterDefinition(name=f"p{number}", default="x") for number in range(120)]
    job_id = job(*(condition(key) for key in keys), parameters=parameters)

    settings = sdk.jobs.get(job_id).settings
    assert [task.task_key for task in settings.tasks] == keys  # type: ignore[union-attr]
    assert len(settings.parameters) == 120  # type: ignore[union-attr, arg-type]
    (listed,) = (each for each in sdk.jobs.list(expand_tasks=True) if each.job_id == job_id)
    assert len(listed.settings.tasks) == 130  # type: ignore[union-attr, arg-type]
    first: Any = sdk.api_client.do("GET", "/api/2.2/jobs/get", query={"job_id": job_id})
    assert len(first["settings"]["tasks"]) == 100
    older: Any = sdk.api_client.do("GET", "/api/2.1/jobs/get", query={"job_id": job_id})  # it has no parts
    assert len(older["settings"]["tasks"]) == 130

    run = sdk.jobs.run_now(job_id).result(SECONDS)
    assert sorted(task.task_key for task in run.tasks or []) == keys
    assert len(run.job_parameters or []) == 120
    (again,) = sdk.jobs.list_runs(job_id=job_id, expand_tasks=True)
    assert len(again.tasks or []) == 130


def test_a_run_ends_with_its_results_and_outputs(sdk: WorkspaceClient, served: Served, job: Callable[..., int]) -> None:
    hello = served.put("/Workspace/Users/ana/hello.py", "import sys\nprint('hello', *sys.argv[1:])\n")
    parameters = [jobs.JobParameterDefinition(name="who", default="nobody")]
    job_id = job(condition("is_ana", "{{job.parameters.who}}", "ana"), program("say", hello, "{{job.parameters.who}}"),
                 parameters=parameters)  # fmt: skip

    run = sdk.jobs.run_now(job_id, job_parameters={"who": "ana"}).result(SECONDS)

    assert run.state is not None
    assert (run.state.life_cycle_state, run.state.result_state) == (
        RunLifeCycleState.TERMINATED, RunResultState.SUCCESS
    )  # fmt: skip
    assert results(run) == {"is_ana": "SUCCESS", "say": "SUCCESS"}
    assert run.run_page_url == f"{served.url}/jobs/{job_id}/runs/{run.run_id}?o={sdk.get_workspace_id()}"
    by_key = {task.task_key: task for task in run.tasks or []}
    assert by_key["is_ana"].condition_task.outcome == "true"  # type: ignore[union-attr]
    assert by_key["say"].spark_python_task.python_file == hello  # type: ignore[union-attr]
    output = sdk.jobs.get_run_output(by_key["say"].run_id)  # type: ignore[arg-type]
    assert output.logs == "hello ana\n"
    assert sdk.jobs.get_run_output(by_key["is_ana"].run_id).error is None  # type: ignore[arg-type]
    assert sdk.jobs.get_run(by_key["say"].run_id).state.result_state is RunResultState.SUCCESS  # type: ignore
    with pytest.raises(InvalidParameterValue, match="multiple tasks"):
        sdk.jobs.get_run_output(run.run_id)  # type: ignore[arg-type]
    (view,) = sdk.jobs.export_run(by_key["say"].run_id).views or []  # type: ignore[arg-type]
    assert "hello ana" in str(view.content)


def test_a_run_may_name_its_workspace(sdk: WorkspaceClient, served: Served, job: Callable[..., int]) -> None:
    """`{{workspace.url}}` and `{{workspace.id}}` have the values that the client knows."""
    same_url = condition("url", "{{workspace.url}}", served.url)
    same_id = condition("id", "{{workspace.id}}", str(sdk.get_workspace_id()))

    run = sdk.jobs.run_now(job(same_url, same_id)).result(SECONDS)

    assert [task.condition_task.outcome for task in run.tasks or []] == ["true", "true"]  # type: ignore[union-attr]


def test_a_run_is_one_of_the_engine(sdk: WorkspaceClient, served: Served, job: Callable[..., int]) -> None:
    """The command line lists it in the state of its catalog, with the same number."""
    catalog = [jobs.JobParameterDefinition(name="catalog", default="sales")]
    run = sdk.jobs.run_now(job(condition("one"), parameters=catalog)).result(SECONDS)

    state = Project.at(served.root).state("sales")
    newest = History.of(state).runs(limit=1)[0]
    assert (newest.run_name, newest.result_state) == ("test_a_run_is_one_of_the_engine", "SUCCESS")
    assert run.run_id is not None
    assert run.run_id % 10**12 == newest.run_id


def test_runs_of_all_catalogs_are_listed_the_newest_first(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    ids = []
    for catalog in ("north", "south", "north"):
        parameter = jobs.JobParameterDefinition(name="catalog", default=catalog)
        ids.append(sdk.jobs.run_now(job(condition("one"), parameters=[parameter])).result(SECONDS).run_id)

    listed = [run.run_id for run in sdk.jobs.list_runs(limit=2)]  # in pages of two
    assert len(set(ids)) == 3
    assert [number for number in listed if number in ids] == ids[::-1]
    assert len(listed) == len(set(listed))
    starts = [run.start_time for run in sdk.jobs.list_runs(limit=3)]
    assert starts == sorted(starts, reverse=True)  # type: ignore[type-var]
    assert not [run for run in sdk.jobs.list_runs(active_only=True) if run.run_id in ids]
    assert {run.run_id for run in sdk.jobs.list_runs(completed_only=True)} >= set(ids)
    with pytest.raises(InvalidParameterValue, match="page_token"):
        list(sdk.jobs.list_runs(page_token="bm9uZQ"))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"job_parameters": {"y": "1"}}, "`y`"),
        ({"only": ["none"]}, "`none`"),
        ({"only": ["+b+", "x"]}, "`x`"),
        ({"idempotency_token": "t" * 65}, "idempotency_token"),
        ({"notebook_params": {"a": "1"}}, "job_parameters"),
        ({"job_parameters": ["x"]}, "job_parameters"),
    ],
)
def test_a_run_that_is_asked_for_wrongly_is_refused(
    sdk: WorkspaceClient, job: Callable[..., int], asked: dict[str, Any], why: str
) -> None:
    job_id = job(condition("a"), condition("b", after="a"), parameters=[jobs.JobParameterDefinition("1", "x")])

    with pytest.raises(InvalidParameterValue, match=why):
        sdk.api_client.do("POST", "/api/2.2/jobs/run-now", body={"job_id": job_id, **asked})
    assert not list(sdk.jobs.list_runs(job_id=job_id))


@pytest.mark.parametrize(
    ("task", "instead"),
    [
        (jobs.Task("elsewhere", dbt_task=jobs.DbtTask(commands=["dbt run"])), "use a notebook that calls it"),
        (
            jobs.Task("elsewhere", spark_jar_task=jobs.SparkJarTask(main_class_name="Main")),
            "use a `spark_python_task` or a `python_wheel_task`",
        ),
        (
            jobs.Task("elsewhere", sql_task=jobs.SqlTask("w", query=jobs.SqlTaskQuery("q"))),
            "use `sql_task.file`",
        ),
        (jobs.Task("elsewhere", dashboard_task=jobs.DashboardTask(dashboard_id="d")), "use the other tasks without it"),
    ],
    ids=["dbt", "jar", "query", "dashboard"],
)
def test_a_task_that_does_not_run_here_is_refused_with_what_to_use_instead(
    sdk: WorkspaceClient, job: Callable[..., int], task: jobs.Task, instead: str
) -> None:
    """The job is kept as it is, and its other tasks run."""
    job_id = job(condition("here"), task)

    with pytest.raises(InvalidParameterValue) as refused:
        sdk.jobs.run_now(job_id)

    message = str(refused.value)
    assert "task `elsewhere`" in message and instead in message and message.endswith("Name the other tasks in `only`.")
    assert "--" not in message, "options of a command line are none of the API"
    assert results(sdk.jobs.run_now(job_id, only=["here"]).result(SECONDS)) == {"here": "SUCCESS"}


def test_a_partial_run_runs_what_it_names(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    job_id = job(condition("a"), condition("b", after="a"), condition("c", after="b"), condition("d"))

    run = sdk.jobs.run_now(job_id, only=["+b"]).result(SECONDS)

    assert results(run) == {"a": "SUCCESS", "b": "SUCCESS"}


def test_an_equal_token_is_the_same_run(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    job_id = job(condition("a"))

    first = sdk.jobs.run_now(job_id, idempotency_token="once-1")
    second = sdk.jobs.run_now(job_id, idempotency_token="once-1")
    other = sdk.jobs.run_now(job_id, idempotency_token="once-2")

    assert first.run_id == second.run_id != other.run_id
    first.result(SECONDS)
    other.result(SECONDS)
    assert len(list(sdk.jobs.list_runs(job_id=job_id))) == 2
    sdk.jobs.delete_run(first.run_id)
    with pytest.raises(InvalidParameterValue, match="deleted"):
        sdk.jobs.run_now(job_id, idempotency_token="once-1")


def test_a_failed_run_says_why_and_is_repaired(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int], tmp_path: Path
) -> None:
    done = tmp_path / "done"
    path = served.put(
        "/Workspace/Users/ana/fragile.py",
        f"import os\nif not os.path.exists({str(done)!r}): raise ValueError('no luck')",
    )
    job_id = job(condition("first"), program("fragile", path, after="first"), condition("last", after="fragile"))

    waiting = sdk.jobs.run_now(job_id)
    with pytest.raises(OperationFailed, match="INTERNAL_ERROR: Task fragile failed"):
        waiting.result(SECONDS)
    failed = sdk.jobs.get_run(waiting.run_id)
    assert results(failed) == {"first": "SUCCESS", "fragile": "FAILED", "last": "UPSTREAM_FAILED"}
    (fragile,) = (task for task in failed.tasks or [] if task.task_key == "fragile")
    output = sdk.jobs.get_run_output(fragile.run_id)  # type: ignore[arg-type]
    assert "ValueError: no luck" in str(output.error)
    assert "fragile.py" in str(output.error_trace)

    done.touch()
    repaired = sdk.jobs.repair_run(waiting.run_id, rerun_all_failed_tasks=True).result(SECONDS)

    assert repaired.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]
    assert [task.task_key for task in repaired.tasks or []].count("first") == 1
    assert not repaired.repair_history
    history = sdk.jobs.get_run(waiting.run_id, include_history=True).repair_history or []
    assert [(each.type.value, each.id) for each in history] == [("ORIGINAL", None), ("REPAIR", 1)]  # type: ignore
    with pytest.raises(InvalidParameterValue, match="latest_repair_id"):
        sdk.jobs.repair_run(waiting.run_id, rerun_tasks=["last"])
    with pytest.raises(InvalidParameterValue, match="no task that failed"):
        sdk.jobs.repair_run(waiting.run_id, rerun_all_failed_tasks=True, latest_repair_id=1)
    again = sdk.jobs.repair_run(waiting.run_id, rerun_tasks=["last"], latest_repair_id=1).result(SECONDS)
    assert again.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]


SLEEPS = "import time\nprint('asleep', flush=True)\ntime.sleep(300)\n"


def test_a_run_is_cancelled(sdk: WorkspaceClient, served: Served, job: Callable[..., int]) -> None:
    path = served.put("/Workspace/Users/ana/sleeps.py", SLEEPS)
    tasks = (program("sleeps", path), condition("then", after="sleeps"))
    job_id = job(*tasks, max_concurrent_runs=1, queue=jobs.QueueSettings(enabled=True))
    running, queued = sdk.jobs.run_now(job_id), sdk.jobs.run_now(job_id)

    waits = sdk.jobs.get_run(queued.run_id)
    assert waits.state.life_cycle_state is RunLifeCycleState.QUEUED  # type: ignore[union-attr]
    assert states(waits) == {"sleeps": "QUEUED", "then": "BLOCKED"}
    assert {run.run_id for run in sdk.jobs.list_runs(job_id=job_id, active_only=True)} == {
        running.run_id, queued.run_id
    }  # fmt: skip
    sdk.jobs.cancel_all_runs(job_id=job_id, all_queued_runs=True)
    assert queued.result(SECONDS).state.result_state is RunResultState.CANCELED  # type: ignore[union-attr]
    with pytest.raises(Exception, match="active"):
        sdk.jobs.delete_run(running.run_id)
    ended = sdk.jobs.cancel_run(running.run_id).result(SECONDS)
    assert (ended.state.life_cycle_state, ended.state.result_state) == (  # type: ignore[union-attr]
        RunLifeCycleState.TERMINATED, RunResultState.CANCELED
    )  # fmt: skip
    sdk.jobs.delete_run(running.run_id)
    with pytest.raises(ResourceDoesNotExist):
        sdk.jobs.get_run(running.run_id)


def test_a_run_beyond_the_limit_is_skipped_without_a_queue(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int]
) -> None:
    path = served.put("/Workspace/Users/ana/sleeps.py", SLEEPS)
    job_id = job(program("sleeps", path), queue=jobs.QueueSettings(enabled=False))
    running = sdk.jobs.run_now(job_id)

    skipped = sdk.jobs.run_now(job_id).result(SECONDS)

    assert skipped.state.life_cycle_state is RunLifeCycleState.SKIPPED  # type: ignore[union-attr]
    sdk.jobs.cancel_all_runs(job_id=job_id)
    running.result(SECONDS)


def test_tasks_that_are_no_job_run_once(sdk: WorkspaceClient) -> None:
    task = jobs.SubmitTask(task_key="one", condition_task=jobs.ConditionTask(jobs.ConditionTaskOp.EQUAL_TO, "1", "2"))
    first = sdk.jobs.submit(run_name="once", tasks=[task], idempotency_token="submit-1")
    second = sdk.jobs.submit(run_name="once", tasks=[task], idempotency_token="submit-1")

    run = first.result(SECONDS)

    assert first.run_id == second.run_id
    assert (run.run_name, run.run_type.value) == ("once", "SUBMIT_RUN")  # type: ignore[union-attr]
    assert run.tasks[0].condition_task.outcome == "false"  # type: ignore[index, union-attr]
    assert run.job_id not in {each.job_id for each in sdk.jobs.list()}
    assert run.run_id in {each.run_id for each in sdk.jobs.list_runs(run_type=jobs.RunType.SUBMIT_RUN)}


def test_a_job_starts_another_and_a_loop_has_iterations(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    child = job(condition("inner"))
    loop = jobs.Task(
        task_key="loop",
        for_each_task=jobs.ForEachTask(inputs="[1, 2, 3]", task=condition("each", "{{input}}", "2"), concurrency=2),
    )
    starts = jobs.Task(task_key="starts", run_job_task=jobs.RunJobTask(job_id=child))

    run = sdk.jobs.run_now(job(loop, starts)).result(SECONDS)

    assert results(run) == {"loop": "SUCCESS", "starts": "SUCCESS"}
    by_key = {task.task_key: task for task in run.tasks or []}
    iterations = sdk.jobs.get_run(by_key["loop"].run_id).iterations or []  # type: ignore[arg-type]
    assert sorted(each.condition_task.outcome for each in iterations) == ["false", "false", "true"]  # type: ignore
    output = sdk.jobs.get_run_output(by_key["starts"].run_id)  # type: ignore[arg-type]
    started = sdk.jobs.get_run(output.run_job_output.run_id)  # type: ignore[union-attr, arg-type]
    assert (started.job_id, started.trigger.value) == (child, "RUN_JOB_TASK")  # type: ignore[union-attr]


def test_a_missing_file_fails_its_task_when_its_turn_comes(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    """A job may be deployed before its files, as on Databricks."""
    notebook = jobs.Task(
        task_key="gone",
        depends_on=[jobs.TaskDependency("first")],
        notebook_task=jobs.NotebookTask("/Workspace/Users/ana/gone"),
    )
    waiting = sdk.jobs.run_now(job(condition("first"), notebook))
    with pytest.raises(OperationFailed):
        waiting.result(SECONDS)

    run = sdk.jobs.get_run(waiting.run_id)
    assert results(run) == {"first": "SUCCESS", "gone": "FAILED"}
    error = sdk.jobs.get_run_output(run.tasks[-1].run_id).error  # type: ignore[index, arg-type]
    assert "/Workspace/Users/ana/gone" in str(error)


def test_an_answer_comes_as_soon_as_the_run_has_ended(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int], tmp_path: Path
) -> None:
    """A client that asks again gets its answer when something changes; its own pauses would be up to 10 s long."""
    goes_on = tmp_path / "goes_on"
    path = served.put(
        "/Workspace/Users/ana/waits.py",
        f"import os, time\nwhile not os.path.exists({str(goes_on)!r}): time.sleep(0.05)\n",
    )
    tasks = (program("waits", path), condition("then", after="waits"), condition("last", after="then"))
    run_id = sdk.jobs.run_now(job(*tasks), only=["waits", "then"]).run_id
    while (began := sdk.jobs.get_run(run_id)).tasks[0].run_id is None:  # type: ignore[index]
        assert states(began) == {"waits": "PENDING", "then": "BLOCKED"}
    assert states(began) == {"waits": "RUNNING", "then": "BLOCKED"}
    threading.Timer(1.0, goes_on.touch).start()

    asked = 0
    while (run := sdk.jobs.get_run(run_id)).state.result_state is None:  # type: ignore[union-attr]
        asked += 1
    late = time.time() * 1000 - (run.end_time or 0)

    assert asked <= 4  # each answer but the last one waited until something had changed
    assert late < 5000


def test_a_wheel_of_the_workspace_is_installed(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int], tmp_path: Path
) -> None:
    """`bundle deploy` uploads wheels to `artifacts/.internal` of the deployment."""
    wheel = tmp_path / "tools-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tools.py", "import sys\ndef main():\n    print('tools', sys.argv[1:])\n")
        archive.writestr("tools-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tools\nVersion: 1.0\n")
        archive.writestr("tools-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tools-1.0.dist-info/entry_points.txt", "[console_scripts]\nmain = tools:main\n")
        archive.writestr("tools-1.0.dist-info/RECORD", "")
    path = "/Workspace/Users/ana/artifacts/.internal/tools-1.0-py3-none-any.whl"
    place = served.places.tree / path.removeprefix("/Workspace/")
    place.parent.mkdir(parents=True)
    place.write_bytes(wheel.read_bytes())
    task = jobs.Task(
        task_key="one",
        environment_key="tools",
        python_wheel_task=jobs.PythonWheelTask(package_name="tools", entry_point="main", parameters=["a"]),
    )
    environment = jobs.JobEnvironment("tools", compute.Environment(environment_version="4", dependencies=[path]))

    waiting = sdk.jobs.run_now(job(task, environments=[environment]))
    with contextlib.suppress(OperationFailed):
        waiting.result(SECONDS)
    run = sdk.jobs.get_run(waiting.run_id)

    output = sdk.jobs.get_run_output(run.tasks[0].run_id)  # type: ignore[index, arg-type]
    assert output.error is None, output.error_trace
    assert "tools ['a']" in str(output.logs)


def test_a_notebook_knows_its_path_and_its_folder(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int]
) -> None:
    """It sees the files beside it, and its own path as clients know it; clients find the files that it writes."""
    served.put("/Workspace/Users/ana/project/beside.py", "NAME = 'beside'\n")
    served.put(
        "/Workspace/Users/ana/project/where.py",
        "# Databricks notebook source\n"
        "import beside\n"
        "open('/Workspace/Users/ana/project/written.txt', 'w').write('by a notebook')\n"
        "path = dbutils.notebook.entry_point.getDbutils().notebook().getContext().notebookPath().get()\n"
        "dbutils.notebook.exit(f'{beside.NAME} {path}')\n",
    )
    task = jobs.Task(task_key="where", notebook_task=jobs.NotebookTask("/Workspace/Users/ana/project/where"))

    waiting = sdk.jobs.run_now(job(task))
    with contextlib.suppress(OperationFailed):
        waiting.result(SECONDS)
    task_run = sdk.jobs.get_run(waiting.run_id).tasks[0]  # type: ignore[index]

    output = sdk.jobs.get_run_output(task_run.run_id)  # type: ignore[arg-type]
    assert output.error is None, output.error_trace
    assert output.notebook_output.result == "beside /Users/ana/project/where"  # type: ignore[union-attr]
    assert task_run.notebook_task.notebook_path == "/Workspace/Users/ana/project/where"  # type: ignore[union-attr]
    assert sdk.workspace.download("/Workspace/Users/ana/project/written.txt").read() == b"by a notebook"


def test_the_command_line_repairs_a_run_of_a_deployed_job(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int], tmp_path: Path
) -> None:
    done = tmp_path / "done"
    code = f"import os\nif not os.path.exists({str(done)!r}): raise ValueError('no luck')"
    path = served.put("/Workspace/Users/ana/fragile.py", code)
    run_id = sdk.jobs.run_now(job(program("fragile", path))).run_id
    with pytest.raises(OperationFailed):
        sdk.jobs.wait_get_run_job_terminated_or_skipped(run_id, SECONDS)
    done.touch()

    local = [sys.executable, "-m", "lakelocal", "--project", str(served.root), "runs", "repair", str(run_id % 10**12)]
    subprocess.run(local, check=True, capture_output=True)

    run = sdk.jobs.get_run(run_id, include_history=True)
    assert run.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]
    assert run.tasks[-1].spark_python_task.python_file == path  # type: ignore[index, union-attr]
    assert len(run.repair_history or []) == 2


def test_older_clients_call_older_versions(sdk: WorkspaceClient, job: Callable[..., int]) -> None:
    job_id = job(condition("one"))
    for version in ("2.0", "2.1", "2.2"):
        started: Any = sdk.api_client.do("POST", f"/api/{version}/jobs/run-now", body={"job_id": job_id})
        found: Any = sdk.api_client.do("GET", f"/api/{version}/jobs/runs/get", query={"run_id": started["run_id"]})
        assert found["job_id"] == job_id
        assert json.dumps(found["state"])


def test_parameters_of_tasks_are_taken_by_jobs_without_parameters(
    sdk: WorkspaceClient, served: Served, job: Callable[..., int]
) -> None:
    path = served.put("/Workspace/Users/ana/echo.py", "import sys\nprint(sys.argv[1:])\n")

    run = sdk.jobs.run_now(job(program("one", path, "old")), python_params=["new", "2"]).result(SECONDS)

    assert sdk.jobs.get_run_output(run.tasks[0].run_id).logs == "['new', '2']\n"  # type: ignore[index, arg-type]
