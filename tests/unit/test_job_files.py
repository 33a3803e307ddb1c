"""The project's own jobs and pipelines, for each target and field, as designed; and no further fields."""

from pathlib import Path
from typing import Any

import pytest

from lakelocal.bundle import Bundle, load_bundle
from lakelocal.jobs.checks import check_run
from lakelocal.project import Project

ROOT = Path(__file__).resolve().parents[2]
DAILY, WEEKLY = "olist_daily_job", "olist_weekly_refresh_job"
MAIN, CDC = "olist_main_pipeline", "olist_cdc_pipeline"
DECLARATIVE = "olist_declarative_job"
PIPELINES = {"olist_main_declarative": "Main", "olist_cdc_declarative": "CDC"}
HOUR = 3600
TEAM = ["data-engineering@example.com"]

# prefix of the names, catalog, addresses, hour (UTC) and state of the daily job, its timeout, state of the weekly job
TARGETS: dict[str, tuple[str, str, list[str], int, str, int, str]] = {
    "dev": ("[DEV] ", "olist_dev", [], 6, "PAUSED", 10_800, "PAUSED"),
    "staging": ("[STAGING] ", "olist_staging", TEAM, 7, "UNPAUSED", 10_800, "PAUSED"),
    "prod": ("", "olist", TEAM, 6, "UNPAUSED", 14_400, "UNPAUSED"),
}
# The parameters that only generation takes.
GENERATION = {
    "source": "",
    "scale": "5000",
    "seed": "42",
    "history_days": "730",
    "cdc_change_rate": "0.02",
    "defect_rates": "",
}


def bundle(target: str) -> Bundle:
    return load_bundle(Project.at(ROOT), target=target)


def settings(read: Bundle, job: str) -> dict[str, Any]:
    """The resolved fields of a job, its tasks by key; the ids of what tasks start are keys again."""
    ids = {str(read.job(key).id): key for key in read.jobs} | {each.id: key for key, each in read.pipelines.items()}
    found = {**read.job(job).settings}
    found["tasks"] = {task["task_key"]: {**task} for task in found["tasks"]}
    for task in found["tasks"].values():
        del task["task_key"]
        if "run_job_task" in task:
            task["run_job_task"] = {**task["run_job_task"], "job_id": ids[str(task["run_job_task"]["job_id"])]}
        if "pipeline_task" in task:
            task["pipeline_task"] = {"pipeline_id": ids[task["pipeline_task"]["pipeline_id"]]}
    return found


def parameters(catalog: str, refresh_mode: str = "incremental") -> list[dict[str, str]]:
    return [
        {"name": "catalog", "default": catalog},
        {"name": "run_date", "default": "{{job.start_time.iso_date}}"},
        {"name": "refresh_mode", "default": refresh_mode},
    ]


def daily(expression: str, state: str) -> dict[str, str]:
    return {"quartz_cron_expression": expression, "timezone_id": "UTC", "pause_status": state}


def longer_than(seconds: int) -> dict[str, Any]:
    return {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": seconds}]}


def late(addresses: list[str]) -> dict[str, list[str]]:
    return {"on_duration_warning_threshold_exceeded": addresses}


def starts(job: str) -> dict[str, Any]:
    """The three parameters are passed on, whatever the child's own defaults are."""
    names = ("catalog", "run_date", "refresh_mode")
    return {"job_id": job, "job_parameters": {name: f"{{{{job.parameters.{name}}}}}" for name in names}}


def runs(notebook: str, **parameters: str) -> dict[str, Any]:
    return {"notebook_path": f"../../notebooks/{notebook}.ipynb", "base_parameters": parameters}


def serverless(*dependencies: str) -> list[dict[str, Any]]:
    spec = {"environment_version": "4", **({"dependencies": list(dependencies)} if dependencies else {})}
    return [{"environment_key": "default", "spec": spec}]


def after(task: str) -> dict[str, list[dict[str, str]]]:
    return {"depends_on": [{"task_key": task}]}


IN_JOB_ENVIRONMENT = {"environment_key": "default"}  # without it a notebook task takes the notebook's own environment
RUN_ID = {"run_id": "{{job.run_id}}"}


@pytest.mark.parametrize("target", TARGETS)
def test_the_daily_job(target: str) -> None:
    """Generation with one retry a minute later, then both pipelines at once; warnings after 3, 1, 1.5 and 1 hours."""
    prefix, catalog, addresses, hour, state, timeout, _ = TARGETS[target]

    assert settings(bundle(target), DAILY) == {
        "name": f"{prefix}Olist Lakehouse - Daily Orchestration",
        "parameters": parameters(catalog),
        "schedule": daily(f"0 0 {hour} * * ?", state),
        "timeout_seconds": timeout,
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "health": longer_than(3 * HOUR),
        "email_notifications": {"on_failure": addresses} | late(addresses),
        "environments": serverless("faker==40.54.0"),
        "tasks": {
            "generate_data": {
                "notebook_task": runs("10_generate_data", **GENERATION),
                "max_retries": 1,
                "min_retry_interval_millis": 60_000,
                "retry_on_timeout": False,
                "disable_auto_optimization": True,
                "health": longer_than(HOUR),
                "email_notifications": late(addresses),
            }
            | IN_JOB_ENVIRONMENT,
            "run_main_pipeline": {
                "run_job_task": starts(MAIN),
                "health": longer_than(HOUR * 3 // 2),
                "email_notifications": late(addresses),
            }
            | after("generate_data"),
            "run_cdc_pipeline": {
                "run_job_task": starts(CDC),
                "health": longer_than(HOUR),
                "email_notifications": late(addresses),
            }
            | after("generate_data"),
        },
    }


@pytest.mark.parametrize("target", TARGETS)
def test_the_weekly_job(target: str) -> None:
    """The same two pipelines, in the other mode; it has no health rule, because nobody waits for it."""
    prefix, catalog, addresses, _, _, _, state = TARGETS[target]

    assert settings(bundle(target), WEEKLY) == {
        "name": f"{prefix}Olist Lakehouse - Weekly Full Refresh",
        "parameters": parameters(catalog, "full"),
        "schedule": daily("0 0 2 ? * SUN", state),
        "timeout_seconds": 21_600,
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "email_notifications": {"on_failure": addresses},
        "tasks": {
            "run_main_pipeline": {"run_job_task": starts(MAIN)},
            "run_cdc_pipeline": {"run_job_task": starts(CDC)},
        },
    }


@pytest.mark.parametrize("target", TARGETS)
def test_the_main_pipeline(target: str) -> None:
    """Each layer waits for the one before it; only other jobs and people start it."""
    prefix, catalog, *_ = TARGETS[target]

    assert settings(bundle(target), MAIN) == {
        "name": f"{prefix}Olist Lakehouse - Main Pipeline",
        "parameters": parameters(catalog),
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "environments": serverless(),
        "tasks": {
            "bronze": {"notebook_task": runs("20_bronze", **RUN_ID)} | IN_JOB_ENVIRONMENT,
            "silver": {"notebook_task": runs("30_silver", **RUN_ID)} | IN_JOB_ENVIRONMENT | after("bronze"),
            "gold": {"notebook_task": runs("40_gold", **RUN_ID)} | IN_JOB_ENVIRONMENT | after("silver"),
        },
    }


@pytest.mark.parametrize("target", TARGETS)
def test_the_cdc_pipeline(target: str) -> None:
    """Like the main pipeline; the worked example among the notebooks is only for readers."""
    prefix, catalog, *_ = TARGETS[target]
    apply = runs("70_cdc_apply", **RUN_ID)

    assert settings(bundle(target), CDC) == {
        "name": f"{prefix}Olist Lakehouse - CDC Pipeline",
        "parameters": parameters(catalog),
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "environments": serverless(),
        "tasks": {
            "cdc_bronze": {"notebook_task": runs("50_cdc_bronze", **RUN_ID)} | IN_JOB_ENVIRONMENT,
            "cdc_stage": {"notebook_task": runs("60_cdc_stage", **RUN_ID)} | IN_JOB_ENVIRONMENT | after("cdc_bronze"),
            "cdc_apply": {"notebook_task": apply} | IN_JOB_ENVIRONMENT | after("cdc_stage"),
        },
    }


@pytest.mark.parametrize("target", TARGETS)
def test_the_declarative_job(target: str) -> None:
    """Like the daily job, with an update of a pipeline in place of each job; only a person starts it.

    It has no parameter for the catalog: that of a pipeline is deployed with it.
    """
    prefix, catalog, addresses, *_ = TARGETS[target]

    assert settings(bundle(target), DECLARATIVE) == {
        "name": f"{prefix}Olist Lakehouse - Declarative Pipelines",
        "parameters": [{"name": "run_date", "default": "{{job.start_time.iso_date}}"}],
        "timeout_seconds": 10_800,
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "email_notifications": {"on_failure": addresses},
        "environments": serverless("faker==40.54.0"),
        "tasks": {
            "generate_data": {
                "notebook_task": runs("10_generate_data", catalog=catalog, **GENERATION),
                "max_retries": 1,
                "min_retry_interval_millis": 60_000,
                "retry_on_timeout": False,
                "disable_auto_optimization": True,
            }
            | IN_JOB_ENVIRONMENT,
            "update_main": {"pipeline_task": {"pipeline_id": "olist_main_declarative"}} | after("generate_data"),
            "update_cdc": {"pipeline_task": {"pipeline_id": "olist_cdc_declarative"}} | after("generate_data"),
        },
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("key", PIPELINES)
def test_a_pipeline(key: str, target: str) -> None:
    """Both write to one schema, from which the notebooks neither read nor write; the CLI adds channel and edition."""
    prefix, catalog, *_ = TARGETS[target]
    pipeline = bundle(target).pipelines[key]
    feeds = key == "olist_cdc_declarative"
    sources = ["bronze", "valid", *(["changes"] if feeds else ["silver", "gold"])]

    assert pipeline.settings == {
        "name": f"{prefix}Olist Lakehouse - {PIPELINES[key]} Declarative Pipeline",
        "catalog": catalog,
        "schema": "declarative",
        "channel": "CURRENT",
        "edition": "ADVANCED",
        "serverless": True,
        "root_path": "../../notebooks",
        "libraries": [{"file": {"path": f"../../notebooks/pipelines/{name}.py"}} for name in sources],
        "configuration": {
            "lakehouse.catalog": catalog,
            "lakehouse.feeds": "true" if feeds else "false",
            "spark.sql.session.timeZone": "UTC",
        },
    }
    assert [source.stem for source in pipeline.sources] == sources


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_these_jobs_and_pipelines_and_its_catalog(target: str) -> None:
    """Nothing else is deployed."""
    read = bundle(target)

    assert set(read.jobs) == {DAILY, WEEKLY, MAIN, CDC, DECLARATIVE}
    assert set(read.pipelines) == set(PIPELINES)
    assert read.catalog == TARGETS[target][1]


def test_dev_is_the_default_target() -> None:
    """A command without --target must not touch production."""
    assert load_bundle(Project.at(ROOT)).target == "dev"


@pytest.mark.parametrize("job", [DAILY, WEEKLY, MAIN, CDC, DECLARATIVE])
def test_notebooks_take_the_parameters_that_their_tasks_give(job: str) -> None:
    """`--strict` would refuse them; references in them are legal too."""
    read = bundle("dev")

    assert check_run(read, read.job(job), strict=True) == ()
