"""Bundles that do what the templates of the Databricks CLI do, except for pipelines, run from an empty folder.

`default-python` and its twin in Python have a notebook that goes to the schema of its parameters and imports the
package of the bundle, and that package as a wheel; `default-sql` has SQL files with the parameters in braces.
"""

import json
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.jobs.command import RunOptions, run_job
from lakelocal.project import Project, State

NOTEBOOK = """# Databricks notebook source
catalog = dbutils.widgets.get("catalog")
schema = dbutils.widgets.get("schema")
spark.sql(f"USE CATALOG `{catalog}`")
spark.sql(f"USE SCHEMA `{schema}`")
# COMMAND ----------
import sys
sys.path.append("../src")
from templated import taxis
taxis.long_trips().write.mode("overwrite").saveAsTable("long_trips")
"""
TAXIS = """from databricks.sdk.runtime import spark


def long_trips():
    return spark.read.table("samples.nyctaxi.trips").where("trip_distance > 5")
"""
MAIN = """import argparse
from databricks.sdk.runtime import spark
from templated import taxis


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--schema", required=True)
    args = parser.parse_args()
    spark.sql(f"USE CATALOG `{args.catalog}`")
    spark.sql(f"USE SCHEMA `{args.schema}`")
    assert spark.table("long_trips").count() == taxis.long_trips().count() > 0
"""
PACKAGE = """[project]
name = "templated"
version = "0.0.1"
[project.scripts]
main = "templated.main:main"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
SQL = """USE CATALOG `{{catalog}}`;
USE IDENTIFIER({{schema}});
CREATE OR REPLACE TABLE orders_daily AS
SELECT o_orderdate AS order_date, count(*) AS number_of_orders FROM samples.tpch.orders
WHERE if({{bundle_target}} = 'prod', true, o_orderdate < DATE '1993-01-01') GROUP BY 1;
SELECT count(*) AS days FROM orders_daily
"""
CATALOG = "templated-lake"


@pytest.fixture
def project(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))
    parameters = [{"name": name, "default": f"${{var.{name}}}"} for name in ("catalog", "schema")]
    parameters.append({"name": "bundle_target", "default": "${bundle.target}"})
    wheel = {"package_name": "templated", "entry_point": "main"}
    arguments = ["--catalog", "{{job.parameters.catalog}}", "--schema", "{{job.parameters.schema}}"]
    tasks = [
        {"task_key": "notebook_task", "notebook_task": {"notebook_path": "src/sample_notebook.py"}},
        {
            "task_key": "python_wheel_task",
            "depends_on": [{"task_key": "notebook_task"}],
            "python_wheel_task": {**wheel, "parameters": arguments},
            "environment_key": "default",
        },
        {"task_key": "orders", "sql_task": {"warehouse_id": "w", "file": {"path": "src/orders.sql"}}},
    ]
    environment = {"environment_key": "default", "spec": {"dependencies": ["dist/*.whl"]}}
    job = {"name": "sample_job", "parameters": parameters, "tasks": tasks, "environments": [environment]}
    bundle = {
        "bundle": {"name": "templated"},
        "artifacts": {"python_artifact": {"type": "whl", "build": "uv build --wheel"}},
        "variables": {"catalog": {"description": "x"}, "schema": {"description": "x"}},
        "targets": {"dev": {"default": True, "variables": {"catalog": state.catalog, "schema": "templated_ana"}}},
        "resources": {"jobs": {"sample_job": job}},
    }
    files = {
        "databricks.yml": json.dumps(bundle), "pyproject.toml": PACKAGE, "src/sample_notebook.py": NOTEBOOK,
        "src/templated/__init__.py": "", "src/templated/taxis.py": TAXIS, "src/templated/main.py": MAIN,
        "src/orders.sql": SQL,
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Project.at(tmp_path)


def test_the_templates_run_in_a_catalog_that_is_not_the_runs(spark, project: Project) -> None:
    """The job's parameters name the catalog, so it exists, as does its schema; the sample data is generated."""
    bundle = load_bundle(project)

    run = run_job(
        bundle, "sample_job", state=project.state(bundle.catalog), parameters={"catalog": CATALOG},
        options=RunOptions(json=True),
    )  # fmt: skip

    assert not [(task["task_key"], task["error"]) for task in run["tasks"] if "error" in task]
    assert run["state"]["result_state"] == "SUCCESS"
    tables = spark.sql(f"SHOW TABLES IN `{CATALOG}`.templated_ana").collect()
    assert sorted(row.tableName for row in tables if not row.isTemporary) == ["long_trips", "orders_daily"]
    assert spark.table(f"`{CATALOG}`.templated_ana.orders_daily").selectExpr("max(year(order_date))").first()[0] == 1992
    spark.sql(f"DROP CATALOG `{CATALOG}` CASCADE")
    spark.sql("DROP SCHEMA templated_ana")  # which the bundle's variables name
