"""Values that no Databricks client sends, in every place of a request, are refused in one line and cause no bug."""

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

TASK = {"task_key": "a", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
JOB: dict[str, Any] = {
    "name": "job",
    "parameters": [{"name": "catalog", "default": "main"}],
    "tasks": [
        TASK,
        {
            "task_key": "b",
            "depends_on": [{"task_key": "a", "outcome": "true"}],
            "spark_python_task": {"python_file": "/Workspace/a.py", "parameters": ["x"]},
            "environment_key": "d",
        },
        {"task_key": "loop", "for_each_task": {"inputs": "[1]", "task": {**TASK, "task_key": "each"}}},
        {"task_key": "other", "run_job_task": {"job_id": 5}},
    ],
    "environments": [{"environment_key": "d", "spec": {"dependencies": ["x"], "environment_version": "4"}}],
    "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
    "deployment": {"kind": "BUNDLE", "metadata_file_path": "/Workspace/a/b/c/d.json"},
}
WRONG = [None, 5, 2**70, 1e300, "", "{{", "/Workspace/../../x", "\0", "é" * 300, [], {}, [1], [None], {"a": 1}, True]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in *value*."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def with_value(path: tuple[Any, ...], value: Any, given: dict[str, Any] = JOB) -> dict[str, Any]:
    """*given* with *value* at *path*."""
    result = at = copy.deepcopy(given)
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return result


@pytest.mark.parametrize("path", places(JOB)[1:], ids=lambda path: ".".join(map(str, path)))
def test_a_wrong_value_in_a_job_is_no_bug(client: TestClient, path: tuple[Any, ...]) -> None:
    for value in WRONG:
        job = with_value(path, value)
        answer = client.post("/api/2.2/jobs/create", json=job)

        assert answer.status_code in (200, 400), (value, answer.text)
        assert "\n" not in answer.text
        if answer.status_code == 200:
            job_id = answer.json()["job_id"]
            kept = client.get("/api/2.2/jobs/get", params={"job_id": job_id}).json()["settings"]
            assert kept == json.loads(json.dumps(job))
            update = client.post("/api/2.2/jobs/update", json={"job_id": job_id, "new_settings": job})
            assert update.status_code == 200, (value, update.text)


@pytest.mark.parametrize(
    "name", ["job_id", "run_id", "limit", "offset", "page_token", "active_only", "start_time_from", "name"]
)
def test_a_wrong_value_in_a_query_is_no_bug(client: TestClient, name: str) -> None:
    for path in ("get", "list", "runs/get", "runs/list", "runs/get-output"):
        for value in WRONG:
            answer = client.get(f"/api/2.2/jobs/{path}", params={name: str(value)})

            assert answer.status_code in (200, 400, 404), (path, value, answer.text)
            assert "\n" not in answer.text


CALLS = ("run-now", "reset", "delete", "runs/cancel", "runs/cancel-all", "runs/repair", "runs/delete")


@pytest.mark.parametrize(
    "name", ["job_id", "run_id", "only", "job_parameters", "new_settings", "idempotency_token", "rerun_tasks", "queue"]
)
def test_a_wrong_value_in_a_call_is_no_bug(client: TestClient, name: str) -> None:
    for path in CALLS:
        for value in WRONG:
            answer = client.post(f"/api/2.2/jobs/{path}", json={"job_id": 5, "run_id": 5, name: value})

            assert answer.status_code in (200, 400, 404), (path, value, answer.text)
            assert "\n" not in answer.text


PIPELINE: dict[str, Any] = {
    "name": "pipeline",
    "catalog": "main",
    "schema": "shop",
    "root_path": "/Workspace/a",
    "configuration": {"a": "1"},
    "parameters": {"b": "2"},
    "libraries": [
        {"notebook": {"path": "/Workspace/a/b"}},
        {"file": {"path": "/Workspace/a/c.sql"}},
        {"glob": {"include": "/Workspace/a/**"}},
    ],
    "environment": {"dependencies": ["x", "-r /Workspace/a/requirements.txt"]},
    "deployment": {"kind": "BUNDLE", "metadata_file_path": "/Workspace/a/b/c/d.json"},
    "allow_duplicate_names": True,
}
OF_A_PIPELINE = ("updates", "events", "updates/x")


@pytest.mark.parametrize("path", places(PIPELINE)[1:], ids=lambda path: ".".join(map(str, path)))
def test_a_wrong_value_in_a_pipeline_is_no_bug(client: TestClient, path: tuple[Any, ...]) -> None:
    """It is kept as it was given, and an update of it is refused."""
    for value in WRONG:
        pipeline = with_value(path, value, PIPELINE)
        answer = client.post("/api/2.0/pipelines", json=pipeline)

        assert answer.status_code in (200, 400, 409), (value, answer.text)
        assert "\n" not in answer.text
        if answer.status_code == 200 and "pipeline_id" in answer.json():
            own = f"/api/2.0/pipelines/{answer.json()['pipeline_id']}"
            assert client.get(own).status_code == 200
            refused = client.post(f"{own}/updates", json={})
            assert refused.status_code == 400, (value, refused.text)


@pytest.mark.parametrize("name", ["filter", "max_results", "page_token", "order_by", "until_update_id", "cascade"])
def test_a_wrong_value_in_a_query_about_pipelines_is_no_bug(client: TestClient, name: str) -> None:
    pipeline_id = client.post("/api/2.0/pipelines", json={"name": "p"}).json()["pipeline_id"]
    for value in WRONG:
        for path in ("", *(f"/{pipeline_id}/{each}" for each in OF_A_PIPELINE), f"/{quote(str(value), safe='')}"):
            answer = client.get(f"/api/2.0/pipelines{path}", params={name: str(value)})

            assert answer.status_code in (200, 400, 404), (path, value, answer.text)
            assert "\n" not in answer.text


@pytest.mark.parametrize(
    "name",
    ["full_refresh", "refresh_selection", "full_refresh_selection", "validate_only", "parameters", "rewind_spec"],
)
def test_a_wrong_value_in_a_new_update_is_no_bug(client: TestClient, name: str) -> None:
    pipeline_id = client.post("/api/2.0/pipelines", json={"name": "p"}).json()["pipeline_id"]
    for value in WRONG:
        answer = client.post(f"/api/2.0/pipelines/{pipeline_id}/updates", json={name: value})

        assert answer.status_code == 400, (value, answer.text)
        assert "\n" not in answer.text
