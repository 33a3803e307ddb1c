"""What starts a job automatically, as the bundle says it, with presets applied."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from lakelocal.bundle import Bundle, load_bundle, target_names
from lakelocal.errors import BundleError, UsageError
from lakelocal.project import Project
from lakelocal.schedule import ScheduledJob, scheduled_jobs
from lakelocal.schedule.triggers import Continuous, Cron, FileArrival, NotLocal, Periodic, TableUpdate

TASKS = "tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]"
DAILY = 'schedule: {quartz_cron_expression: "0 0 6 * * ?", timezone_id: Europe/Berlin}'


def bundle(root: Path, jobs: dict[str, str], *, targets: str = "", target: str | None = None) -> Bundle:
    """A bundle of jobs, each given by the fields beside its tasks."""
    (root / "n.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    listed = "\n".join(f"    {key}: {{name: {key}, {TASKS}, {fields}}}" for key, fields in jobs.items())
    (root / "databricks.yml").write_text(f"bundle: {{name: b}}\nresources:\n  jobs:\n{listed}\n{targets}")
    return load_bundle(Project.at(root), target=target)


def only(root: Path, fields: str) -> ScheduledJob:
    (job,) = scheduled_jobs(bundle(root, {"j": fields}))
    return job


def test_a_schedule_has_the_defaults_of_the_bundle(tmp_path: Path) -> None:
    """UNPAUSED, one run at a time, with a queue, without timeout: what the CLI deploys."""
    job = only(tmp_path, DAILY)

    assert isinstance(job.trigger, Cron)
    assert str(job.trigger) == "0 0 6 * * ? (Europe/Berlin)"
    assert (job.target, job.paused, job.max_concurrent_runs, job.queue, job.timeout) == (
        "default",
        False,
        1,
        True,
        None,
    )


def test_the_limits_are_read(tmp_path: Path) -> None:
    """0 concurrent runs is a number, not a missing value."""
    job = only(tmp_path, f"{DAILY}, max_concurrent_runs: 0, queue: {{enabled: false}}, timeout_seconds: 90")

    assert (job.max_concurrent_runs, job.queue, job.timeout) == (0, False, timedelta(seconds=90))


@pytest.mark.parametrize(("target", "paused"), [("dev", True), ("prod", False), ("mine", False)])
def test_presets_pause_what_does_not_say_it_itself(tmp_path: Path, target: str, paused: bool) -> None:
    """`trigger_pause_status` of the target, overridden by the `pause_status` of the job."""
    targets = f"""
targets:
  dev: {{presets: {{trigger_pause_status: PAUSED}}}}
  prod: {{}}
  mine:
    presets: {{trigger_pause_status: PAUSED}}
    resources: {{jobs: {{j: {{{DAILY.replace("}", ", pause_status: UNPAUSED}")}}}}}}}
"""

    read = bundle(tmp_path, {"j": DAILY}, targets=targets, target=target)

    assert [job.paused for job in scheduled_jobs(read)] == [paused]
    assert target_names(Project.at(tmp_path)) == ["dev", "prod", "mine"]


@pytest.mark.parametrize(
    ("fields", "trigger"),
    [
        ("trigger: {periodic: {interval: 12, unit: HOURS}}", Periodic(timedelta(hours=12))),
        ("trigger: {periodic: {interval: 2, unit: WEEKS}}", Periodic(timedelta(days=14))),
        ("continuous: {}", None),
        ("continuous: {pause_status: UNPAUSED}", Continuous()),
        ("trigger: {file_arrival: {url: /Volumes/a/b/c/}}", FileArrival("/Volumes/a/b/c/")),
        (
            "trigger: {file_arrival: {url: dbfs:/Volumes/a/b/c, wait_after_last_change_seconds: 60}}",
            FileArrival("/Volumes/a/b/c", quiet=timedelta(seconds=60)),
        ),
        ("trigger: {file_arrival: {url: s3://bucket/folder}}", NotLocal("trigger.file_arrival")),
        ("trigger: {table_update: {table_names: [a.b.c]}}", TableUpdate(("a.b.c",))),
        (
            "trigger: {table_update: {table_names: [a.b.c, a.b.d], condition: ALL_UPDATED, "
            "min_time_between_triggers_seconds: 90}}",
            TableUpdate(("a.b.c", "a.b.d"), all_of=True, least_between=timedelta(seconds=90)),
        ),
    ],
)
def test_triggers(tmp_path: Path, fields: str, trigger: object) -> None:
    """Each kind; an empty `continuous` is one too, once the presets have given it a pause status."""
    assert only(tmp_path, fields).trigger == (trigger or Continuous())


def test_a_periodic_trigger_counts_from_the_start(tmp_path: Path) -> None:
    """Its first time is one interval after the start of the scheduler, wherever one looks from."""
    start = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    trigger = Periodic(timedelta(hours=6))

    times = [each.at for each in islice(trigger.occurrences(start, start), 3)]
    later = next(trigger.occurrences(start + timedelta(hours=6), start)).at

    assert times == [start + timedelta(hours=hours) for hours in (6, 12, 18)]
    assert later == start + timedelta(hours=12)


def test_jobs_without_trigger_are_left_out_unless_named(tmp_path: Path) -> None:
    """Naming one is a mistake, which the message explains."""
    read = bundle(tmp_path, {"timed": DAILY, "plain": "max_concurrent_runs: 1"})

    assert [job.key for job in scheduled_jobs(read)] == ["timed"]
    with pytest.raises(UsageError, match="job `plain`: found no `schedule`"):
        scheduled_jobs(read, ["plain"])
    with pytest.raises(UsageError, match="found no job `other`"):
        scheduled_jobs(read, ["other"])


def test_all_mistakes_are_listed_with_their_place(tmp_path: Path) -> None:
    """Expression, zone, interval, and two triggers at once: one line each, with file and line of the job."""
    read = bundle(
        tmp_path,
        {
            "syntax": DAILY.replace("0 0 6 * * ?", "0 0 6 * * *"),
            "zone": DAILY.replace("Berlin", "Bonn"),
            "interval": "trigger: {periodic: {interval: 0, unit: DAYS}}",
            "two": f"{DAILY}, continuous: {{pause_status: PAUSED}}",
            "right": DAILY,
        },
    )

    with pytest.raises(BundleError) as raised:
        scheduled_jobs(read)

    lines = str(raised.value).splitlines()
    assert [line.partition(": found")[0] for line in lines] == [
        f"`databricks.yml:{number}`: job `{key}`"
        for number, key in ((4, "syntax"), (5, "zone"), (6, "interval"), (7, "two"))
    ]
    assert "found the timezone_id `Europe/Bonn`" in lines[1]
    assert "found the interval 0 of trigger.periodic; expected 1 or more DAYS" in lines[2]
    assert "found `schedule` and `continuous`; expected one of them" in lines[3]


def test_a_job_with_a_mistake_is_scheduled_by_nobody_and_hinders_no_other(tmp_path: Path) -> None:
    """If it is requested by name, the mistake is reported."""
    read = bundle(tmp_path, {"sound": DAILY, "wrong": f"{DAILY}, description: '${{var.nope}}'"})

    assert [job.key for job in scheduled_jobs(read)] == ["sound"]
    with pytest.raises(BundleError, match=r"job `wrong`: found `\$\{var.nope\}`"):
        scheduled_jobs(read, ["wrong"])
    assert read.why_not("sound") is None
    assert read.why_not("wrong") == read.faults["wrong"][0]
