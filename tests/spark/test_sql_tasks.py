"""SQL tasks of a job against a real server: what their last statement returns reaches the tasks after them."""

import json
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.jobs.command import RunOptions, run_job
from lakelocal.project import Project, State

FILE = """
CREATE OR REPLACE TEMPORARY VIEW cities AS
SELECT * FROM VALUES (1, 'São Paulo', 1.50BD), (2, NULL, 2.50BD), (3, 'Rio', 0BD) AS t (n, city, price);
SELECT * FROM cities WHERE n <= :most ORDER BY n
"""
NO_ROWS = "SELECT 1 AS n; CREATE SCHEMA IF NOT EXISTS sql_tasks"


def sql(key: str, file: str, **more: object) -> dict[str, object]:
    return {"task_key": key, "sql_task": {"warehouse_id": "w", "file": {"path": file}, **more}}


def equal(key: str, left: str, right: str) -> dict[str, object]:
    return {"task_key": key, "condition_task": {"op": "EQUAL_TO", "left": left, "right": right}}


def after(upstream: str, task: dict[str, object]) -> dict[str, object]:
    return {**task, "depends_on": [{"task_key": upstream}]}


@pytest.fixture
def project(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))
    each = equal("one", "{{input.n}}", "{{tasks.query.output.first_row.n}}")
    tasks = [
        sql("query", "q.sql", parameters={"most": "2"}),
        after("query", equal("price", "{{tasks.query.output.first_row.price}}", "1.50")),
        after("query", {"task_key": "each", "for_each_task": {"inputs": "{{tasks.query.output.rows}}", "task": each}}),
        sql("nothing", "nothing.sql"),
        after("nothing", equal("fails", "{{tasks.nothing.output.rows}}", "[]")),
    ]
    (tmp_path / "q.sql").write_text(FILE)
    (tmp_path / "nothing.sql").write_text(NO_ROWS)
    (tmp_path / "databricks.yml").write_text(
        f"bundle: {{name: b}}\nvariables: {{catalog: {{default: {state.catalog}}}}}\ninclude: [jobs.json]\n"
    )
    (tmp_path / "jobs.json").write_text(json.dumps({"resources": {"jobs": {"j": {"name": "J", "tasks": tasks}}}}))
    return Project.at(tmp_path)


def test_the_rows_of_an_sql_task_reach_the_tasks_after_it(spark, project: Project) -> None:
    """As the operand of a condition and as the inputs of a loop; a last statement without rows leaves no output."""
    bundle = load_bundle(project)

    run = run_job(bundle, "j", state=project.state(bundle.catalog), options=RunOptions(json=True))

    assert not [task["error"] for task in run["tasks"] if "error" in task and task["task_key"] != "fails"]
    conditions = {
        (task["task_key"], task.get("iteration", {}).get("index")): task["condition_task"].get("outcome")
        for task in run["tasks"]
        if "condition_task" in task
    }
    assert conditions == {("price", None): "true", ("one", 0): "true", ("one", 1): "false", ("fails", None): None}
    (fails,) = [task for task in run["tasks"] if task["task_key"] == "fails"]
    assert "expected it only of an SQL task that has returned rows" in fails["error"]
