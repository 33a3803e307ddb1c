"""Ready processes: each attempt has fresh ones with their own environment, however they were prepared."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakelocal.context import TaskContext
from lakelocal.errors import UsageError
from lakelocal.jobs.command import RunOptions
from lakelocal.jobs.launch import AttemptFiles, Outcome, run_notebook
from lakelocal.jobs.stop import Stop
from lakelocal.order import Order
from lakelocal.pool.forks import Refused, Template, template_ahead
from lakelocal.pool.pool import Pool
from lakelocal.processes import started_at
from tests.jobs.conftest import Build, Case, left_running, task

linux = pytest.mark.skipif(sys.platform != "linux", reason="attempts are forked on Linux alone")
WAYS = [pytest.param(True, id="forks", marks=linux), pytest.param(False, id="spares")]

# What a cell sees of its process; the last line would be visible in the next kernel if that were the same process.
SURROUNDINGS = """
import builtins, json, os, pathlib, random, sys
import numpy
import beside
seen = {
    "name": dbutils.widgets.get("name"),
    "used": hasattr(builtins, "used"),
    "kernel": os.getpid(),
    "attempt": os.getppid(),
    "session": os.getsid(0),
    "folder": os.getcwd(),
    "context": os.environ["LOCAL_CONTEXT"],
    "added": os.environ["ADDED"],
    "arguments": sys.argv[0],
    "path": sys.path,
    "settings": [name for name in os.environ if "JE_ARROW" in name],
    "random": [random.random(), numpy.random.rand()],
    "input": sys.__stdin__.read(),
}
pathlib.Path(f"{seen['name']}.json").write_text(json.dumps(seen))
builtins.used = True
"""


def attempt(case: Case, pool: Pool, notebook: str, name: str = "", told=lambda event: None) -> Outcome:
    """Run *notebook* as the attempt of the task *name*."""
    name = name or notebook
    places = AttemptFiles.of(case.state, 1, name, 0)
    context = TaskContext(
        job_id=1,
        job_name="job",
        job_run_id=1,
        task_run_id=1,
        task_key=name,
        attempt_number=0,
        notebook=str(case.file(f"{notebook}.ipynb")),
        exit_file=str(places.inner("exit")),
        values_folder=str(places.values),
        parameters={"name": name},
    )
    environment = {
        "LOCAL_PROJECT": str(case.project.root),
        "LOCAL_CATALOG": case.state.catalog,
        "LOCAL_STATE": str(case.state.folder.parent),
        "ADDED": name,
    }
    return run_notebook(pool, context, places, environment, Stop(), told)


def ordinary_path(folder: Path) -> list[str]:
    """`sys.path` of a Python that is started in *folder*, as only the environment determines it."""
    command = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path))"]
    return json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60).stdout)


@pytest.fixture
def notes() -> list[str]:
    """What the user would have been told."""
    return []


@pytest.fixture
def pool(request: pytest.FixtureRequest, tmp_path: Path, build: Build, notes: list[str]) -> Iterator[Pool]:
    """A pool that forks, or does not; nothing of it is left behind."""
    with Pool(tmp_path / "pool.log", spark=False, note=notes.append, forks=getattr(request, "param", True)) as pool:
        yield pool
    assert (tmp_path / "pool.log").read_text() == ""


@pytest.mark.parametrize("pool", WAYS, indirect=True)
def test_each_attempt_has_a_fresh_process_with_its_own_surroundings(build: Build, pool: Pool, notes: list[str]) -> None:
    """Nothing is shared but the imports: not a name, not the environment, not the random numbers."""
    case = build({}, {"look": [SURROUNDINGS]})
    case.file("beside.py").touch()

    assert [attempt(case, pool, "look", name).result for name in ("one", "two")] == ["SUCCESS", "SUCCESS"]

    ordinary = ordinary_path(case.project.root)
    one, two = (json.loads(case.file(f"{name}.json").read_text()) for name in ("one", "two"))
    for name, seen in (("one", one), ("two", two)):
        assert seen["name"] == seen["added"] == Path(seen["context"]).stem == name
        assert not seen["used"]
        assert seen["session"] == seen["kernel"]
        assert seen["folder"] == str(case.project.root)
        assert seen["arguments"].endswith("ipykernel_launcher.py")
        assert seen["path"].count(os.getcwd()) == ordinary.count(os.getcwd()), "the pool's own folder is on the path"
        assert seen["settings"] == []
        assert seen["input"] == ""
    for what in ("kernel", "attempt", "random"):
        assert one[what] != two[what]
    assert one["random"][1] != two["random"][1], "numpy repeats itself"
    assert notes == []


@pytest.mark.parametrize("pool", WAYS, indirect=True)
def test_a_killed_attempt_leaves_nothing(build: Build, pool: Pool) -> None:
    """kill -9 of the attempt: it has failed, and the kernel and its program in a session of its own are ended."""
    start = """
import os, pathlib, subprocess, sys
program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path("pids").write_text(f"{os.getppid()} {os.getpid()} {program.pid}")
"""
    case = build({}, {"a": [start, "import time\ntime.sleep(600)"]})

    def kill_in_the_second_cell(event: dict) -> None:
        if event["event"] == "cell" and event["index"] == 2:
            os.kill(pids()[0], signal.SIGKILL)

    def pids() -> list[int]:
        return [int(pid) for pid in case.file("pids").read_text().split()]

    outcome = attempt(case, pool, "a", told=kill_in_the_second_cell)

    assert outcome.result == "FAILED"
    assert "(killed by signal 9)" in outcome.error
    assert [pid for pid in pids() if started_at(pid) is not None] == []


def test_the_notebook_says_which_cell_runs_before_the_runner_hears_of_it(build: Build, pool: Pool) -> None:
    """The outputs of the cells before it are saved, even with Markdown in between; so a kill loses nothing."""
    case = build({}, {"a": ["print('one')", "open('go').read()"]})
    source = json.loads(case.file("a.ipynb").read_text())
    source["cells"].insert(1, {"cell_type": "markdown", "id": "between", "metadata": {}, "source": "## Two"})
    case.file("a.ipynb").write_text(json.dumps(source))
    os.mkfifo(case.file("go"))
    seen = []

    def look_in_the_second_cell(event: dict) -> None:
        if event["event"] == "cell" and event["index"] == 2:
            seen.extend(json.loads(AttemptFiles.of(case.state, 1, "a", 0).output.read_text())["cells"])
            case.file("go").write_text("")

    outcome = attempt(case, pool, "a", told=look_in_the_second_cell)

    assert outcome.result == "SUCCESS"
    assert [cell["metadata"]["papermill"]["status"] for cell in seen] == ["completed", "completed", "running"]
    assert "one" in str(seen[0]["outputs"])


@pytest.mark.parametrize(("last", "result"), [("1", "SUCCESS"), ("1 / 0", "FAILED")])
def test_the_spark_session_is_released_at_the_end(build: Build, pool: Pool, last: str, result: str) -> None:
    """Also after a cell that failed: the kernel is killed and could not tell the server itself."""
    replace = "import pathlib\nfrom lakelocal.compute import session\nsession.release = pathlib.Path('released').touch"
    case = build({}, {"a": ["spark", replace, last]})

    assert attempt(case, pool, "a").result == result

    assert case.file("released").exists()


@linux
def test_a_spark_server_that_a_kernel_started_stays(build: Build, pool: Pool) -> None:
    """Other notebooks use it; it is recognised by its main class, and does not have the attempt's environment."""
    start = """
import pathlib, subprocess, sys
main = "org.apache.spark.sql.connect.service.SparkConnectServer"
command = [sys.executable, "-c", "import time; time.sleep(600)", main]
server = subprocess.Popen(command, env={}, start_new_session=True)
pathlib.Path("pid").write_text(str(server.pid))
"""
    case = build({}, {"a": [start]})

    outcome = attempt(case, pool, "a")
    pool.close()

    server = psutil.Process(int(case.file("pid").read_text()))
    assert outcome.result == "SUCCESS"
    assert server.is_running()
    server.kill()


@linux
def test_attempts_are_forked_from_the_template(build: Build, pool: Pool) -> None:
    """The kernel is below the attempt, the attempt below the template: so all of them can be found and ended."""
    case = build({}, {"a": ["import psutil\nprint(*(each.pid for each in psutil.Process().parents()))"]})
    told: list[dict] = []

    attempt(case, pool, "a", told=told.append)

    (printed,) = (event["line"] for event in told if event["event"] == "printed")
    _, template, runner, *_ = map(int, printed.split())
    assert template == pool._template.process.pid
    assert runner == os.getpid()


@linux
def test_a_killed_template_slows_the_run_and_does_not_fail_it(build: Build, pool: Pool, notes: list[str]) -> None:
    """The attempt that is running continues; the next one starts without a fork, and a note says so once."""
    case = build({}, {"long": ["import os, signal", "os.kill(PARENT, signal.SIGKILL)", "print('done')"], "b": ["1"]})
    source = case.file("long.ipynb")
    source.write_text(source.read_text().replace("PARENT", str(pool._template.process.pid)))

    outcomes = [attempt(case, pool, "long"), attempt(case, pool, "b"), attempt(case, pool, "b", "c")]

    assert [outcome.result for outcome in outcomes] == ["SUCCESS"] * 3
    assert "done" in outcomes[0].output.read_text()
    (note,) = notes
    assert note.startswith("attempts start more slowly from now on: the template process is gone")


@linux
def test_a_library_that_starts_threads_is_refused_by_name(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork would inherit the thread's locks but not the thread; so there is no fork."""
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, name='busy', daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    case = build({}, {"a": ["1"]})
    template = Template()
    template.prepare(tmp_path / "pool.log", ("threaded",))
    order = Order("none", log=str(tmp_path / "log"), mark="none")
    try:
        with pytest.raises(Refused, match="the threads busy"):
            template.start(order)
    finally:
        template.close()
    assert left_running(case.state) == []


@linux
def test_the_template_ends_with_its_attempts_when_the_runner_lets_go(build: Build, tmp_path: Path) -> None:
    """For the template, closing is the same as the death of the runner: nothing survives it."""
    case = build({}, {"a": ["import time\ntime.sleep(600)"]})
    template = Template()
    template.prepare(tmp_path / "pool.log", ())
    places = AttemptFiles.of(case.state, 1, "a", 0)
    context = TaskContext(1, "job", 1, 1, "a", 0, str(case.file("a.ipynb")), str(places.inner("exit")), "")
    file = str(context.save(places.inner("json")))
    order = Order(
        str(places.output),
        log=str(places.inner("log")),
        mark=file,
        environment={"LOCAL_CONTEXT": file, "LOCAL_PROJECT": str(case.project.root), "LOCAL_CATALOG": "main"},
    )
    forked = template.start(order)
    while json.loads(forked.events.readline())["event"] != "cell":
        pass
    family = psutil.Process(template.process.pid).children(recursive=True)
    assert len(family) == 2

    forked.close()
    template.close()

    assert not any(each.is_running() for each in family)
    assert left_running(case.state) == []


@linux
def test_a_template_that_nobody_asked_is_not_waited_for(tmp_path: Path) -> None:
    """A skipped run, or one with only conditions, ends at once, not when the imports for its notebooks are done."""
    template = Template()
    template.prepare(tmp_path / "log", ())

    template.close()

    assert template.process.returncode == -signal.SIGKILL


@linux
def test_a_template_started_ahead_ends_with_its_block() -> None:
    """A command that is refused before it has a pool leaves no process that is still importing."""
    with pytest.raises(UsageError), template_ahead() as template:
        raise UsageError("refused")

    assert template.process.returncode == -signal.SIGKILL


def test_a_run_says_nothing_of_the_pool(build: Build, capfd: pytest.CaptureFixture) -> None:
    """Processes that wait and end concern only the engine: no message in the terminal, none in the log."""
    case = build({"job": {"name": "Quiet", "tasks": [task("a")]}}, {"a": ["1"]})

    assert case.run(options=RunOptions(json=True))["state"]["result_state"] == "SUCCESS"

    assert capfd.readouterr() == ("", "")
    assert (case.state.logs / "pool.log").read_text() == ""
    assert left_running(case.state) == []
