"""The project's own jobs, target by target, as the specification has them."""

from pathlib import Path
from typing import Any

import pytest

from local.bundle import Bundle, load_bundle
from local.jobs.checks import check_run
from local.project import Project

ROOT = Path(__file__).resolve().parents[2]
DAILY, WEEKLY = "olist_daily_job", "olist_weekly_refresh_job"
MAIN, CDC = "olist_main_pipeline", "olist_cdc_pipeline"
NAME = "Olist Lakehouse - Daily Orchestration"


def bundle(target: str) -> Bundle:
    return load_bundle(Project.at(ROOT), target=target)


def schedule(target: str, job: str) -> tuple[str, str, str]:
    settings: dict[str, Any] = bundle(target).job(job).settings["schedule"]
    return settings["quartz_cron_expression"], settings["timezone_id"], settings["pause_status"]


@pytest.mark.parametrize(
    ("target", "catalog", "name", "daily", "weekly", "timeout"),
    [
        ("dev", "olist_dev", f"[DEV] {NAME}", ("6", "PAUSED"), "PAUSED", 10800),
        ("staging", "olist_staging", f"[STAGING] {NAME}", ("7", "UNPAUSED"), "PAUSED", 10800),
        ("prod", "olist", NAME, ("6", "UNPAUSED"), "UNPAUSED", 14400),
    ],
)  # fmt: skip
def test_targets(target: str, catalog: str, name: str, daily: tuple[str, str], weekly: str, timeout: int) -> None:
    """Catalog, name, schedules, pause and timeout of each target."""
    read = bundle(target)

    assert read.catalog == catalog
    assert read.job(DAILY).parameters["catalog"] == catalog
    assert read.job(DAILY).name == name
    assert read.job(DAILY).timeout_seconds == timeout
    assert schedule(target, DAILY) == (f"0 0 {daily[0]} * * ?", "UTC", daily[1])
    assert schedule(target, WEEKLY) == ("0 0 2 ? * SUN", "UTC", weekly)
    assert read.job(WEEKLY).timeout_seconds == 21600


def test_only_staging_and_prod_notify() -> None:
    """Failures and long durations go to the same addresses."""
    for target, expected in (("dev", set()), ("staging", {"failure", "duration"}), ("prod", {"failure", "duration"})):
        found = bundle(target).job(DAILY).settings["email_notifications"]

        named = {"on_failure": "failure", "on_duration_warning_threshold_exceeded": "duration"}
        assert {named[key] for key, addresses in found.items() if addresses} == expected
        assert len({tuple(addresses) for addresses in found.values()}) <= 1


def test_dev_is_the_default_target() -> None:
    """A command without --target must not touch production."""
    assert load_bundle(Project.at(ROOT)).target == "dev"


def test_the_daily_job_tries_generation_twice() -> None:
    """One retry, a minute after the start, not on a timeout; alerts after 1, 1.5, 1 and 3 hours."""
    job = bundle("dev").job(DAILY)
    generate = job.task("generate_data")

    retry = (generate.max_retries, generate.min_retry_interval_millis, generate.retry_on_timeout)
    alerts = [
        each["health"]["rules"][0]["value"]
        for each in (generate.settings, job.task("run_main_pipeline").settings, job.task("run_cdc_pipeline").settings)
    ]
    assert retry == (1, 60_000, False)
    assert alerts == [3600, 5400, 3600]
    assert job.settings["health"]["rules"][0]["value"] == 10800
    assert job.settings["max_concurrent_runs"] == 1


def test_the_weekly_job_refreshes_fully() -> None:
    """The same two pipelines, in the other mode."""
    read = bundle("dev")

    assert read.job(WEEKLY).parameters["refresh_mode"] == "full"
    assert read.job(DAILY).parameters["refresh_mode"] == "incremental"
    assert [task.child for task in read.job(WEEKLY).tasks] == [CDC, MAIN]


def test_the_pipelines_run_beside_each_other() -> None:
    """Both wait for the data only; within each, a layer waits for the one before it."""
    read = bundle("dev")

    after = {task.key: [each.task_key for each in task.depends_on] for task in read.job(DAILY).tasks}
    steps = {task.key: [each.task_key for each in task.depends_on] for task in read.job(CDC).tasks}
    assert after == {
        "generate_data": [],
        "run_main_pipeline": ["generate_data"],
        "run_cdc_pipeline": ["generate_data"],
    }
    assert steps == {"cdc_bronze": [], "cdc_stage": ["cdc_bronze"], "cdc_apply": ["cdc_stage"]}
    assert read.job(CDC).name == "[DEV] Olist Lakehouse - CDC Pipeline"


@pytest.mark.parametrize("job", [DAILY, WEEKLY, MAIN, CDC])
def test_notebooks_take_the_parameters_that_their_tasks_give(job: str) -> None:
    """`--strict` would refuse them; references in them are legal too."""
    read = bundle("dev")

    assert check_run(read, read.job(job), strict=True).warnings == ()
