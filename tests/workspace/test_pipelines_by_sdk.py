"""Pipelines, their updates and events through the official Python SDK: every call for them.

No update runs here: the tests record updates as a runner does. `tests/spark/test_served_pipelines.py` runs some. The
expected results come from Databricks' documentation of the Pipelines API 2.0 and of the SDK.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, OperationFailed, ResourceConflict
from databricks.sdk.service import jobs
from databricks.sdk.service.iam import PermissionLevel
from databricks.sdk.service.pipelines import (
    FileLibrary,
    NotebookLibrary,
    PipelineAccessControlRequest,
    PipelineLibrary,
    PipelinePermissionLevel,
    PipelinesEnvironment,
    PipelineState,
    UpdateInfoCause,
    UpdateInfoState,
)

from lakelocal.history.records import Records, now_ms
from lakelocal.history.updates import UpdateRecords
from lakelocal.lakeflow.pipeline_updates import RUN_TYPE, run_job_id
from lakelocal.lakeflow.update_progress import update_event
from lakelocal.project import Project
from tests.unit.pipeline_updates import event_at, update_of_a_shop
from tests.unit.recorded_runs import attempt, end, start
from tests.workspace.served import Served

SOURCE = "/Workspace/Users/ana@example.com/pipeline/orders.sql"
SQL = "CREATE OR REFRESH MATERIALIZED VIEW orders AS SELECT 1 AS id"


@pytest.fixture
def pipeline(sdk: WorkspaceClient, served: Served, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Creates a pipeline with a source, named after the test, and returns its id."""
    served.put(SOURCE, SQL)

    def create(**settings: Any) -> str:
        libraries = [PipelineLibrary(file=FileLibrary(SOURCE))]
        given = {"name": request.node.name, "catalog": "main", "schema": "shop", "libraries": libraries, **settings}
        pipeline_id = sdk.pipelines.create(**given).pipeline_id
        assert pipeline_id is not None
        return pipeline_id

    return create


@pytest.fixture
def records(served: Served) -> Records:
    return Records.of(Project.at(served.root).state("main"))


def recorded(records: Records, pipeline_id: str, *, job_id: int, ended: bool = True, at: int | None = None) -> str:
    """An update of the pipeline, recorded as by its runner: a whole one of a shop, or one that is still running."""
    at = at or now_ms()
    settings = {"run_type": RUN_TYPE} if job_id == run_job_id(pipeline_id) else {}
    run_id = start(records, job_id=job_id, settings=settings, start_time=at)
    attempt_id = attempt(records, run_id, "update", "FAILED" if ended else None, kind="pipeline_task")
    updates = UpdateRecords(records)
    update_id = updates.create(
        pipeline_id=pipeline_id,
        pipeline_name="orders",
        job_run_id=run_id,
        attempt_id=attempt_id,
        cause="JOB_TASK",
        selection={"full_refresh": False, "refresh_selection": ["orders"], "validate_only": False},
        parameters={"day": "1"},
    )
    events = update_of_a_shop(update_id, at) if ended else [event_at(update_event(update_id, "RUNNING"), at)]
    updates.add(update_id, events)
    if ended:
        end(records, run_id, "FAILED", at=at + 60_000)
    return update_id


def test_a_pipeline_is_created_read_changed_listed_and_deleted(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    """Settings come back as they were sent: a second deployment compares them and finds nothing to do."""
    environment = PipelinesEnvironment(dependencies=["humanize"])
    pipeline_id = pipeline(configuration={"a": "1"}, development=True, environment=environment, tags={"team": "a"})

    found = sdk.pipelines.get(pipeline_id)
    assert found.spec is not None and found.spec.as_dict() == {
        "id": pipeline_id,
        "name": "test_a_pipeline_is_created_read_changed_listed_and_deleted",
        "catalog": "main",
        "schema": "shop",
        "libraries": [{"file": {"path": SOURCE}}],
        "configuration": {"a": "1"},
        "development": True,
        "environment": {"dependencies": ["humanize"]},
        "tags": {"team": "a"},
    }
    assert (found.state, found.name, found.creator_user_name) == (
        PipelineState.IDLE,
        found.spec.name,
        "ana@example.com",
    )
    assert not found.latest_updates and found.health is None

    notebook = PipelineLibrary(notebook=NotebookLibrary("/Users/ana@example.com/pipeline/a"))
    sdk.pipelines.update(pipeline_id, name="other name", schema="b", libraries=[notebook])
    changed = sdk.pipelines.get(pipeline_id)
    assert changed.spec is not None and (changed.spec.name, changed.spec.schema) == ("other name", "b")
    assert changed.spec.configuration is None and changed.name == "other name"
    assert changed.last_modified is not None and found.last_modified is not None
    with pytest.raises(ResourceConflict):
        sdk.pipelines.update(pipeline_id, name="late", expected_last_modified=found.last_modified - 1)

    assert pipeline_id in {each.pipeline_id for each in sdk.pipelines.list_pipelines(filter="name LIKE '%her name'")}
    assert pipeline_id not in {each.pipeline_id for each in sdk.pipelines.list_pipelines(filter="name LIKE 'her'")}
    by_notebook = sdk.pipelines.list_pipelines(filter="notebook='/Users/ana@example.com/pipeline/a'", max_results=1)
    assert [each.pipeline_id for each in by_notebook] == [pipeline_id]
    with pytest.raises(InvalidParameterValue, match="name LIKE"):
        list(sdk.pipelines.list_pipelines(filter="colour = 'red'"))

    sdk.pipelines.delete(pipeline_id)
    for call in (sdk.pipelines.get, sdk.pipelines.delete, sdk.pipelines.start_update, sdk.pipelines.stop):
        with pytest.raises(NotFound, match=f"The specified pipeline {pipeline_id} was not found"):
            call(pipeline_id)
    assert pipeline_id not in {each.pipeline_id for each in sdk.pipelines.list_pipelines()}


def test_pipelines_are_listed_in_pages(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    made = {pipeline(allow_duplicate_names=True) for _ in range(3)}

    listed = [each.pipeline_id for each in sdk.pipelines.list_pipelines(max_results=1)]
    assert made <= set(listed) and len(listed) == len(set(listed))


def test_parameters_and_who_runs_it_stand_beside_the_settings(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    """As in the API, so that a client that compares them finds no difference."""
    pipeline_id = pipeline(parameters={"day": "1"})
    found = sdk.pipelines.get(pipeline_id)

    assert found.parameters == {"day": "1"}
    assert found.spec is not None and "parameters" not in found.spec.as_dict()


def test_a_dry_run_creates_nothing(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    before = len(list(sdk.pipelines.list_pipelines()))
    made = sdk.pipelines.create(name="only asked", schema="s", dry_run=True)

    assert made.pipeline_id is None and made.effective_settings is not None
    assert made.effective_settings.name == "only asked"
    assert len(list(sdk.pipelines.list_pipelines())) == before


def test_what_the_api_refuses(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    pipeline_id = pipeline()
    with pytest.raises(ResourceConflict, match="already used by another pipeline"):
        pipeline()
    with pytest.raises(InvalidParameterValue, match=r"'a\.b' is not a valid name"):
        pipeline(name="x", schema="a.b")
    with pytest.raises(InvalidParameterValue, match="expected one of the two"):
        sdk.pipelines.start_update(pipeline_id, full_refresh=True, refresh_selection=["orders"])
    with pytest.raises(InvalidParameterValue, match="reset_checkpoint_selection"):
        sdk.pipelines.start_update(pipeline_id, reset_checkpoint_selection=["a.b.c"])


def test_an_update_that_cannot_begin_is_refused_with_the_reason(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    """The reasons: a missing source, with the path that the client knows; managed ingestion."""
    missing = pipeline(name="missing", libraries=[PipelineLibrary(file=FileLibrary("/Workspace/Users/nope.sql"))])
    with pytest.raises(InvalidParameterValue, match=r"/Workspace/Users/nope\.sql"):
        sdk.pipelines.start_update(missing)
    with pytest.raises(InvalidParameterValue, match="no sources"):
        sdk.pipelines.start_update(pipeline(name="empty", libraries=[]))
    assert not list(sdk.pipelines.list_updates(missing).updates or [])


def test_updates_of_whatever_started_them(sdk: WorkspaceClient, pipeline: Callable[..., str], records: Records):
    """Those of a job, too; the newest first, in pages, up to a given one."""
    pipeline_id = pipeline()
    at = now_ms() - 600_000
    first = recorded(records, pipeline_id, job_id=7, at=at)
    second = recorded(records, pipeline_id, job_id=run_job_id(pipeline_id), at=at + 100_000)

    update = sdk.pipelines.get_update(pipeline_id, first).update
    assert update is not None and (update.state, update.cause) == (UpdateInfoState.FAILED, UpdateInfoCause.JOB_TASK)
    assert (update.refresh_selection, update.full_refresh, update.validate_only) == (["orders"], False, False)
    assert update.parameters == {"day": "1"} and update.config is not None and update.config.schema == "shop"

    page = sdk.pipelines.list_updates(pipeline_id, max_results=1)
    rest = sdk.pipelines.list_updates(pipeline_id, max_results=1, page_token=page.next_page_token)
    assert [each.update_id for each in (*(page.updates or []), *(rest.updates or []))] == [second, first]
    assert rest.next_page_token is None
    until = sdk.pipelines.list_updates(pipeline_id, until_update_id=second).updates or []
    assert [each.update_id for each in until] == [second]
    with pytest.raises(NotFound, match="The specified update"):
        sdk.pipelines.get_update(pipeline_id, str(uuid.uuid4()))

    latest = sdk.pipelines.get(pipeline_id)
    assert [each.update_id for each in latest.latest_updates or []] == [second, first]
    assert latest.health is not None and latest.health.value == "UNHEALTHY" and latest.state is PipelineState.IDLE


def test_the_jobs_api_lists_no_updates(sdk: WorkspaceClient, pipeline: Callable[..., str], records: Records):
    """On Databricks, updates are not runs of jobs, but the run of a job that updates a pipeline is one."""
    pipeline_id, job_id = pipeline(), uuid.uuid4().int % 10**12
    recorded(records, pipeline_id, job_id=run_job_id(pipeline_id))
    recorded(records, pipeline_id, job_id=job_id)

    assert [each.job_id for each in sdk.jobs.list_runs(job_id=job_id)] == [job_id]
    assert not list(sdk.jobs.list_runs(job_id=run_job_id(pipeline_id)))


def test_events_are_filtered_and_ordered(sdk: WorkspaceClient, pipeline: Callable[..., str], records: Records):
    """With the requests of the CLI's `bundle run` and `pipelines logs`."""
    pipeline_id = pipeline()
    at = now_ms() - 600_000
    update_id = recorded(records, pipeline_id, job_id=7, at=at)
    other = recorded(records, pipeline_id, job_id=7, at=at + 100_000)

    def asked(filter: str = "", **more: Any) -> list[tuple[str, str]]:
        found = sdk.pipelines.list_pipeline_events(pipeline_id, filter=filter, **more)
        return [(each.event_type or "", each.message or "") for each in found]

    every = asked()
    assert len(every) == 2 * (len(update_of_a_shop()) + 1) == len(asked(max_results=7))
    assert asked(order_by=["timestamp asc"]) == every[::-1] == asked(order_by=["timestamp asc"], max_results=5)
    own = asked(f"update_id = '{update_id}'")
    assert own == every[len(every) // 2 :]
    errors = asked(f"level = 'ERROR' AND update_id='{other}'")
    assert errors == [
        ("update_progress", f"Update {other[:6]} is FAILED."),
        ("flow_progress", "Flow 'main.shop.strict' has FAILED."),
    ]
    assert asked(f"level in ('ERROR') AND update_id = '{other}'") == errors
    assert asked("event_type in ('create_update', 'nothing')") == [
        ("create_update", f"Update {each[:6]} started by JOB_TASK.") for each in (other, update_id)
    ]
    event = next(
        each
        for each in sdk.pipelines.list_pipeline_events(pipeline_id, filter=f"update_id = '{update_id}'")
        if each.level is not None and each.level.value == "ERROR" and each.event_type == "flow_progress"
    )
    assert event.origin is not None and event.origin.flow_name == "main.shop.strict"
    assert event.error is not None and event.error.exceptions is not None
    assert "Violated expectations" in (event.error.exceptions[0].message or "")
    after = asked(f"update_id = '{update_id}' AND timestamp > '{event.timestamp}'")
    assert after == own[: own.index(("flow_progress", event.message or ""))]
    for wrong in (
        "level = ERROR",
        "colour = 'red'",
        "level = 'A' OR level = 'B'",
        "level = 'A' AND",
        "timestamp > 'x'",
    ):
        with pytest.raises(InvalidParameterValue, match="filter"):
            asked(wrong)


def test_one_update_at_a_time_which_can_be_stopped(
    sdk: WorkspaceClient, pipeline: Callable[..., str], records: Records
):
    """The process that runs the update sees the request; the pipeline is idle when the update has ended."""
    pipeline_id = pipeline()
    update_id = recorded(records, pipeline_id, job_id=7, ended=False)

    assert sdk.pipelines.get(pipeline_id).state is PipelineState.RUNNING
    with pytest.raises(ResourceConflict, match=f"An active update {update_id} already exists"):
        sdk.pipelines.start_update(pipeline_id)
    waiting = sdk.pipelines.stop(pipeline_id)
    found = UpdateRecords(records).find(update_id)
    assert found is not None and found.cancel_requested
    assert sdk.pipelines.get(pipeline_id).state is PipelineState.STOPPING
    UpdateRecords(records).add(update_id, [update_event(update_id, "CANCELED")])

    assert waiting.result().state is PipelineState.IDLE
    sdk.pipelines.stop(pipeline_id)


def test_permissions_of_a_pipeline(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    pipeline_id = pipeline()
    levels = sdk.pipelines.get_permission_levels(pipeline_id).permission_levels or []
    assert {each.permission_level for each in levels} == set(PipelinePermissionLevel)
    wanted = [PipelineAccessControlRequest(group_name="team", permission_level=PipelinePermissionLevel.CAN_RUN)]
    sdk.pipelines.update_permissions(pipeline_id, access_control_list=wanted)

    found = sdk.pipelines.get_permissions(pipeline_id)
    told = {
        each.user_name or each.group_name: [level.permission_level for level in each.all_permissions or []]
        for each in found.access_control_list or []
    }
    assert told == {
        "ana@example.com": [PipelinePermissionLevel.IS_OWNER], "team": [PipelinePermissionLevel.CAN_RUN]
    }  # fmt: skip
    assert sdk.permissions.get("pipelines", pipeline_id).access_control_list
    assert PermissionLevel.CAN_RUN.value == "CAN_RUN"


def test_a_task_fails_whose_pipeline_is_not_there(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    """When its turn comes, since the pipeline may be deleted after the job was created; a missing source counts too."""

    def why(pipeline_id: str) -> str:
        task = jobs.Task(task_key="refresh", pipeline_task=jobs.PipelineTask(pipeline_id=pipeline_id))
        job_id = sdk.jobs.create(name="with a pipeline", tasks=[task]).job_id
        assert job_id is not None
        run_id = sdk.jobs.run_now(job_id).run_id
        with pytest.raises(OperationFailed):
            sdk.jobs.wait_get_run_job_terminated_or_skipped(run_id)
        return sdk.jobs.get_run_output(run_id).error or ""

    gone = pipeline()
    sdk.pipelines.delete(gone)
    assert f"`{gone}`" in why(gone)
    missing = pipeline(libraries=[PipelineLibrary(file=FileLibrary("/Workspace/Users/nope.sql"))])
    assert "/Workspace/Users/nope.sql" in why(missing)


def test_parameters_of_a_run_say_what_its_pipelines_refresh(sdk: WorkspaceClient, pipeline: Callable[..., str]):
    """In place of what the task says; the run fails, since the source of the pipeline is not there."""
    missing = pipeline(libraries=[PipelineLibrary(file=FileLibrary("/Workspace/Users/nope.sql"))])
    task = jobs.PipelineTask(pipeline_id=missing, full_refresh=True)
    job_id = sdk.jobs.create(name="p", tasks=[jobs.Task(task_key="refresh", pipeline_task=task)]).job_id
    assert job_id is not None
    run_id = sdk.jobs.run_now(job_id, pipeline_params=jobs.PipelineParams(refresh_selection=["a", "b"])).run_id
    with pytest.raises(OperationFailed):
        sdk.jobs.wait_get_run_job_terminated_or_skipped(run_id)

    (done,) = sdk.jobs.get_run(run_id).tasks or []
    assert done.pipeline_task is not None
    assert done.pipeline_task.as_dict() == {"pipeline_id": missing, "refresh_selection": ["a", "b"]}
    with pytest.raises(InvalidParameterValue, match="pipeline_params"):
        sdk.jobs.run_now(job_id, pipeline_params=jobs.PipelineParams(reset_checkpoint_selection=["f"]))
