"""A server that is killed loses nothing that it acknowledged, and runs nothing twice."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service import jobs
from databricks.sdk.service.jobs import RunLifeCycleState, RunResultState

from lakelocal.history.records import Records
from lakelocal.project import Project
from tests.workspace.served import Served

SECONDS = timedelta(seconds=120)
ONCE = "print('x', file=open({file!r}, 'a'))\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server that the test kills and restarts."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: shop}\n")
    found = Served(tmp_path).start()
    yield found
    found.stop()


def one_task(client: WorkspaceClient, path: str) -> int:
    """Create a job with one program."""
    task = jobs.Task(task_key="one", spark_python_task=jobs.SparkPythonTask(python_file=path))
    job_id = client.jobs.create(name="job", tasks=[task]).job_id
    assert job_id is not None
    return job_id


def asked_and_killed(root: Path, asking: str) -> int:
    """Start a run like the server, in a process that is killed before the run's own process begins; return its id."""
    program = f"""
        import os, sys
        from pathlib import Path
        from lakelocal.project import Project
        from lakelocal.workspace import runs
        from lakelocal.workspace.run_starts import RunStarts
        from lakelocal.workspace.workspace import Workspace

        def killed(self, records, start):
            print(start.run_id, flush=True)
            os.kill(os.getpid(), 9)

        RunStarts._spawn = killed
        workspace = Workspace.of(Project.at(Path({str(root)!r})), "http://localhost:1")
        {asking}
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == -9
    return int(ended.stdout)


def test_a_run_goes_on_while_its_server_is_killed(server: Served, tmp_path: Path) -> None:
    goes_on, count = tmp_path / "goes_on", tmp_path / "count"
    waits = f"import os, time\nwhile not os.path.exists({str(goes_on)!r}): time.sleep(0.05)\n"
    path = server.put("/Workspace/Users/ana/waits.py", ONCE.format(file=str(count)) + waits)
    client = server.client()
    job_id = one_task(client, path)
    run_id = client.jobs.run_now(job_id, idempotency_token="t").run_id
    while not count.exists():
        pass

    server.kill()
    client = server.start().client()

    assert client.jobs.get_run(run_id).state.life_cycle_state is RunLifeCycleState.RUNNING  # type: ignore[union-attr]
    assert client.jobs.run_now(job_id, idempotency_token="t").run_id == run_id
    goes_on.touch()
    run = client.jobs.wait_get_run_job_terminated_or_skipped(run_id, SECONDS)
    assert run.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]
    assert count.read_text() == "x\n"


def test_a_run_that_was_acknowledged_begins_when_the_server_is_back(server: Served, tmp_path: Path) -> None:
    count = tmp_path / "count"
    path = server.put("/Workspace/Users/ana/once.py", ONCE.format(file=str(count)))
    job_id = one_task(server.client(), path)
    server.kill()

    asked = f"runs.run_now(workspace, runs.RunNow(job_id={job_id}, idempotency_token='t'))"
    run_id = asked_and_killed(tmp_path, asked)
    Records.of(Project.at(tmp_path).state("main")).close_abandoned()  # any command does this
    client = server.start().client()

    assert client.jobs.run_now(job_id, idempotency_token="t").run_id == run_id
    run = client.jobs.wait_get_run_job_terminated_or_skipped(run_id, SECONDS)
    assert run.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]
    assert len(run.tasks or []) == 1
    assert count.read_text() == "x\n"
    assert [each.run_id for each in client.jobs.list_runs()] == [run_id]


def test_a_repair_that_was_acknowledged_begins_when_the_server_is_back(server: Served, tmp_path: Path) -> None:
    count = tmp_path / "count"
    path = server.put("/Workspace/Users/ana/fails.py", ONCE.format(file=str(count)) + "raise ValueError\n")
    client = server.client()
    job_id = one_task(client, path)
    run_id = client.jobs.run_now(job_id).run_id
    with pytest.raises(Exception, match="INTERNAL_ERROR"):
        client.jobs.wait_get_run_job_terminated_or_skipped(run_id, SECONDS)
    server.put("/Workspace/Users/ana/fails.py", ONCE.format(file=str(count)))
    server.kill()

    asked = f"runs.repair(workspace, runs.Repair(run_id={run_id}, rerun_all_failed_tasks=True))"
    assert asked_and_killed(tmp_path, asked) == run_id
    client = server.start().client()

    run = client.jobs.wait_get_run_job_terminated_or_skipped(run_id, SECONDS)
    assert run.state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr]
    assert [task.attempt_number for task in run.tasks or []] == [0, 1]
    assert count.read_text() == "x\nx\n"


def test_a_run_that_was_cancelled_meanwhile_does_not_begin(server: Served, tmp_path: Path) -> None:
    count = tmp_path / "count"
    path = server.put("/Workspace/Users/ana/once.py", ONCE.format(file=str(count)))
    job_id = one_task(server.client(), path)
    server.kill()
    run_id = asked_and_killed(tmp_path, f"runs.run_now(workspace, runs.RunNow(job_id={job_id}))")
    command = [sys.executable, "-m", "lakelocal", "--project", str(tmp_path), "runs", "cancel", str(run_id)]
    subprocess.run(command, check=True, capture_output=True)

    client = server.start().client()

    assert client.jobs.get_run(run_id).state.result_state is RunResultState.FAILED  # type: ignore[union-attr]
    assert not count.exists()


def test_what_is_acknowledged_during_a_deployment_is_kept(server: Served) -> None:
    """Jobs and files arrive on several connections at once, as in a deployment, until the server is killed."""
    task = {"task_key": "one", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
    headers = {"Authorization": f"Bearer {server.token}"}
    files = f"{server.url}/api/2.0/workspace-files/import-file/Workspace/Users"
    kept_jobs: list[int] = []
    kept_files: list[int] = []
    enough = threading.Event()

    def deploy(worker: int) -> None:
        for number in range(worker * 10_000, worker * 10_000 + 10_000):
            content = f"# {number}\n" * 1000
            try:
                sent = requests.post(f"{files}/{number}.py?overwrite=false", data=content, headers=headers, timeout=60)
                assert sent.status_code == 200, sent.text
                kept_files.append(number)
                made = requests.post(
                    f"{server.url}/api/2.2/jobs/create",
                    json={"name": f"job {number}", "tasks": [task]},
                    headers=headers,
                    timeout=60,
                )
                kept_jobs.append(made.json()["job_id"])
            except requests.RequestException:
                return
            if len(kept_jobs) > 30:
                enough.set()

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(deploy, worker) for worker in range(6)]
        assert enough.wait(60)
        server.kill()
        for each in work:
            each.result()
    client = server.start().client()

    assert {each.job_id for each in client.jobs.list()} >= set(kept_jobs)
    for number in kept_files:
        answer = requests.get(
            f"{server.url}/api/2.0/workspace/export",
            params={"path": f"/Workspace/Users/{number}.py", "direct_download": "true"},
            headers=headers,
            timeout=60,
        )
        assert answer.text == f"# {number}\n" * 1000
    with pytest.raises(ResourceDoesNotExist):
        client.jobs.get(1)


def test_a_reset_forgets_the_runs_and_their_tokens(server: Served, tmp_path: Path) -> None:
    """The numbers of runs start again, so an old token would name another run; jobs and files stay deployed."""
    count = tmp_path / "count"
    client = server.client()
    job_id = one_task(client, server.put("/Workspace/Users/ana/once.py", ONCE.format(file=str(count))))
    client.jobs.run_now(job_id, idempotency_token="t").result(SECONDS)
    reset = [sys.executable, "-m", "lakelocal", "--project", str(tmp_path), "reset", "--yes"]
    refused = subprocess.run(reset, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert server.url in refused.stderr
    server.stop()
    subprocess.run(reset, check=True, capture_output=True)

    client = server.start().client()

    assert not list(client.jobs.list_runs())
    client.jobs.run_now(job_id, idempotency_token="t").result(SECONDS)
    assert count.read_text() == "x\nx\n"
