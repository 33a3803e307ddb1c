"""A pipeline of a bundle: updated by a task of a job, between notebooks, and by itself as `bundle run` does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakelocal.cli.main import main
from lakelocal.history.api import run_shape
from lakelocal.history.reading import History
from lakelocal.history.updates import Updates
from lakelocal.testing.lakeflow import Lakeflow

BUNDLE = """
bundle: {name: shop}
resources:
  pipelines:
    orders:
      name: orders of the shop
      schema: shop
      root_path: src
      configuration: {lowest: "0"}
      libraries:
        - notebook: {path: src/bronze.py}
        - file: {path: src/silver.sql}
        - glob: {include: src/gold/**}
  jobs:
    daily:
      tasks:
        - task_key: fill
          notebook_task: {notebook_path: src/fill.py}
        - task_key: refresh
          depends_on: [{task_key: fill}]
          pipeline_task: {pipeline_id: "${resources.pipelines.orders.id}"}
        - task_key: look
          depends_on: [{task_key: refresh}]
          notebook_task: {notebook_path: src/look.py}
"""
FILES = {
    "databricks.yml": BUNDLE,
    "src/fill.py": """# Databricks notebook source
spark.sql("CREATE SCHEMA IF NOT EXISTS raw")
spark.sql("CREATE TABLE IF NOT EXISTS raw.orders (id INT, customer STRING, amount DOUBLE)")
spark.sql("INSERT INTO raw.orders VALUES (1, 'ana', 5.0), (2, NULL, 7.0), (3, 'bia', -1.0)")
""",
    "src/helper.py": "def lowest(spark):\n    return float(spark.conf.get('lowest'))\n",
    "src/bronze.py": """# Databricks notebook source
# MAGIC %md
# MAGIC # Orders as they come
# COMMAND ----------
import dlt
from helper import lowest

@dlt.table(comment="orders with a customer")
@dlt.expect_or_drop("customer", "customer IS NOT NULL")
@dlt.expect("amount", f"amount > {lowest(spark)}")
def orders():
    return spark.readStream.table("raw.orders")
# COMMAND ----------
# MAGIC %sql
# MAGIC CREATE TEMPORARY VIEW sums AS SELECT customer, sum(amount) AS total FROM orders GROUP BY customer
""",
    "src/silver.sql": "CREATE OR REFRESH MATERIALIZED VIEW totals AS SELECT * FROM sums",
    "src/gold/best.py": "from pyspark import pipelines as dp\n\n@dp.materialized_view\ndef best():\n"
    "    return spark.read.table('totals').orderBy('total', ascending=False).limit(1)\n",
    "src/gold/README.md": "no source",
    "src/look.py": """# Databricks notebook source
dbutils.notebook.exit(str(spark.table("shop.best").first().total))
""",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakeflow]:
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    with Lakeflow(root, root / ".local") as lakeflow:
        yield lakeflow


def test_a_job_runs_a_notebook_a_pipeline_and_a_notebook(shop):
    run = shop.run("daily")

    assert run.result == "SUCCESS"
    assert run.task("look").output == "5.0"
    assert sorted(map(tuple, shop.table("shop.totals").collect())) == [("ana", 5.0), ("bia", -1.0)]
    assert shop.sql("SHOW TABLES IN shop").count() == 3
    executed = json.loads((shop.state.runs / "1" / "refresh.ipynb").read_text(encoding="utf-8"))
    shown = json.dumps(executed)
    assert {name: flow["status"] for name, flow in run.task("refresh").flows.items()} == {
        "orders": "COMPLETED", "totals": "COMPLETED", "best": "COMPLETED"
    }  # fmt: skip
    assert run.task("refresh").flows["orders"]["data_quality"]["dropped_records"] == 1
    assert "amount: 1 failed" in shown and "`README.md` is not a source file of a pipeline" in shown


def test_what_the_flows_counted_is_recorded_with_the_run(shop):
    """Three rows came; one had no customer, one of the others a negative amount."""
    history = History.of(shop.state)
    (task,) = (each for each in run_shape(history, 1)["tasks"] if "pipeline_task" in each)
    update = task["pipeline_update"]
    flows = {each["flow_name"]: each for each in update["flows"]}

    assert (update["state"], update["cause"], update["full_refresh"]) == ("COMPLETED", "JOB_TASK", False)
    assert {name: each["metrics"]["num_output_rows"] for name, each in flows.items()} == {
        "main.shop.orders": 2, "main.shop.totals": 2, "main.shop.best": 1
    }  # fmt: skip
    quality = flows["main.shop.orders"]["data_quality"]
    assert quality["dropped_records"] == 1
    assert sorted(quality["expectations"], key=lambda rule: rule["name"]) == [
        {"name": "amount", "dataset": "orders", "passed_records": 1, "failed_records": 1},
        {"name": "customer", "dataset": "orders", "passed_records": 2, "failed_records": 1},
    ]
    progress = Updates(history).progress(update["update_id"])
    assert progress.flows["main.shop.totals"].inputs == ("sums",)
    assert progress.flows["main.shop.sums"].inputs == ("main.shop.orders",)


def test_the_event_log_is_a_table_function(shop):
    (update,) = Updates(History.of(shop.state)).pipelines()
    query = (
        "SELECT origin.flow_name AS flow, details:flow_progress.data_quality.dropped_records::int AS dropped "
        "FROM event_log({}) WHERE event_type = 'flow_progress' AND details:flow_progress.status = 'COMPLETED' "
        "ORDER BY flow"
    )
    expected = [("main.shop.best", None), ("main.shop.orders", 1), ("main.shop.totals", None)]

    assert list(map(tuple, shop.sql(query.format(f"'{update}'")).collect())) == expected
    assert list(map(tuple, shop.sql(query.format("TABLE(shop.totals)")).collect())) == expected


def test_a_failed_update_fails_its_task_with_the_reason(shop):
    source = shop.project.root / "src/silver.sql"
    written = source.read_text(encoding="utf-8")
    source.write_text(written.replace("*", "customer, totl"), encoding="utf-8")
    try:
        run = shop.run("daily", only="refresh,look")
    finally:
        source.write_text(written, encoding="utf-8")

    assert (run.task("refresh").result, run.task("look").result) == ("FAILED", "UPSTREAM_FAILED")
    assert "silver.sql, line 1" in run.task("refresh").error and "totl" in run.task("refresh").error
    assert "Nothing was written." in run.task("refresh").error
    updates = Updates(History.of(shop.state))
    (update,) = updates.of_pipeline(updates.pipelines()[0], limit=1)
    assert (update.state, updates.progress(update.update_id).shown()) == ("FAILED", [])


def test_a_pipeline_runs_by_itself(shop, monkeypatch, capsys):
    monkeypatch.chdir(shop.project.root)
    monkeypatch.setenv("LOCAL_STATE", str(shop.project.states))

    assert main(["run", "orders", "--validate-only", "--json"]) == 0
    assert main(["run", "orders", "--full-refresh", "orders", "--refresh", "totals", "--json"]) == 0
    assert main(["run", "daily", "--full-refresh-all"]) == 2
    assert main(["run", "orders", "--full-refresh-all", "--refresh", "totals"]) == 2
    assert "found --full-refresh-all, which only a pipeline takes" in capsys.readouterr().err
    assert sorted(map(tuple, shop.table("shop.totals").collect())) == [("ana", 5.0), ("bia", -1.0)]
    assert main(["validate"]) == 0
    assert "neither run nor created here" not in capsys.readouterr().out


def test_what_a_pipeline_of_a_bundle_cannot_have(tmp_path: Path, monkeypatch, capsys):
    """Each is found by `validate`, and fails only the task that updates it."""
    wrong = """
bundle: {name: wrong}
resources:
  pipelines:
    no_sources: {name: a, schema: s}
    no_schema: {name: b, libraries: [{file: {path: a.sql}}]}
    a_jar: {name: c, schema: s, libraries: [{jar: dbfs:/x.jar}]}
    ingestion: {name: d, schema: s, ingestion_definition: {connection_name: x, objects: []}}
    notebook_as_file: {name: e, schema: s, libraries: [{file: {path: n.py}}]}
    missing: {name: f, schema: s, libraries: [{notebook: {path: ./nope.py}}]}
"""
    (tmp_path / "databricks.yml").write_text(wrong, encoding="utf-8")
    (tmp_path / "a.sql").write_text("SELECT 1", encoding="utf-8")
    (tmp_path / "n.py").write_text("# Databricks notebook source\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    main(["validate"])
    found = capsys.readouterr().out
    for said in (
        "no sources in the pipeline `no_sources`",
        "no `schema` in the pipeline `no_schema`",
        "`jar` in the pipeline `a_jar`",
        "`ingestion_definition` in the pipeline `ingestion`",
        "the notebook `n.py`",
        "no notebook `./nope.py`",
    ):
        assert said in found, (said, found)
