"""Updates of a deployed pipeline, started and followed by the official SDK, on the server of the tests."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import ResourceConflict
from databricks.sdk.service import jobs
from databricks.sdk.service.pipelines import (
    FileLibrary,
    PathPattern,
    PipelineEvent,
    PipelineLibrary,
    UpdateInfo,
    UpdateInfoCause,
    UpdateInfoState,
)
from databricks.sdk.service.workspace import ImportFormat

from lakelocal.project import Project, State
from lakelocal.workspace.workspace import Workspace
from tests.workspace.servers import serving

FOLDER = "/Workspace/Users/ana@example.com/pipeline"
SQL = """
CREATE OR REFRESH MATERIALIZED VIEW orders (CONSTRAINT customer EXPECT (customer IS NOT NULL) ON VIOLATION DROP ROW)
AS SELECT * FROM VALUES (1, 'ana', ${rate}), (2, NULL, 7), (3, 'bia', 1) AS t(id, customer, amount);
CREATE OR REFRESH MATERIALIZED VIEW totals AS SELECT sum(amount) AS total FROM orders
"""
PYTHON = """
import dlt
from helper import answer

@dlt.table
def answers():
    return spark.range(1).selectExpr(f"{answer} AS answer")
"""
ENDS = (UpdateInfoState.COMPLETED, UpdateInfoState.FAILED, UpdateInfoState.CANCELED)
SECONDS = 240


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, state: State) -> Iterator[Workspace]:
    """A workspace on a socket that has the catalog of the tests' server."""
    root = tmp_path_factory.mktemp("workspace")
    (root / "databricks.yml").write_text("bundle: {name: x}\nvariables: {catalog: {default: olist_dev}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_USER", "ana@example.com")
        patch.setenv("LOCAL_STATE", str(state.folder.parent))
        with serving(Project(root, state.folder.parent)) as served:
            yield served


@pytest.fixture(scope="module")
def w(workspace: Workspace) -> WorkspaceClient:
    found = WorkspaceClient(host=workspace.url, token=workspace.gate.token, auth_type="pat")
    found.workspace.mkdirs(f"{FOLDER}/more")
    for name, text in (("orders.sql", SQL), ("more/answers.py", PYTHON), ("helper.py", "answer = 42\n")):
        found.workspace.upload(f"{FOLDER}/{name}", text.encode(), format=ImportFormat.RAW, overwrite=True)
    return found


@pytest.fixture(scope="module")
def pipeline(w: WorkspaceClient) -> str:
    """A pipeline of a file and a folder in the workspace, whose tables are in `olist_dev.served`."""
    made = w.pipelines.create(
        name="served",
        catalog="olist_dev",
        schema="served",
        root_path=FOLDER,
        configuration={"rate": "5"},
        libraries=[
            PipelineLibrary(file=FileLibrary(f"{FOLDER}/orders.sql")),
            PipelineLibrary(glob=PathPattern(f"{FOLDER}/more/**")),
        ],
    )
    assert made.pipeline_id is not None
    return made.pipeline_id


def ended(w: WorkspaceClient, pipeline_id: str, update_id: str | None) -> UpdateInfo:
    """The update when it has ended, asked for as the command line does."""
    assert update_id is not None
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        update = w.pipelines.get_update(pipeline_id, update_id).update
        assert update is not None
        if update.state in ENDS:
            return update
        time.sleep(0.2)
    raise AssertionError(f"{update_id} did not end: {update.state}")


def events(w: WorkspaceClient, pipeline_id: str, update_id: str | None, more: str = "") -> list[PipelineEvent]:
    found = w.pipelines.list_pipeline_events(
        pipeline_id, filter=f"update_id = '{update_id}'{more}", order_by=["timestamp asc"]
    )
    return list(found)


def test_an_update_runs_and_tells_what_it_does(w: WorkspaceClient, pipeline: str, spark) -> None:
    """Of several that clients ask for at once, one starts; its events are those that the command line prints."""

    def start(_: int) -> str | None:
        try:
            return w.pipelines.start_update(pipeline).update_id
        except ResourceConflict as error:
            assert "already exists" in str(error)
            return None

    with ThreadPoolExecutor(4) as clients:
        (update_id,) = [started for started in clients.map(start, range(4)) if started]
    assert start(4) is None
    update = ended(w, pipeline, update_id)

    assert (update.state, update.cause) == (UpdateInfoState.COMPLETED, UpdateInfoCause.API_CALL)
    assert [tuple(row) for row in spark.table("olist_dev.served.totals").collect()] == [(6,)]
    assert [tuple(row) for row in spark.table("olist_dev.served.answers").collect()] == [(42,)]
    states = [
        each.message.partition(" is ")[2].rstrip(".")
        for each in events(w, pipeline, update_id, " AND event_type = 'update_progress'")
        if each.message
    ]
    assert states == ["WAITING_FOR_RESOURCES", "INITIALIZING", "SETTING_UP_TABLES", "RUNNING", "COMPLETED"]
    flows = [each.message for each in events(w, pipeline, update_id, " AND event_type = 'flow_progress'")]
    for name in ("orders", "totals", "answers"):
        assert f"Flow 'olist_dev.served.{name}' has COMPLETED." in flows
    assert w.pipelines.get(pipeline).health is not None and w.pipelines.get(pipeline).health.value == "HEALTHY"  # type: ignore[union-attr]


def test_a_job_updates_the_pipeline(w: WorkspaceClient, pipeline: str, spark) -> None:
    """With the settings as they are then; the update is in the list of the pipeline, with the other."""
    found = w.pipelines.get(pipeline).spec
    assert found is not None
    w.pipelines.update(
        pipeline, name="served", catalog="olist_dev", schema="served", root_path=FOLDER, libraries=found.libraries,
        configuration={"rate": "10"},
    )  # fmt: skip
    task = jobs.Task(task_key="refresh", pipeline_task=jobs.PipelineTask(pipeline_id=pipeline, full_refresh=True))
    job_id = w.jobs.create(name="updates", tasks=[task]).job_id
    assert job_id is not None
    run = w.jobs.run_now_and_wait(job_id)

    assert run.state is not None and run.state.result_state is jobs.RunResultState.SUCCESS
    assert [tuple(row) for row in spark.table("olist_dev.served.totals").collect()] == [(11,)]
    newest, first = w.pipelines.list_updates(pipeline).updates or []
    assert (newest.cause, newest.full_refresh) == (UpdateInfoCause.JOB_TASK, True)
    assert first.cause is UpdateInfoCause.API_CALL


def test_an_update_that_fails_tells_why(w: WorkspaceClient, pipeline: str) -> None:
    """In an event of level ERROR, which the command line prints at the end; nothing is written."""
    wrong = SQL.replace("sum(amount)", "sum(amonut)")
    w.workspace.upload(f"{FOLDER}/orders.sql", wrong.encode(), format=ImportFormat.RAW, overwrite=True)
    try:
        update_id = w.pipelines.start_update(pipeline, validate_only=True).update_id
        update = ended(w, pipeline, update_id)
    finally:
        w.workspace.upload(f"{FOLDER}/orders.sql", SQL.encode(), format=ImportFormat.RAW, overwrite=True)

    assert (update.state, update.validate_only) == (UpdateInfoState.FAILED, True)
    (error,) = events(w, pipeline, update_id, " AND level = 'ERROR'")
    assert error.error is not None and error.error.exceptions is not None
    assert "amonut" in (error.error.exceptions[0].message or "")


def test_an_update_that_is_stopped_is_canceled_and_the_next_one_runs(
    w: WorkspaceClient, pipeline: str, workspace: Workspace
) -> None:
    update_id = w.pipelines.start_update(pipeline, refresh_selection=["answers"]).update_id
    w.pipelines.stop(pipeline).result()
    assert ended(w, pipeline, update_id).state is UpdateInfoState.CANCELED

    again = ended(w, pipeline, w.pipelines.start_update(pipeline, refresh_selection=["answers"]).update_id)
    assert again.state is UpdateInfoState.COMPLETED
    flows = {
        each.message
        for each in events(w, pipeline, again.update_id, " AND event_type = 'flow_progress'")
        if each.message and "answers" not in each.message
    }
    assert flows == {f"Flow 'olist_dev.served.{name}' is EXCLUDED." for name in ("orders", "totals")}


def test_a_deleted_pipeline_takes_its_tables_along(w: WorkspaceClient, pipeline: str, spark, state: State) -> None:
    """After the others: what it remembers goes, too, so that another pipeline may have tables of these names."""
    w.pipelines.delete(pipeline)

    left = spark.sql("SHOW TABLES IN olist_dev.served").where("NOT isTemporary").count()
    assert (left, (state.pipelines / pipeline).exists()) == (0, False)
