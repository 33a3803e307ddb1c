"""`getContext()`: what public notebooks ask it for."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lakelocal.context import TaskContext
from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils import DBUtils
from lakelocal.kernel.dbutils.notebook_context import NoSuchElement, repl_context
from lakelocal.project import BundleFiles

SHOWN = "/Workspace/Users/ana@example.com/.bundle/shop/dev/files"


@pytest.fixture(autouse=True)
def ana(monkeypatch):
    monkeypatch.setenv("LOCAL_USER", "ana@example.com")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


def dbutils_of(root, task: TaskContext | None) -> DBUtils:
    state = SimpleNamespace(files=BundleFiles(SHOWN, root), workspace=root.with_name("tree"))
    return DBUtils(SimpleNamespace(context=task, state=state, folder=root, remote=""))


@pytest.fixture
def dbutils(tmp_path) -> DBUtils:
    """Of the task `load`, attempt 20 of run 10 of job 1234."""
    task = TaskContext(
        job_id=1234,
        job_name="daily",
        job_run_id=10,
        task_run_id=20,
        task_key="load",
        attempt_number=0,
        notebook=str(tmp_path / "src" / "load orders.py"),
        exit_file="",
        values_folder="",
    )
    return dbutils_of(tmp_path, task)


@pytest.fixture
def context(dbutils):
    return dbutils.notebook.entry_point.getDbutils().notebook().getContext()


def test_the_path_is_that_of_the_workspace_without_extension(context):
    """`/Workspace` before it makes the path of the file system, which a kernel has too."""
    assert context.notebookPath().get() == SHOWN.removeprefix("/Workspace") + "/src/load orders"
    assert context.notebookPath().getOrElse(None) == context.notebookPath().get()
    assert context.notebookPath().toString() == f"Some({context.notebookPath().get()})"


def test_a_deployed_notebook_has_the_path_that_it_was_deployed_to(tmp_path, dbutils):
    """Which is the tree of the workspace, without the bundle that it came from."""
    notebook = str(tmp_path.with_name("tree") / "Users" / "ana" / "load.ipynb")
    deployed = dbutils_of(tmp_path, replace(dbutils._kernel.context, notebook=notebook))
    assert deployed.notebook.getContext().notebookPath().get() == "/Users/ana/load"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("jobId", "1234"),
        ("jobName", "daily"),
        ("runId", "20"),
        ("multitaskParentRunId", "10"),
        ("taskKey", "load"),
        ("user", "ana@example.com"),
        ("orgId", "0"),
        ("clusterId", "local"),
        ("browserHostName", "localhost"),
    ],
)
def test_tags_are_texts(context, tag, value):
    """However they are asked for, alone and in JSON."""
    assert context.tags().apply(tag) == value
    assert context.tags().get(tag).get() == value
    assert context.tags().getOrElse(tag, "") == value
    assert json.loads(context.toJson())["tags"][tag] == value
    assert json.loads(context.safeToJson())["attributes"][tag] == value


def test_ids_of_runs_are_those_of_the_jobs_api(context):
    """The current run is that of the task."""
    assert context.currentRunId().get().id() == 20
    assert str(context.currentRunId()) == "Some(RunId(20))"
    assert json.loads(context.toJson())["currentRunId"] == {"id": 20}
    assert json.loads(context.safeToJson())["attributes"]["currentRunId"] == "20"
    assert context.jobId().get() == "1234"


def test_the_json_has_the_path_and_no_real_token(context):
    """A text in its place says why a call with it fails."""
    extra = json.loads(context.toJson())["extraContext"]

    assert extra["notebook_path"] == context.notebookPath().get()
    assert "no-workspace" in extra["api_url"] and "no-workspace" in extra["api_token"]
    assert json.loads(context.safeToJson())["attributes"]["notebook_path"] == context.notebookPath().get()


@pytest.mark.parametrize("name", ["apiUrl", "apiToken"])
def test_what_only_a_workspace_has_is_an_empty_option_with_a_reason(context, name):
    """So `getOrElse` works, and `get` says what is wrong."""
    assert getattr(context, name)().getOrElse(None) is None
    assert getattr(context, name)().isEmpty()
    with pytest.raises(NoSuchElement, match=f"None.get: {name}: there is no workspace on this machine"):
        getattr(context, name)().get()


def test_a_missing_tag_names_those_there_are(context):
    """As on Databricks it raises, and an Option of it is empty."""
    assert context.tags().get("sourceIpAddress").isDefined() is False
    with pytest.raises(NoSuchElement, match="there is no tag `sourceIpAddress`; the tags are `user`"):
        context.tags().apply("sourceIpAddress")


def test_other_ways_to_the_same(dbutils, context):
    """The entry point is at `dbutils` itself too, and has the other modules as methods."""
    direct = dbutils.entry_point.getDbutils().notebook().getContext()
    assert direct.toJson() == dbutils.notebook.getContext().toJson() == context.toJson()
    assert dbutils.entry_point.getDbutils().widgets() is dbutils.widgets
    assert repl_context(context)["jobId"] == "1234"
    assert repl_context(context)["isInJob"] is True
    with pytest.raises(DbutilsError, match="which has no JVM behind it"):
        _ = dbutils.notebook.entry_point.getSparkContext
    with pytest.raises(DbutilsError, match="somethingElse`: not available in a local kernel"):
        context.somethingElse()


def test_outside_of_a_job_there_are_a_user_and_no_ids(tmp_path):
    """An interactive kernel is not told its notebook, but by JupyterLab."""
    context = dbutils_of(tmp_path, None).notebook.getContext()

    assert context.userName().get() == "ana@example.com"
    assert context.tags().getOrElse("jobId", "none") == "none"
    assert context.currentRunId().isEmpty()
    assert json.loads(context.toJson())["currentRunId"] is None
    assert repl_context(context)["isInJob"] is False
    with pytest.raises(NoSuchElement, match="does not know which notebook it runs"):
        context.notebookPath().get()


def test_jupyterlab_tells_the_notebook(tmp_path, monkeypatch):
    """In its environment variable, a file of the bundle."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a.ipynb"))

    assert dbutils_of(tmp_path, None).notebook.getContext().notebookPath().get().endswith("/dev/files/a")


def test_a_task_of_a_python_file_has_no_notebook(tmp_path, dbutils):
    """The notebook that runs the file is generated, so it has no path in the workspace."""
    task = replace(dbutils._kernel.context, working_folder=str(tmp_path))

    context = dbutils_of(tmp_path, task).notebook.getContext()

    assert context.notebookPath().isEmpty()
    assert context.tags().apply("taskKey") == "load"
