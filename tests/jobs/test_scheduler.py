"""Real schedulers, each in its own process, on one project: what they start, exactly once, and how they end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.jobs.conftest import Build, Case, left_running, task

LIMIT_SECONDS = 300
STARTED = re.compile(r"(\w+), ([-0-9]+ [:0-9]+) UTC: run started \(process (\d+)")
EVERY_FEW_SECONDS = {"quartz_cron_expression": "0/4 * * * * ?", "timezone_id": "Europe/Berlin"}


def until(condition: Callable[[], object]) -> None:
    """Wait for *condition*, but no longer than the limit."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


class Scheduler:
    """`python -m local schedule` with its output in a file."""

    def __init__(self, case: Case, name: str, *options: str) -> None:
        self.output = case.project.root / f"{name}.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lakelocal", "--project", str(case.project.root), "schedule", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def started(self) -> list[tuple[str, str, int]]:
        """Job, time and process of each run that it started."""
        return [(job, at, int(pid)) for job, at, pid in STARTED.findall(self.said)]

    @property
    def said(self) -> str:
        return self.output.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_SECONDS)


def log_files(case: Case) -> list[Path]:
    return sorted((case.state.logs / "schedule").glob("*.log"))


def test_two_schedulers_at_once_fire_each_time_once(build: Build) -> None:
    """Each firing is started by one of them, the other says so; Ctrl-C and SIGTERM end them with 0."""
    case = build(
        {
            "often": {"name": "Often", "tasks": [task("a")], "schedule": EVERY_FEW_SECONDS},
            "paused": {
                "name": "Paused",
                "tasks": [task("a")],
                "schedule": {**EVERY_FEW_SECONDS, "pause_status": "PAUSED"},
            },
        },
        {"a": ["1"]},
    )
    first, second = Scheduler(case, "first"), Scheduler(case, "second")
    both = "another scheduler has it"

    until(lambda: (first.said + second.said).count(both) >= 2 or first.process.poll() or second.process.poll())
    codes = [first.end(signal.SIGINT), second.end(signal.SIGTERM)]

    started = first.started + second.started
    assert codes == [0, 0], first.said + second.said
    assert len(started) >= 2
    assert set(Counter(at for _, at, _ in started).values()) == {1}
    assert {job for job, _, _ in started} == {"often"}
    assert len(log_files(case)) == len(started)
    assert "paused: 0/4 * * * * ? (Europe/Berlin), PAUSED" in first.said
    until(lambda: left_running(case.state) == [])  # the last runs continue to their end


def test_a_continuous_job_is_stopped_with_its_scheduler_where_that_is_asked_for(build: Build) -> None:
    """`--stop-runs` cancels the run: its kernel is gone when the scheduler has ended."""
    case = build(
        {"always": {"name": "Always", "tasks": [task("a")], "continuous": {"pause_status": "UNPAUSED"}}},
        {"a": ["import pathlib\npathlib.Path('here').touch()", "import time\ntime.sleep(600)"]},
    )
    scheduler = Scheduler(case, "one", "always", "--stop-runs")
    until(lambda: case.file("here").exists() or scheduler.process.poll() is not None)

    code = scheduler.end(signal.SIGTERM)

    ((job, _, pid),) = scheduler.started
    assert (code, job) == (0, "always"), scheduler.said
    assert "stopped, exit code 1" in scheduler.said
    assert not psutil.pid_exists(pid)
    assert left_running(case.state) == []
    assert os.listdir(case.state.logs / "schedule") == [log_files(case)[0].name]
