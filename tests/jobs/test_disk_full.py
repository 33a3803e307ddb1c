"""The runbook of a full disk, on a disk of its own that is really full: a file system in memory, in a namespace."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakelocal.history import reserve
from lakelocal.history.records import Records, now_ms
from lakelocal.project import Project
from tests.outputs import shown
from tests.unit.recorded_runs import start_run

ROOT = Path(__file__).resolve().parents[2]
SIZE = 640  # MiB of the disk; a server needs 512 MiB free
DAY_MS = 86_400_000
BUNDLE = "bundle: {name: example}\ntargets: {dev: {default: true}}\n"

# The disk exists only for the processes below this command, and disappears with them.
IN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
MOUNT = f'mount -t tmpfs -o size={SIZE}m disk "$1" && shift && exec "$@"'


def can_mount() -> bool:
    command = (*IN_NAMESPACE, "mount -t tmpfs -o size=1m disk /mnt")
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this machine lets a user mount nothing")
@pytest.mark.parametrize("rest", [100, 0])
def test_a_full_disk_is_explained_and_freed(tmp_path: Path, rest: int) -> None:
    """Old runs, old logs and temporary files fill it: they are named, then deleted; what is younger is kept."""
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = f"from tests.jobs import test_disk_full as t; t.fill_explain_and_free({str(disk)!r}, {rest})"
    environment = {**os.environ, "LOCAL_STATE": str(disk), "PYTHONPATH": str(ROOT)}
    command = (*IN_NAMESPACE, MOUNT, "sh", str(disk), sys.executable, "-c", inside)

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


@pytest.mark.skipif(not can_mount(), reason="this machine lets a user mount nothing")
def test_a_task_that_fills_the_disk_leaves_its_reason(tmp_path: Path) -> None:
    """In the terminal, the history and the outbox, on the space that is kept for them."""
    disk, project = tmp_path / "disk", tmp_path / "project"
    disk.mkdir()
    project.mkdir()
    load = {"task_key": "load", "notebook_task": {"notebook_path": "./load.py"}}
    job = {"name": "Daily", "tasks": [load], "email_notifications": {"on_failure": ["ana@example.com"]}}
    bundle = {"bundle": {"name": "example"}, "resources": {"jobs": {"daily": job}}}
    (project / "databricks.yml").write_text(json.dumps(bundle))
    write = "import os\nopen(os.environ['LOCAL_STATE'] + '/big.bin', 'wb').write(bytes(10**9))\n"
    (project / "load.py").write_text(f"# Databricks notebook source\n{write}")
    program = f"{sys.executable} -m local --project {project}"
    commands = f"{program} run daily; {program} runs list; {program} outbox"
    environment = {**os.environ, "LOCAL_STATE": str(disk)}
    inside = (*IN_NAMESPACE, MOUNT, "sh", str(disk), "sh", "-c", commands)

    done = subprocess.run(inside, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)

    reason = "load: the disk is full; free space"
    assert f"why     {reason}" in done.stdout, done.stdout + done.stderr
    assert f"Failed: Daily (run 1): {reason}" in done.stdout


def fill_explain_and_free(folder: str, rest: int) -> None:
    """Fill the disk *folder* up to *rest* MiB, run the runbook twice on it, and check what it says and does."""
    disk = Path(folder)
    project = make_project(disk)
    state = Project.at(project).state("main").make()
    records = Records.of(state)
    job = {"job_id": 1, "job_key": "j", "run_name": "daily", "target": "dev", "trigger": "ONE_TIME"}
    ended = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
    old, young = (
        start_run(records, **job, **ended, start_time=now_ms() - days * DAY_MS, end_time=now_ms() - days * DAY_MS)
        for days in (45, 2)
    )
    week_old, newest = state.logs / "server-1.log", state.logs / "server-2.log"
    spill = state.folder / "tmp" / "blockmgr-1" / "spill"
    for place, size in ((state.runs / str(young) / "a.ipynb", 1), (week_old, 30), (newest, 1), (spill, 20)):
        write(place, size)
    os.utime(week_old, (0, 0))
    write(state.runs / str(old) / "a.ipynb", shutil.disk_usage(disk).free // 2**20 - rest)
    if not rest:
        fill_up(state.runs / str(old) / "b.ipynb")
    refused = local(project, "up")
    assert refused.returncode != 0 and "of free disk; expected 512 MB at least" in refused.stderr

    said = execute(project)
    assert "executed notebooks and logs of runs" in said and str(week_old) in said
    assert "would delete 1 run" in said
    assert "Nothing was deleted." in said.splitlines()[-1], said[-500:]
    assert shutil.disk_usage(disk).free <= rest * 2**20 + reserve.SIZE

    execute(project, clean=True)
    assert shutil.disk_usage(disk).free // 2**20 >= 512
    assert {each.name for each in state.runs.iterdir()} == {str(young)}
    assert newest.is_file() and not week_old.exists() and not spill.exists()
    assert [run.run_id for run in records.runs(limit=None)] == [young]


def make_project(disk: Path) -> Path:
    """A bundle with the runbook, beside the disk."""
    project = disk.parent / "project"
    (project / "runbooks").mkdir(parents=True)
    (project / "databricks.yml").write_text(BUNDLE)
    shutil.copy(ROOT / "runbooks" / "O90_disk_full.ipynb", project / "runbooks")
    return project


def write(place: Path, size: int) -> None:
    """A file of *size* MiB."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(bytes(size * 2**20))


def fill_up(place: Path) -> None:
    """Write until the disk has no byte left."""
    with place.open("wb", buffering=0) as opened:
        try:
            while True:
                opened.write(bytes(4096))
        except OSError as error:
            assert "No space left" in str(error)


def local(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "local", "--project", str(project), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def execute(project: Path, **parameters: object) -> str:
    """Run the runbook in its folder; return what it printed and showed."""
    import papermill

    place = project / "runbooks" / "O90_disk_full.ipynb"
    output = str(project / "executed.ipynb")
    papermill.execute_notebook(
        str(place), output, parameters=parameters, cwd=str(place.parent), kernel_name="python3", progress_bar=False
    )
    return shown(json.loads(Path(output).read_text())["cells"])
