"""The official command line as a client, if `DATABRICKS_CLI` names its binary: each of its commands in tiers A to D.

Nothing here needs Spark: the tasks of the jobs do not use it, and the volume is in the schema `default`, which always
exists.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.served import Served

BINARY = os.environ.get("DATABRICKS_CLI", "")
SECONDS = 240
ROOT = "/Workspace/Users/ana@example.com/.bundle/shop/dev"

pytestmark = pytest.mark.skipif(not BINARY, reason="DATABRICKS_CLI names no binary of the Databricks CLI")

BUNDLE = """
bundle: {name: shop}
variables:
  warehouse: {lookup: {warehouse: Serverless Starter Warehouse}}
targets:
  dev:
    default: true
    permissions:
      - {level: CAN_MANAGE, user_name: ana@example.com}
      - {level: CAN_VIEW, group_name: team}
scripts:
  hello: {content: "echo hello $DATABRICKS_BUNDLE_TARGET"}
resources:
  volumes:
    landing: {name: cli_landing, catalog_name: main, schema_name: default, comment: files}
  pipelines:
    orders:
      name: orders by cli
      catalog: main
      schema: by_cli
      serverless: true
      root_path: src
      configuration: {folder: "${resources.volumes.landing.volume_path}"}
      libraries:
        - notebook: {path: src/orders.py}
        - glob: {include: src/more/**}
  jobs:
    daily:
      name: daily
      environments: [{environment_key: default, spec: {environment_version: "2"}}]
      parameters: [{name: who, default: you}]
      tasks:
        - task_key: first
          environment_key: default
          spark_python_task: {python_file: src/first.py, parameters: ["{{job.parameters.who}}", "${var.warehouse}"]}
        - task_key: second
          depends_on: [{task_key: first}]
          notebook_task:
            notebook_path: src/second.py
            base_parameters: {folder: "${resources.volumes.landing.volume_path}"}
    broken:
      environments: [{environment_key: default, spec: {environment_version: "2"}}]
      tasks:
        - task_key: fails
          environment_key: default
          spark_python_task: {python_file: src/fails.py}
"""
FILES = {
    "databricks.yml": BUNDLE,
    "src/first.py": "import sys\nfrom shared import greeting\nprint(greeting(sys.argv[1]))\n",
    "src/shared.py": "def greeting(who):\n    return f'hello {who}'\n",
    "src/second.py": (
        "# Databricks notebook source\nimport os\nopen(dbutils.widgets.get('folder') + '/out.txt', 'w').write('out')\n"
        "# COMMAND ----------\n# MAGIC %run ./inner/third\n# COMMAND ----------\ndbutils.notebook.exit(told)\n"
    ),
    "src/inner/third.py": "# Databricks notebook source\ntold = 'from third'\n",
    "src/orders.py": "# Databricks notebook source\nimport dlt\n",
    "src/more/totals.sql": "CREATE OR REFRESH MATERIALIZED VIEW totals AS SELECT 1 AS total",
    "src/fails.py": "raise ValueError('no such day')\n",
}
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bundle")
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.fixture(scope="module")
def cli(bundle: Path, served: Served) -> Cli:
    """Runs one command in the bundle's folder, and returns the result; *code* is the expected exit code."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
    environment = own | {
        "DATABRICKS_HOST": served.url,
        "DATABRICKS_TOKEN": served.token,
        "DATABRICKS_CONFIG_FILE": str(bundle / "none.cfg"),
        "HOME": str(bundle),
    }

    def run(*words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            [BINARY, *words], cwd=bundle, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        assert ended.returncode == code, (words, ended.stdout, ended.stderr)
        assert "Warn:" not in ended.stderr, ended.stderr
        return ended

    return run


@pytest.fixture(scope="module")
def deployed(cli: Cli) -> Iterator[Cli]:
    cli("bundle", "deploy")
    yield cli
    cli("bundle", "destroy", "--auto-approve")
    assert "doesn't exist" in cli("workspace", "list", ROOT, code=1).stderr
    assert not [each for each in json.loads(cli("jobs", "list", "-o", "json").stdout or "[]") if "daily" in str(each)]
    assert "orders by cli" not in cli("pipelines", "list-pipelines").stdout


def test_the_bundle_is_valid(cli: Cli) -> None:
    assert "Validation OK!" in cli("bundle", "validate", "--strict").stdout


def test_a_second_deployment_has_nothing_to_do(deployed: Cli) -> None:
    told = deployed("bundle", "deploy").stderr
    assert "Files: 0 uploaded, 0 deleted" in told
    assert "0 created, 0 changed, 0 deleted" in told
    assert "0 to add, 0 to change, 0 to delete" in deployed("bundle", "plan").stdout
    assert "(not deployed)" not in deployed("bundle", "summary").stdout


def test_a_deployment_uploads_and_removes_what_has_changed(deployed: Cli, bundle: Path) -> None:
    (bundle / "src" / "late.py").write_text("# Databricks notebook source\n1\n")
    assert "Files: 1 uploaded, 0 deleted" in deployed("bundle", "deploy").stderr
    assert deployed("workspace", "get-status", f"{ROOT}/files/src/late").stdout
    (bundle / "src" / "late.py").unlink()
    assert "Files: 0 uploaded, 1 deleted" in deployed("bundle", "deploy").stderr
    assert "doesn't exist" in deployed("workspace", "get-status", f"{ROOT}/files/src/late", code=1).stderr


def test_a_run_of_the_deployed_copy(deployed: Cli, bundle: Path) -> None:
    """The run uses the uploaded files: it does not see a change that is made here afterwards."""
    (bundle / "src" / "shared.py").write_text("raise ValueError('not deployed')\n")
    try:
        told = deployed("bundle", "run", "daily", "--params", "who=ana").stdout
    finally:
        (bundle / "src" / "shared.py").write_text(FILES["src/shared.py"])
    assert "hello ana" in told and "from third" in told
    assert deployed("fs", "cat", "dbfs:/Volumes/main/default/cli_landing/out.txt").stdout == "out"


def test_a_part_of_a_run(deployed: Cli) -> None:
    told = deployed("bundle", "run", "daily", "--only", "first").stdout
    assert "hello you" in told and "from third" not in told
    assert "hello you" in deployed("bundle", "run", "daily", "--only", "+second").stdout
    assert "found `nope`" in deployed("bundle", "run", "daily", "--params", "nope=1", code=1).stderr


def test_a_run_that_fails_is_repaired(deployed: Cli, bundle: Path) -> None:
    told = deployed("bundle", "run", "broken", code=1).stderr
    assert "no such day" in told
    (bundle / "src" / "fails.py").write_text("print('mended')\n")
    deployed("bundle", "deploy")
    runs = json.loads(deployed("jobs", "list-runs", "-o", "json").stdout)
    run = next(str(each["run_id"]) for each in runs if each["state"]["result_state"] == "FAILED")
    deployed("jobs", "repair-run", run, "--rerun-all-failed-tasks")
    repaired = json.loads(deployed("jobs", "get-run", run).stdout)
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert not json.loads(deployed("jobs", "list-runs", "--active-only", "-o", "json").stdout or "[]")
    pages = json.loads(deployed("jobs", "export-run", str(repaired["tasks"][-1]["run_id"])).stdout)
    assert "mended" in pages["views"][0]["content"]
    assert "SUCCESS" in deployed("bundle", "run", "daily", "--restart").stderr


@pytest.fixture
def job(cli: Cli) -> str:
    """A job of two tasks without files; its id."""
    tasks = [condition("a"), condition("b")]
    told = cli("jobs", "create", "--json", json.dumps({"name": "by hand", "tasks": tasks})).stdout
    return str(json.loads(told)["job_id"])


def condition(key: str) -> dict[str, Any]:
    return {"task_key": key, "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}


def test_a_job_by_its_commands(cli: Cli, job: str) -> None:
    found = json.loads(cli("jobs", "get", job).stdout)
    assert found["settings"]["name"] == "by hand"
    assert job in cli("jobs", "list", "--name", "by hand", "--expand-tasks").stdout
    cli("jobs", "update", "--json", json.dumps({"job_id": int(job), "new_settings": {"description": "said"}}))
    changed = json.loads(cli("jobs", "get", job).stdout)["settings"]
    assert (changed["description"], len(changed["tasks"])) == ("said", 2)
    cli("jobs", "reset", "--json", json.dumps({"job_id": int(job), "new_settings": {"tasks": [condition("c")]}}))
    anew = json.loads(cli("jobs", "get", job).stdout)["settings"]
    assert ([each["task_key"] for each in anew["tasks"]], "description" in anew) == (["c"], False)
    assert json.loads(cli("jobs", "get-permissions", job).stdout)["object_type"] == "job"
    cli("jobs", "delete", job)
    assert "does not exist" in cli("jobs", "get", job, code=1).stderr


def test_runs_by_their_commands(cli: Cli, job: str) -> None:
    ended = json.loads(cli("jobs", "run-now", job).stdout)
    assert ended["state"]["result_state"] == "SUCCESS"
    task = next(str(each["run_id"]) for each in ended["tasks"])
    assert json.loads(cli("jobs", "get-run-output", task).stdout)["metadata"]["job_id"] == int(job)
    run = str(ended["run_id"])
    shown = json.loads(cli("jobs", "get-run", run, "--include-history", "--include-resolved-values").stdout)
    assert shown["run_id"] == ended["run_id"]
    listed = json.loads(cli("jobs", "list-runs", "--job-id", job, "--expand-tasks", "-o", "json").stdout)
    assert [len(each["tasks"]) for each in listed] == [2]
    cli("jobs", "cancel-run", run)
    cli("jobs", "cancel-all-runs", "--job-id", job)
    cli("jobs", "delete-run", run)
    assert "does not exist" in cli("jobs", "get-run", run, code=1).stderr
    tasks = json.dumps({"run_name": "once", "tasks": [condition("a")]})
    once = json.loads(cli("jobs", "submit", "--json", tasks).stdout)
    assert (once["run_name"], once["state"]["result_state"]) == ("once", "SUCCESS")


def test_a_run_that_is_not_waited_for(deployed: Cli) -> None:
    """And one of which nothing is running any more does not hold a deployment."""
    told = deployed("bundle", "run", "daily", "--only", "first", "--no-wait", "--", "--who=ben").stderr
    number = re.search(r"/runs?/(\d+)", told)
    assert number is not None, told
    ended = json.loads(deployed("jobs", "get-run", number[1]).stdout)
    while "result_state" not in ended["state"]:
        ended = json.loads(deployed("jobs", "get-run", number[1]).stdout)
    assert [each["value"] for each in ended["job_parameters"]] == ["ben"]
    assert "0 changed" in deployed("bundle", "deploy", "--fail-on-active-runs").stderr


def test_a_deployed_job_becomes_a_bundle(deployed: Cli, tmp_path: Path) -> None:
    """`generate` downloads the job and its notebooks; `sync` uploads what has changed; a script is run here."""
    jobs = json.loads(deployed("jobs", "list", "-o", "json").stdout)
    job = next(str(each["job_id"]) for each in jobs if each["settings"]["name"] == "daily")
    made = ("bundle", "generate", "job", "--existing-job-id", job, "--key", "again")
    deployed(*made, "--config-dir", str(tmp_path / "jobs"), "--source-dir", str(tmp_path / "files"))
    assert "dbutils.notebook.exit" in next((tmp_path / "files").rglob("second.py")).read_text()
    assert "again:" in next((tmp_path / "jobs").glob("again*.yml")).read_text()
    deployed("bundle", "sync")
    assert deployed("bundle", "run", "hello").stdout.strip() == "hello dev"
    assert deployed("bundle", "run", "--", "echo", "hi").stdout.strip() == "hi"


def test_what_else_clients_look_at(cli: Cli) -> None:
    assert json.loads(cli("current-user", "me").stdout)["userName"] == "ana@example.com"
    assert "ana@example.com" in cli("auth", "describe").stdout
    names = [each["name"] for each in json.loads(cli("catalogs", "list", "-o", "json").stdout)]
    assert "main" in names
    cli("volumes", "create", "main", "default", "looked_at", "MANAGED")
    volumes = json.loads(cli("volumes", "list", "main", "default", "-o", "json").stdout)
    assert "looked_at" in [each["name"] for each in volumes]
    assert json.loads(cli("volumes", "read", "main.default.looked_at").stdout)["volume_type"] == "MANAGED"
    schemas = json.loads(cli("schemas", "list", "main", "-o", "json").stdout)
    assert "default" in [each["name"] for each in schemas]
    for empty in (("secrets", "list-scopes"), ("clusters", "list")):
        assert json.loads(cli(*empty, "-o", "json").stdout or "[]") == []


def test_a_deployed_pipeline(deployed: Cli) -> None:
    """With the permissions of its target; `tests/spark/test_served_pipelines.py` runs updates."""
    listed = json.loads(deployed("pipelines", "list-pipelines", "--filter", "name LIKE 'orders by%'").stdout)
    (pipeline_id,) = (each["pipeline_id"] for each in listed)
    pipeline = json.loads(deployed("pipelines", "get", pipeline_id).stdout)
    assert pipeline["spec"]["libraries"] == [
        {"notebook": {"path": f"{ROOT}/files/src/orders"}},
        {"glob": {"include": f"{ROOT}/files/src/more/**"}},
    ]
    assert pipeline["spec"]["configuration"] == {"folder": "/Volumes/main/default/cli_landing"}
    permissions = json.loads(deployed("pipelines", "get-permissions", pipeline_id).stdout)["access_control_list"]
    levels = {each.get("group_name"): each["all_permissions"][0]["permission_level"] for each in permissions}
    assert levels["team"] == "CAN_VIEW"
    assert "No updates found" in deployed("pipelines", "history", "orders").stdout
    assert "has been stopped" in deployed("pipelines", "stop", "orders").stderr
    refused = deployed("bundle", "run", "orders", "--full-refresh-all", "--refresh", "totals", code=1).stderr
    assert "mutually exclusive" in refused


def test_files_of_the_workspace(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    home = "/Users/ana@example.com/by_cli"
    (tmp_path / "in" / "inner é").mkdir(parents=True)
    (tmp_path / "in" / "load.py").write_text("# Databricks notebook source\nprint(1)")
    (tmp_path / "in" / "inner é" / "a%2F b.txt").write_text("text")
    cli("workspace", "import-dir", str(tmp_path / "in"), home)
    assert "NOTEBOOK" in cli("workspace", "list", home).stdout
    cli("workspace", "export-dir", home, str(tmp_path / "out"))
    for name in ("load.py", "inner é/a%2F b.txt"):
        assert (tmp_path / "out" / name).read_text() == (tmp_path / "in" / name).read_text()
    again = ("workspace", "import", f"{home}/again", "--file", str(tmp_path / "in" / "load.py"), "--language", "PYTHON")
    cli(*again)
    assert "already exists" in cli(*again, code=1).stderr
    assert cli("workspace", "export", f"{home}/again").stdout.startswith("# Databricks notebook source")
    assert "not empty" in cli("workspace", "delete", home, code=1).stderr
    cli("workspace", "delete", home, "--recursive")


def test_files_of_a_volume_and_of_dbfs(cli: Cli, tmp_path: Path) -> None:
    cli("volumes", "create", "main", "default", "by_cli", "MANAGED")
    (tmp_path / "in" / "inner").mkdir(parents=True)
    (tmp_path / "in" / "big.bin").write_bytes(os.urandom(3_000_000))
    (tmp_path / "in" / "inner" / "a.txt").write_text("text")
    for root in ("dbfs:/Volumes/main/default/by_cli/deep", "dbfs:/by_cli"):
        cli("fs", "mkdir", root)
        cli("fs", "cp", "-r", str(tmp_path / "in"), f"{root}/in")
        assert sorted(cli("fs", "ls", f"{root}/in").stdout.split()) == ["big.bin", "inner"]
        assert cli("fs", "cat", f"{root}/in/inner/a.txt").stdout == "text"
        out = tmp_path / "out" / root.rpartition("/")[2]
        cli("fs", "cp", "-r", f"{root}/in", str(out))
        assert (out / "big.bin").read_bytes() == (tmp_path / "in" / "big.bin").read_bytes()
        again = cli("fs", "cp", str(tmp_path / "in" / "big.bin"), f"{root}/in/big.bin")
        assert "skipped; already exists" in again.stdout
        cli("fs", "cp", "--overwrite", str(tmp_path / "in" / "inner" / "a.txt"), f"{root}/in/big.bin")
        assert cli("fs", "rm", f"{root}/in", code=1).stderr
        cli("fs", "rm", "-r", f"{root}/in")
        assert "no such" in cli("fs", "ls", f"{root}/in", code=1).stderr
    cli("volumes", "delete", "main.default.by_cli")


def test_what_is_not_offered_is_one_line(cli: Cli) -> None:
    told = cli("genie", "list-spaces", code=1).stderr
    assert told.strip() == "Error: No API found for 'GET /api/2.0/genie/spaces'"
