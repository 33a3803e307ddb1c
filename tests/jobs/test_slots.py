"""Concurrent runs of one job: the queue, skipped runs, and cancelling from another process. No run needs a kernel."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import RunError
from lakelocal.history.records import Records, now_ms
from lakelocal.jobs.admission import enter
from lakelocal.jobs.cancel import cancel_run
from lakelocal.jobs.command import RunOptions, exit_code, get_run, list_runs
from tests.jobs.conftest import Build, Case, condition

LIMIT_SECONDS = 300


def job(**settings: Any) -> dict[str, Any]:
    return {"job": {"name": "One at a time", "tasks": [condition("a", "1", "EQUAL_TO", "1")], **settings}}


def hold_slot(case: Case, **columns: Any) -> int:
    """A run of the job that continues until `free_slot`, of this process unless *columns* say otherwise."""
    found = load_bundle(case.project).job("job")
    values = {"job_id": found.id, "job_key": "job", "run_name": found.name, "target": "default", "trigger": "ONE_TIME"}
    return enter(Records.of(case.state), found, **values, **columns)


def free_slot(case: Case, run_id: int) -> None:
    Records.of(case.state).update_run(run_id, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=now_ms())


def waiting_run(case: Case) -> int:
    """The id of the run that is waiting in the queue, as soon as there is one."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        for run in list_runs(case.state):
            if run["state"]["life_cycle_state"] == "QUEUED":
                return run["run_id"]
        time.sleep(0.05)
    raise AssertionError("no run waits in the queue")


def test_a_run_waits_for_a_slot_and_starts_when_one_is_free(build: Build) -> None:
    """Meanwhile it is QUEUED; afterwards the record says how long it waited."""
    case = build(job(), {})
    holder = hold_slot(case)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(case.run)
        waiting = waiting_run(case)
        assert get_run(case.state, waiting)["tasks"] == []
        free_slot(case, holder)
        run = running.result(LIMIT_SECONDS)

    assert run["run_id"] == waiting
    assert run["state"]["result_state"] == "SUCCESS"
    assert run["queue_duration"] > 0


def test_runs_leave_the_queue_in_the_order_of_their_arrival(build: Build) -> None:
    """The second one waits for the first."""
    case = build(job(), {})
    holder = hold_slot(case)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(case.run)
        first_id = waiting_run(case)
        second = pool.submit(case.run)
        while len(list_runs(case.state)) < 3:
            time.sleep(0.05)
        free_slot(case, holder)
        one, two = first.result(LIMIT_SECONDS), second.result(LIMIT_SECONDS)

    assert one["run_id"] == first_id < two["run_id"]
    assert one["end_time"] <= two["tasks"][0]["start_time"]


def test_a_waiting_run_can_be_cancelled(build: Build) -> None:
    """It ends CANCELED without having started a task; the run that holds the slot is not affected."""
    case = build(job(), {})
    holder = hold_slot(case)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(case.run)
        shape = cancel_run(case.state, waiting_run(case))
        run = running.result(LIMIT_SECONDS)

    assert shape["state"]["result_state"] == run["state"]["result_state"] == "CANCELED"
    assert (run["tasks"], exit_code(run)) == ([], 1)
    assert get_run(case.state, holder)["state"]["life_cycle_state"] == "RUNNING"


def test_the_slot_of_a_dead_process_is_free(build: Build) -> None:
    """Its run is closed, and the waiting one starts."""
    case = build(job(), {})
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    holder = hold_slot(case, pid=ended.pid, pid_started=1.0)

    run = case.run()

    assert run["state"]["result_state"] == "SUCCESS"
    assert get_run(case.state, holder)["state"]["life_cycle_state"] == "INTERNAL_ERROR"


@pytest.mark.parametrize(
    ("settings", "held"),
    [({"queue": {"enabled": False}}, True), ({"max_concurrent_runs": 0}, False)],
    ids=["no-queue", "limit-zero"],
)
def test_a_run_without_a_slot_is_skipped(build: Build, settings: dict, held: bool) -> None:
    """No task starts, and the exit code is that of a failure."""
    case = build(job(**settings), {})
    if held:
        hold_slot(case)

    run = case.run()

    assert run["state"]["life_cycle_state"] == "SKIPPED"
    assert run["state"]["result_state"] == "MAXIMUM_CONCURRENT_RUNS_REACHED"
    assert run["status"]["termination_details"]["code"] == "MAX_CONCURRENT_RUNS_EXCEEDED"
    assert (run["tasks"], exit_code(run)) == ([], 1)


def test_a_child_run_counts_for_its_own_job(build: Build) -> None:
    """The parent's task waits until the child's job has a slot."""
    parent = {"name": "Parent", "tasks": [{"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.job.id}"}}]}
    case = build({**job(), "parent": parent}, {})
    holder = hold_slot(case)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(case.run, "parent")
        child = waiting_run(case)
        free_slot(case, holder)
        run = running.result(LIMIT_SECONDS)

    assert run["tasks"][0]["run_job_output"]["run_id"] == child
    assert run["state"]["result_state"] == "SUCCESS"


ENTER = """
import sys
from pathlib import Path
from lakelocal.bundle import Job
from lakelocal.jobs.admission import enter
from lakelocal.history.records import Records

records = Records(Path(sys.argv[1]))
run_id = enter(records, Job("j", 7, "J", {}, ()), job_id=7, job_key="j", run_name="J", target="d", trigger="ONE_TIME")
print(records.run(run_id).life_cycle_state, flush=True)
sys.stdin.read()
"""


def test_processes_that_start_at_once_share_one_slot(tmp_path) -> None:
    """One of four runs, whoever is first; the others wait."""
    command = [sys.executable, "-c", ENTER, str(tmp_path / "runs.db")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    states = [process.stdout.readline().strip() for process in processes]
    for process in processes:
        process.communicate(timeout=LIMIT_SECONDS)

    assert sorted(states) == ["QUEUED", "QUEUED", "QUEUED", "RUNNING"]


def test_an_ended_run_is_not_cancelled(build: Build) -> None:
    """It is left unchanged; an unknown run is refused."""
    case = build(job(), {})
    run = case.run()

    assert cancel_run(case.state, run["run_id"]) == run
    with pytest.raises(RunError, match="found no run 99"):
        cancel_run(case.state, 99)


def test_a_runner_that_does_not_answer_is_named(build: Build) -> None:
    """The caller does not wait forever."""
    case = build(job(), {})
    holder = hold_slot(case)

    with pytest.raises(RunError, match=rf"Run {holder}: found it still TERMINATING 0 s .* Its runner is process"):
        cancel_run(case.state, holder, limit=0)


class Heard:
    """A listener that keeps what it receives; *long* is set when a run and a task have taken long."""

    def __init__(self) -> None:
        self.events: list[tuple] = []
        self.long = threading.Event()

    def run_event(self, event: str, job: Any, run: dict) -> None:
        self.events.append((event, job.key, run["state"].get("result_state")))
        self._count()

    def task_event(self, event: str, job: Any, task: Any, run: dict, attempt: dict, *, last: bool) -> None:
        self.events.append((event, f"{job.key}.{task.key}", attempt["state"].get("result_state"), last))
        self._count()

    def _count(self) -> None:
        if sum(event[0].startswith("on_duration") for event in self.events) == 2:
            self.long.set()


def test_listeners_hear_of_runs_and_attempts(build: Build) -> None:
    """A child that fails once; the parent's retry runs it again; there are notifications for the task after it too."""
    child = {"name": "Child", "tasks": [condition("x", "{{job.run_id}}", "LESS_THAN", "{{job.parameters.limit}}")],
             "parameters": [{"name": "limit", "default": "no number"}]}  # fmt: skip
    tasks = [
        {"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.child.id}"}, "max_retries": 1},
        {"task_key": "u", "run_job_task": {"job_id": "${resources.jobs.child.id}"}, "depends_on": [{"task_key": "t"}]},
    ]
    case = build({"job": {"name": "Parent", "tasks": tasks}, "child": child}, {})
    heard = Heard()

    case.run(options=RunOptions(json=True, listeners=[heard]))

    failed = [("on_start", "child", None), ("on_failure", "child", "FAILED")]
    assert heard.events == [
        ("on_start", "job", None),
        ("on_start", "job.t", None, False),
        *failed,
        ("on_failure", "job.t", "FAILED", False),
        ("on_start", "job.t", None, False),
        *failed,
        ("on_failure", "job.t", "FAILED", True),
        ("on_failure", "job.u", "UPSTREAM_FAILED", True),
        ("on_failure", "job", "FAILED"),
    ]


def test_a_run_that_takes_long_is_told_and_goes_on(build: Build) -> None:
    """Health rules of job and task: one warning per rule, recorded, and the run is not stopped."""
    health = {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 1}]}
    start = {"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.job.id}"}, "health": health}
    case = build({**job(), "parent": {"name": "Parent", "health": health, "tasks": [start]}}, {})
    holder, heard = hold_slot(case), Heard()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(case.run, "parent", options=RunOptions(json=True, listeners=[heard]))
        assert heard.long.wait(LIMIT_SECONDS)
        free_slot(case, holder)
        run = running.result(LIMIT_SECONDS)

    assert run["state"]["result_state"] == "SUCCESS"
    for shape in (run, run["tasks"][0]):
        (warning,) = shape["health_warnings"]
        assert {name: warning[name] for name in ("metric", "op", "value")} == health["rules"][0]
        assert warning["exceeded_at"] >= shape["start_time"] + 1000
    assert [event for event in heard.events if event[1] == "parent"] == [
        ("on_start", "parent", None),
        ("on_duration_warning_threshold_exceeded", "parent", None),
        ("on_success", "parent", "SUCCESS"),
    ]


def test_a_listener_that_fails_does_not_fail_the_run(build: Build, capsys: pytest.CaptureFixture) -> None:
    """The error is shown."""

    class Broken(Heard):
        def run_event(self, event: str, job: Any, run: dict) -> None:
            raise OSError("no connection")

    case = build(job(), {})

    run = case.run(options=RunOptions(listeners=[Broken()]))

    assert run["state"]["result_state"] == "SUCCESS"
    assert "warning: Broken: OSError: no connection" in capsys.readouterr().out
