"""The daily job with the official SDK alone: deploys it, uploads its files into a volume, runs it, and checks it by
SQL.

Calls of the SDK do here what `databricks bundle deploy` does, with the bundle as printed by `validate`.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.jobs import RunResultState
from databricks.sdk.service.workspace import ImportFormat

from lakelocal.project import Project
from lakelocal.server import stop_server
from tests.jobs.daily import ROOT, SAMPLE, SAMPLE_DAYS
from tests.workspace.served import Served

CATALOG, USER = "olist_dev", "ana@example.com"
INCOMING = f"/Volumes/{CATALOG}/raw/incoming"
ALL = timedelta(minutes=25)
IN_ORDER = ("olist_main_pipeline", "olist_cdc_pipeline", "olist_daily_job")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout"),
]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server for this project, with its own state."""
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "states"))
    monkeypatch.setenv("LOCAL_USER", USER)
    server = Served(ROOT, logs=tmp_path).start()
    yield server
    assert server.stop() == 0
    stop_server(Project.at(ROOT).state(CATALOG))


def resolved() -> dict[str, Any]:
    """The bundle for the target dev, whose source is a volume."""
    command = [sys.executable, "-m", "local", "validate", "--target", "dev", "--output", "json"]
    printed = subprocess.run(
        [*command, "--var", f"source={INCOMING}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(printed.stdout)
    return found


def deploy(w: WorkspaceClient, bundle: dict[str, Any]) -> dict[str, int]:
    """Upload the files of the bundle, create its jobs, and return their ids."""
    target = bundle["workspace"]["file_path"]
    for folder in ("notebooks", "config"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and ".ipynb_checkpoints" not in file.parts:
                path = f"{target}/{file.relative_to(ROOT).as_posix()}"
                w.workspace.mkdirs(path.rpartition("/")[0])
                w.workspace.upload(path, file.read_bytes(), format=ImportFormat.AUTO)
    ids: dict[str, int] = {}
    for key in IN_ORDER:
        text = json.dumps(bundle["resources"]["jobs"][key])
        for other, job_id in ids.items():
            text = text.replace(f"${{resources.jobs.{other}.id}}", str(job_id))
        ids[key] = w.api_client.do("POST", "/api/2.2/jobs/create", body=json.loads(text))["job_id"]
    return ids


def test_the_daily_job_over_uploaded_files(served: Served) -> None:
    w = served.client()
    bundle = resolved()
    ids = deploy(w, bundle)
    w.catalogs.create(CATALOG)
    w.schemas.create("raw", CATALOG)
    w.volumes.create(CATALOG, "raw", "incoming", VolumeType.MANAGED)
    files = sorted(SAMPLE.glob("olist_*_dataset.csv"))
    assert len(files) == 8
    for file in files:
        with file.open("rb") as content:
            w.files.upload(f"{INCOMING}/{file.name}", content)

    run = w.jobs.run_now(ids["olist_daily_job"], job_parameters={"run_date": SAMPLE_DAYS[0]}).result(ALL)

    assert run.state.result_state is RunResultState.SUCCESS, run.state
    assert [each.run_id for each in w.jobs.list_runs(job_id=ids["olist_daily_job"])] == [run.run_id]
    assert not list(w.jobs.list_runs(active_only=True))
    warehouse = next(iter(w.warehouses.list())).id
    answer = w.statement_execution.execute_statement(
        "SELECT count(*), count(DISTINCT order_id) FROM silver.silver_orders", warehouse, wait_timeout="50s"
    )
    with (SAMPLE / "olist_orders_dataset.csv").open(encoding="utf-8", newline="") as opened:
        orders = {row["order_id"] for row in csv.DictReader(opened)}
    assert answer.result.data_array == [[str(len(orders))] * 2]
    tables = {each.name: each for each in w.tables.list(CATALOG, "gold")}
    assert tables["gold_daily_orders"].table_type.value == "VIEW"
