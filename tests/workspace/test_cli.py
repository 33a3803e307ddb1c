"""The official command line as a client, if `DATABRICKS_CLI` names its binary: each of its commands in tiers A to D.

Nothing here needs Spark: the tasks of the jobs do not use it, and the volume is in the schema `default`, which always
exists.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

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
resources:
  volumes:
    landing: {name: cli_landing, catalog_name: main, schema_name: default, comment: files}
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
