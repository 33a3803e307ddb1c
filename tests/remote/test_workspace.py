"""A workspace: the real databricks-connect and databricks-sdk against an imitation of its interfaces (`workspace`)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakelocal.project import State
from lakelocal.server import ensure_server
from lakelocal.versions import DATABRICKS_RUNTIME
from tests.remote.conftest import DATABRICKS_CONNECT
from tests.remote.projects import Build
from tests.remote.signs import Signs
from tests.remote.sockets import Proxy
from tests.remote.workspace import CLUSTER, Workspace, serving

FIRST = """
dbutils.widgets.text("day", "none")
dbutils.fs.put("/Volumes/olist_dev/raw/files/a.txt", "hello", True)
dbutils.jobs.taskValues.set("rows", spark.sql("SELECT 3 AS n").first().n)
print("the day is", dbutils.widgets.get("day"), "and", dbutils.secrets.get("mail", "password"))
"""
SECOND = """
from databricks.connect import DatabricksSession
from databricks.sdk.runtime import spark as ours
from pyspark.sql import SparkSession
assert DatabricksSession.builder.getOrCreate() is spark is ours is SparkSession.builder.getOrCreate()
assert dbutils.fs.head("/Volumes/olist_dev/raw/files/a.txt") == "hello"
rows = dbutils.jobs.taskValues.get("first", "rows")
print(spark.range(rows).count(), "rows;", spark.conf.get("spark.databricks.connect.version"))
dbutils.notebook.exit("done")
"""
pytestmark = DATABRICKS_CONNECT
LEFT_ALONE = "spark.sql('SELECT * FROM other_catalog.raw.t').collect()"


@pytest.fixture
def workspace(state: State, tmp_path: Path, remote_python: str) -> Iterator[Workspace]:
    """Its only cluster is the local server."""
    running = ensure_server(state)
    secrets = {("mail", "password"): "s3cret"}
    made = Workspace(running.token, tmp_path / "certificate.pem", running.port, secrets=secrets)
    with serving(made, remote_python) as found:
        yield found


def texts(run: dict, task: str) -> str:
    """What the executed notebook of *task* shows."""
    (place,) = [each["output_notebook"] for each in run["tasks"] if each["task_key"] == task]
    cells = json.loads(Path(place).read_text())["cells"]
    return "".join("".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", []))


def test_a_job_runs_in_a_workspace(build: Build, workspace: Workspace) -> None:
    """Session, files and secrets are the workspace's; widgets, task values and the exit value are the job's."""
    project = build("databricks", first=[FIRST], second=[SECOND])

    run = project.run(**workspace.environment)

    assert run["state"]["result_state"] == "SUCCESS", run
    assert run["remote"] == f"https://localhost:{workspace.port} ({CLUSTER})"
    assert texts(run, "first") == "the day is none and [REDACTED]\n"
    assert re.match(rf"3 rows; {re.escape(DATABRICKS_RUNTIME)}\.\d", texts(run, "second"))
    assert run["tasks"][1]["notebook_output"]["result"] == "done"
    assert workspace.files == {"/Volumes/olist_dev/raw/files/a.txt": b"hello"}
    assert "gRPC" in workspace.asked


def test_the_dialect_is_left_alone(build: Build, workspace: Workspace) -> None:
    """A workspace has many catalogs: the name reaches the server, which alone knows which exist."""
    run = build("databricks", first=[LEFT_ALONE]).run(**workspace.environment)

    error = run["tasks"][0]["error"]
    assert "`other_catalog`.`raw`" in error and "\n" not in error, error


def test_a_state_of_a_workspace_is_refused_elsewhere(build: Build, workspace: Workspace, url: str) -> None:
    """Its volumes are there: elsewhere it would have none."""
    project = build("databricks", first=["spark.range(1).count()"])
    assert project.run(**workspace.environment)["state"]["result_state"] == "SUCCESS"

    run = project.run(LOCAL_REMOTE=url)

    found = f"found a state whose tables are in `https://localhost:{workspace.port}/olist_dev`; expected `file:///"
    assert run["state"]["result_state"] == "FAILED" and found in run["state"]["state_message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"runtime": "15.4.x-scala2.12"},
            r"Exception: Unsupported combination of Databricks Runtime & Databricks Connect versions: 15\.4 .* < "
            + re.escape(DATABRICKS_RUNTIME),
        ),
        ({"token": "another"}, r"Unauthenticated: Credential was not sent or was invalid\. Renew the token"),
    ],
    ids=["an older runtime", "a refused token"],
)
def test_what_a_workspace_refuses_is_one_line(build: Build, workspace: Workspace, change: dict, said: str) -> None:
    """Reported by the check before the first task; the message contains no secret."""
    told = workspace.environment
    for name, value in change.items():
        setattr(workspace, name, value)

    done = build("databricks", first=["spark.range(1).count()"])("run", "job", **told)

    line = next(line for line in done.stdout.splitlines() if "`https://localhost" in line)
    assert done.returncode == 1 and re.search(said, line), done.stdout + done.stderr
    assert told["DATABRICKS_TOKEN"] not in done.stdout + done.stderr


def test_a_workspace_that_is_lost_in_the_middle_is_one_line(build: Build, workspace: Workspace, signs: Signs) -> None:
    """databricks-connect itself would show a page of gRPC's internal state."""
    proxy = Proxy(workspace.port)
    told = {**workspace.environment, "DATABRICKS_HOST": f"https://localhost:{proxy.port}"}
    project = build("databricks", first=[signs.waiting])

    run, took = signs.run_until_lost(project, proxy.cut, **told)

    error = run["tasks"][0]["error"]
    expected = f"`https://localhost:{proxy.port} ({CLUSTER})`: the workspace has not answered for 20 seconds"
    assert error.startswith(expected) and "\n" not in error, error
    assert took < 120


def test_without_a_cluster_it_is_serverless_compute(build: Build, workspace: Workspace) -> None:
    """The runtime of serverless compute is queried by Spark Connect; open-source Spark has none, and is refused."""
    told = {name: value for name, value in workspace.environment.items() if name != "DATABRICKS_CLUSTER_ID"}

    run = build("databricks", first=["spark.range(1).count()"]).run(**told)

    assert run["remote"] == f"https://localhost:{workspace.port} (serverless)"
    assert "is unsupported with serverless" in run["state"]["state_message"]
