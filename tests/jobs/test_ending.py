"""Runs that end badly: timeouts, kills, exits and Ctrl-C. The state is right and nothing is left running."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from lakelocal.jobs.command import get_run, list_runs
from lakelocal.processes import started_at
from tests.jobs.conftest import Build, Case, left_running, task

LIMIT_SECONDS = 300

# A kernel that ignores SIGTERM, and four more processes that do: a child, a program in its own session without any
# environment, a fork of the kernel itself, and a daemon (forked twice, with its own session).
PROGRAM = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open("pids", "a") as file:
    file.write(f"{os.getpid()}\\\\n")
time.sleep(600)
"""
STUBBORN = f"""
import os, signal, subprocess, sys
program = '''{PROGRAM}'''
def fork(then):
    if os.fork() == 0:
        then()
        os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", program])
subprocess.Popen([sys.executable, "-c", program], env={{}}, start_new_session=True)
fork(lambda: exec(program, {{}}))
fork(lambda: (os.setsid(), fork(lambda: exec(program, {{}}))))
with open("pids", "a") as file:
    print(os.getpid(), file=file)
"""
PROCESSES = 5
HANG = "import time\ntime.sleep(600)"


def until(condition: Callable[[], object]) -> None:
    """Wait for *condition*, but no longer than the limit."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def stubborn(case: Case) -> list[int]:
    """The process ids of `STUBBORN`, once all five have written them."""
    file = case.file("pids")
    until(lambda: file.exists() and file.read_text().count("\n") == PROCESSES)
    return [int(line) for line in file.read_text().splitlines()]


def living(pids: list[int]) -> list[int]:
    """Those of *pids* that are running: one that has ended and waits for its parent is not."""
    return [pid for pid in pids if started_at(pid) is not None]


def beside(action: Callable[[], None]) -> threading.Thread:
    """Do *action* while the run is active; it waits for what it needs."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def sources(output: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(Path(output).read_text())["cells"]]


def test_a_timeout_ends_a_kernel_that_ignores_signals_and_its_children(build: Build) -> None:
    """The attempt is TIMEDOUT and not retried (retry_on_timeout is off); no process is left."""
    case = build(
        {"job": {"name": "Hang", "tasks": [task("a", timeout_seconds=15, max_retries=3)]}}, {"a": [STUBBORN, HANG]}
    )

    run = case.run()

    (attempt,) = run["tasks"]
    assert attempt["state"]["result_state"] == "TIMEDOUT"
    assert attempt["state"]["state_message"] == "Timed out after 15 seconds."
    assert 15_000 <= attempt["run_duration"] < 120_000
    assert HANG in sources(attempt["output_notebook"])
    assert living(stubborn(case)) == []
    assert left_running(case.state) == []


def test_a_job_timeout_ends_the_run(build: Build) -> None:
    """The run is TIMEDOUT, the running task CANCELED, the task after it UPSTREAM_CANCELED."""
    case = build(
        {"job": {"name": "Long", "timeout_seconds": 6, "tasks": [task("a"), task("b", "a")]}},
        {"a": [HANG], "b": ["1"]},
    )

    run = case.run()

    assert run["state"]["result_state"] == "TIMEDOUT"
    assert [each["state"]["result_state"] for each in run["tasks"]] == ["CANCELED", "UPSTREAM_CANCELED"]
    assert left_running(case.state) == []


def test_a_killed_kernel_fails_its_attempt_within_seconds(build: Build) -> None:
    """kill -9 of the kernel: FAILED soon after, with the notebook as far as it had run."""
    case = build(
        {"job": {"name": "Kill", "tasks": [task("a")]}},
        {
            "a": [
                "print('done so far')",
                "1",
                f"import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\n{HANG}",
            ]
        },
    )
    killed: list[float] = []

    def kill() -> None:
        pid = case.file("pid")
        until(lambda: pid.exists() and pid.read_text())
        os.kill(int(pid.read_text()), signal.SIGKILL)
        killed.append(time.time())

    killer = beside(kill)
    run = case.run()
    killer.join(LIMIT_SECONDS)

    (attempt,) = run["tasks"]
    assert attempt["state"]["result_state"] == "FAILED"
    assert attempt["error"].startswith(
        "the kernel was killed, most likely because the memory of the machine was used up"
    )
    assert attempt["error"].endswith("(cell 3)")
    assert attempt["end_time"] / 1000 - killed[0] < 60
    cells = json.loads(Path(attempt["output_notebook"]).read_text())["cells"]
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert [output["text"] for output in outputs if output["output_type"] == "stream"] == [["done so far\n"]]
    assert left_running(case.state) == []


def test_a_cell_that_exits_the_process_fails_its_attempt(build: Build) -> None:
    """`os._exit` leaves no message at all; the cell is named, and retries follow as for any failure."""
    case = build(
        {"job": {"name": "Exit", "tasks": [task("a", max_retries=1)]}}, {"a": ["# Leave", "import os\nos._exit(0)"]}
    )

    run = case.run()

    assert [each["state"]["result_state"] for each in run["tasks"]] == ["FAILED", "FAILED"]
    assert run["tasks"][0]["error"].startswith("the kernel ended while the cell ran")
    assert run["tasks"][0]["error"].endswith('(cell 2 "Leave")')
    assert all(Path(each["output_notebook"]).exists() for each in run["tasks"])


def test_a_killed_attempt_process_fails_and_leaves_nothing(build: Build) -> None:
    """kill -9 of the process between runner and kernel: FAILED, the kernel and its daemons are ended too."""
    case = build(
        {"job": {"name": "Kill", "tasks": [task("a")]}},
        {"a": ["import os, pathlib\npathlib.Path('pid').write_text(str(os.getppid()))", STUBBORN, HANG]},
    )

    def kill() -> None:
        stubborn(case)
        os.kill(int(case.file("pid").read_text()), signal.SIGKILL)

    beside(kill)
    run = case.run()

    (attempt,) = run["tasks"]
    assert attempt["state"]["result_state"] == "FAILED"
    assert "The process of the attempt ended" in attempt["error"]
    assert "killed by signal 9" in attempt["error"]
    assert living(stubborn(case)) == []
    assert left_running(case.state) == []


RUNNER = """
    import json, sys
    from pathlib import Path
    from lakelocal.bundle import load_bundle
    from lakelocal.jobs.command import exit_code, run_job
    from lakelocal.project import Project

    project = Project.at(Path(sys.argv[1]))
    sys.exit(exit_code(run_job(load_bundle(project), "job", state=project.state("main").make())))
"""


def start_runner(root: Path) -> subprocess.Popen:
    """A runner in its own process, like the command line."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUNNER), str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_cancels_everything_and_says_so(build: Build) -> None:
    """SIGINT to the runner: CANCELED, exit code 1, one message about it, and no process left."""
    case = build(
        {"job": {"name": "Long", "tasks": [task("a"), task("b", "a")]}},
        {"a": ["import pathlib\npathlib.Path('here').touch()", HANG], "b": ["1"]},
    )
    runner = start_runner(case.project.root)
    until(lambda: case.file("here").exists() or runner.poll() is not None)

    runner.send_signal(signal.SIGINT)
    output, _ = runner.communicate(timeout=LIMIT_SECONDS)

    (run,) = list_runs(case.state)
    assert runner.returncode == 1, output
    assert "stopping" in output
    assert run["state"]["result_state"] == "CANCELED"
    tasks = get_run(case.state, run["run_id"])["tasks"]
    assert [each["state"]["result_state"] for each in tasks] == ["CANCELED", "UPSTREAM_CANCELED"]
    assert left_running(case.state) == []


def test_a_killed_runner_is_found_and_its_run_closed(build: Build) -> None:
    """kill -9 of the runner: everything that it started ends by itself, and the next command closes the run."""
    case = build({"job": {"name": "Long", "tasks": [task("a")]}}, {"a": [STUBBORN, HANG]})
    runner = start_runner(case.project.root)
    pids = stubborn(case)
    assert list_runs(case.state)[0]["status"]["state"] == "RUNNING"
    assert living(pids) == pids
    assert left_running(case.state) != []

    runner.kill()
    runner.communicate(timeout=LIMIT_SECONDS)

    (run,) = list_runs(case.state)
    assert run["state"]["result_state"] == "FAILED"
    assert run["state"]["state_message"] == "The process that ran it ended before the run did."
    assert get_run(case.state, run["run_id"])["tasks"][0]["state"]["result_state"] == "FAILED"
    until(lambda: left_running(case.state) == [])
    assert living(pids) == []
    assert not psutil.pid_exists(runner.pid)
