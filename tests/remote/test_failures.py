"""Places where Spark cannot be used: one line that says why, and a run that is recorded as FAILED, both soon."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lakelocal import versions
from lakelocal.program import called
from tests.remote.conftest import BY_PYSPARK, CLIENTS, DATABRICKS_CONNECT
from tests.remote.projects import ROOT, Build, Project
from tests.remote.sockets import closed_port, mute_listener

LIMIT = 120
# As regular expressions.
SPARK, CONNECT = re.escape(versions.SPARK), re.escape(versions.DATABRICKS_CONNECT)
REMOTE_PYTHON = r"\.".join(map(str, versions.REMOTE_PYTHON))
SHOWS = "import os, subprocess\nprint(dict(os.environ), subprocess.run(['env'], capture_output=True, text=True).stdout)"


def failure(project: Project, **environment: str) -> str:
    """What the failing run says, on the screen and in its record; it has started no task."""
    done = project("run", "job", **environment)
    run = project.recorded()
    message = run["state"]["state_message"]
    assert (done.returncode, run["state"]["result_state"]) == (1, "FAILED"), done.stdout + done.stderr
    assert f"  why     {message}" in done.stdout.splitlines(), "the line stands alone"
    assert "tasks" not in run and "Traceback" not in done.stdout + done.stderr
    assert run["end_time"] - run["start_time"] < LIMIT * 1000
    return message


@CLIENTS
def test_a_closed_port(build: Build) -> None:
    """The client of databricks-connect would try for half a minute, in each task."""
    port = closed_port()

    said = failure(build(f"sc://localhost:{port}/;token=t0ken", first=["spark.range(1)"]))

    assert said == (f"`sc://localhost:{port}`: nothing listens at this port. Start the server, or correct the port.")


@CLIENTS
def test_a_listener_that_never_answers(build: Build) -> None:
    """The system accepts the connection, so only silence shows it."""
    with mute_listener() as port:
        said = failure(build(f"sc://localhost:{port}/;token=t0ken", first=["spark.range(1)"]))

    assert said.startswith(f"`sc://localhost:{port}`: no answer")


@CLIENTS
def test_a_host_name_that_does_not_exist(build: Build) -> None:
    """`.invalid` is reserved for names that never exist (RFC 2606)."""
    said = failure(build("sc://no-such-host.invalid:15002", first=["spark.range(1)"]))

    assert said == (
        "`sc://no-such-host.invalid:15002`: no such host name. Correct the name, or make sure that this machine can "
        "resolve it."
    )


@CLIENTS
def test_a_listener_of_another_protocol(build: Build) -> None:
    """The port of a web server, such as that of Spark's own pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    said = failure(build(f"sc://localhost:{server.server_port}", first=["spark.range(1)"]))

    server.shutdown()
    assert said.endswith("the program that listens there is not a Spark Connect server. Correct the host and the port.")


@CLIENTS
def test_a_refused_token_and_the_repair_with_the_right_one(build: Build, url: str) -> None:
    """The token is in no record: neither the refused one nor the right one."""
    wrong = build(f"{url.partition(';')[0]};token=wr0ng", first=["print(spark.range(7).count())", SHOWS])

    said = failure(wrong)

    assert said == (
        f"`{url.partition('/;')[0]}`: the token is refused. Correct `token=` in the URL (for a local server, "
        f"`{called(ROOT, Path(wrong.python))} status --json` has it)."
    )
    repaired = Project(wrong.root, wrong.states, wrong.python, url).run("runs", "repair", "1")
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert repaired["remote"] == url.partition("/;")[0]
    token = url.partition("token=")[2].encode()
    holding = [file for file in wrong.states.rglob("*") if file.is_file() and token in file.read_bytes()]
    assert holding == []


@DATABRICKS_CONNECT
def test_no_credentials_for_a_workspace(build: Build) -> None:
    """The SDK looks for them in many places, and names the page that lists these."""
    said = failure(build("databricks", first=["spark.range(1)"]))

    assert re.match(
        r"No credentials for a Databricks workspace: .*\(found neither a profile nor a host\)\. Set DATA", said
    )


@DATABRICKS_CONNECT
def test_a_workspace_whose_name_does_not_exist(build: Build) -> None:
    """The SDK tries for five minutes unless it is told otherwise."""
    said = failure(
        build("databricks", first=["spark.range(1)"]),
        DATABRICKS_HOST="https://no-such-host.invalid",
        DATABRICKS_TOKEN="t0ken",
    )

    assert said.startswith("`https://no-such-host.invalid (serverless)`: ") and "t0ken" not in said
    assert "resolve" in said


@BY_PYSPARK
def test_a_workspace_from_the_environment_of_pyspark(build: Build) -> None:
    """pyspark cannot communicate with a workspace."""
    said = failure(build("databricks", first=["spark.range(1)"]))

    assert re.search(
        rf"found pyspark {SPARK}; expected databricks-connect for a Databricks workspace\..*`make run-remote`", said
    )


@DATABRICKS_CONNECT
def test_a_local_run_from_the_environment_of_databricks_connect(build: Build) -> None:
    """It has no Spark server."""
    said = failure(build("", first=["spark.range(1)"]))

    assert re.search(
        rf"found databricks-connect {CONNECT}; expected pyspark for Spark on this machine\..*`make run-local`", said
    )


@DATABRICKS_CONNECT
@pytest.mark.parametrize(
    ("package", "said"),
    [
        (
            f"Name: databricks-connect\nVersion: {versions.DATABRICKS_CONNECT}\nRequires-Python: ==3.99.*",
            rf"found Python {REMOTE_PYTHON}\.\d+; expected ==3\.99\.\*, as databricks-connect {CONNECT} requires",
        ),
        (
            f"Name: pyspark\nVersion: {versions.SPARK}",
            rf"found pyspark {SPARK} and databricks-connect {CONNECT}, which both own the package",
        ),
    ],
    ids=["the wrong Python", "both clients"],
)
def test_an_environment_that_was_mended_by_hand(build: Build, tmp_path: Path, package: str, said: str) -> None:
    """`pip install` into it, or an environment with another Python: the metadata of its packages shows it."""
    name, version = (line.partition(": ")[2].replace("-", "_") for line in package.splitlines()[:2])
    about = tmp_path / "packages" / f"{name}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\n{package}\n")

    found = failure(build("sc://localhost:1", first=["spark.range(1)"]), PYTHONPATH=str(about.parent))

    assert re.search(said, found) and "Delete the environment's folder, then create it again" in found


@CLIENTS
def test_a_place_that_is_none_is_wrong_use(build: Build) -> None:
    """Nothing is recorded: the command itself is wrong."""
    project = build("http://localhost:15002", first=["spark.range(1)"])

    done = project("run", "job")

    assert done.returncode == 2
    assert "found `http://localhost:15002`; expected `sc://host:port/;token=...`" in done.stderr
    assert json.loads(project("runs", "list", "--json").stdout) == []
