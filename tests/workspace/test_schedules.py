"""Deployed schedules: jobs run when they are due, while the server runs; their notifications are in the outbox."""

import io
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import jobs
from databricks.sdk.service.jobs import PauseStatus, RunResultState

from lakelocal.workspace.job_store import JobStore
from tests.workspace.served import Served

LIMIT_SECONDS = 300
EVERY_SECOND = "0/1 * * * * ?"
TASK = jobs.Task(task_key="one", condition_task=jobs.ConditionTask(jobs.ConditionTaskOp.EQUAL_TO, "1", "1"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A separate server, because its jobs are due all the time. It starts no Spark, which would outlive it."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: shop}\n")
    found = Served(tmp_path).start()
    yield found
    found.stop()


def until(found: Callable[[], Any]) -> Any:
    """The first result of *found* that is not empty."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)
    return result


def ended(client: WorkspaceClient, job_id: int) -> list[jobs.BaseRun]:
    return list(client.jobs.list_runs(job_id=job_id, completed_only=True))


def more_runs(client: WorkspaceClient, job_id: int, number: int) -> list[jobs.BaseRun]:
    """The ended runs of a job once it has *number* more than now."""
    before = len(ended(client, job_id))
    return until(lambda: len(found := ended(client, job_id)) >= before + number and found)


def test_a_deployed_schedule_starts_runs_until_it_is_paused(server: Served) -> None:
    client = server.client()
    notified = jobs.JobEmailNotifications(on_success=["ana@example.com"])
    schedule = jobs.CronSchedule(EVERY_SECOND, "Europe/Berlin", pause_status=PauseStatus.UNPAUSED)
    paused = jobs.CronSchedule(EVERY_SECOND, "Europe/Berlin", pause_status=PauseStatus.PAUSED)
    never = client.jobs.create(name="never", tasks=[TASK], schedule=paused).job_id
    always = client.jobs.create(name="always", tasks=[TASK], schedule=schedule, max_concurrent_runs=10).job_id
    job_id = client.jobs.create(
        name="often", tasks=[TASK], schedule=schedule, max_concurrent_runs=10, email_notifications=notified
    ).job_id
    assert job_id is not None
    assert never is not None
    assert always is not None

    runs = more_runs(client, job_id, 3)

    assert {run.state.result_state for run in runs} == {RunResultState.SUCCESS}
    assert {run.trigger for run in runs} == {jobs.TriggerType.PERIODIC}
    assert not ended(client, never)
    outbox = server.root / ".local" / "main" / "outbox"
    assert until(lambda: list(outbox.glob("*.eml")))
    client.jobs.update(job_id, new_settings=jobs.JobSettings(schedule=paused))
    more_runs(client, always, 3)  # a change takes effect at the scheduler's next look at the clock
    number = len(list(client.jobs.list_runs(job_id=job_id)))
    more_runs(client, always, 3)
    assert len(list(client.jobs.list_runs(job_id=job_id))) == number


def test_new_files_start_a_run(server: Served) -> None:
    """Those that are there when the job is created do not; the run knows which trigger it was, and where."""
    client = server.client()
    (server.root / ".local" / "main" / "volumes" / "default" / "landing").mkdir(parents=True)
    url = "/Volumes/main/default/landing/incoming"
    client.files.upload(f"{url}/old.csv", io.BytesIO(b"old"))
    told = jobs.ConditionTask(jobs.ConditionTaskOp.EQUAL_TO, "{{job.trigger.file_arrival.location}}", url)
    arrival = jobs.FileArrivalTriggerConfiguration(url)
    job_id = client.jobs.create(
        name="arrivals",
        tasks=[jobs.Task(task_key="told", condition_task=told)],
        trigger=jobs.TriggerSettings(file_arrival=arrival, pause_status=PauseStatus.UNPAUSED),
    ).job_id
    assert job_id is not None
    numbers = itertools.count()

    def arrives() -> list[jobs.BaseRun]:
        client.files.upload(f"{url}/{next(numbers)}.csv", io.BytesIO(b"new"))
        return ended(client, job_id)

    newest = until(arrives)[0]

    run = client.jobs.get_run(newest.run_id)
    assert run.trigger is jobs.TriggerType.FILE_ARRIVAL
    assert run.tasks[0].condition_task.outcome == "true"  # type: ignore[index, union-attr]


def test_a_job_whose_pipeline_cannot_be_read_does_not_stop_the_others(server: Served) -> None:
    """It is not run. Such settings are refused today, but an earlier version may have stored them."""
    store = JobStore(server.places.jobs_db)
    schedule = jobs.CronSchedule(EVERY_SECOND, "UTC", pause_status=PauseStatus.UNPAUSED)
    libraries = [{"file": {"path": f"/Workspace/{'x' * 300}.sql"}}]
    bad = store.pipelines.create({"name": "bad", "libraries": libraries}, "ana@example.com")
    update = {"task_key": "update", "pipeline_task": {"pipeline_id": bad}}
    settings = {"name": "never", "schedule": schedule.as_dict(), "tasks": [update]}
    never = store.create(settings, "ana@example.com")
    often = server.client().jobs.create(name="often", tasks=[TASK], schedule=schedule).job_id
    assert often is not None

    more_runs(server.client(), often, 2)
    server.stop()
    server.start()

    more_runs(server.client(), often, 2)
    assert not list(server.client().jobs.list_runs(job_id=never))


def test_deleted_runs_do_not_stop_the_schedule(server: Served) -> None:
    """Each run is deleted as soon as it has ended, whether or not the scheduler has noticed its end."""
    client = server.client()
    schedule = jobs.CronSchedule(EVERY_SECOND, "UTC")
    job_id = client.jobs.create(name="often", tasks=[TASK], schedule=schedule, max_concurrent_runs=10).job_id
    assert job_id is not None
    deleted: set[int] = set()

    def deletes() -> bool:
        for run in ended(client, job_id):
            client.jobs.delete_run(run.run_id)
            deleted.add(run.run_id)
        return len(deleted) >= 8

    assert until(deletes)


def test_a_continuous_job_runs_again_and_a_deleted_one_does_not(server: Served) -> None:
    client = server.client()
    job_id = client.jobs.create(name="endless", tasks=[TASK], continuous=jobs.Continuous()).job_id
    always = client.jobs.create(name="always", tasks=[TASK], schedule=jobs.CronSchedule(EVERY_SECOND, "UTC")).job_id
    assert job_id is not None
    assert always is not None

    more_runs(client, job_id, 2)
    client.jobs.delete(job_id)
    until(lambda: not list(client.jobs.list_runs(job_id=job_id, active_only=True)))
    more_runs(client, always, 3)
    number = len(list(client.jobs.list_runs(job_id=job_id)))
    more_runs(client, always, 3)

    assert len(list(client.jobs.list_runs(job_id=job_id))) == number
