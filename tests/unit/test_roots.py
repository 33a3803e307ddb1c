"""What a process finds at the root of its file system; for a kernel, see tests/spark/test_ways_to_write.py."""

import os
import subprocess
import sys

import pytest

from lakelocal.paths import DatabricksPaths
from lakelocal.project import State
from lakelocal.roots.enter import FORCED, HOOKS, MOUNTS, described, which_way
from lakelocal.roots.launch import with_mounts


@pytest.fixture
def state(tmp_path) -> State:
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    (state.volumes / "raw/files").mkdir(parents=True)
    return state


def started(state: State, script: str, way: str = "") -> subprocess.CompletedProcess[str]:
    """*script*, run by a shell that is started like the Spark server."""
    command = with_mounts(DatabricksPaths(state).mounts(), ["/bin/sh", "-c", script])
    return subprocess.run(command, env={**os.environ, FORCED: way}, capture_output=True, text=True, timeout=60)


def without_rights(command: list[str]) -> list[str]:
    """*command* for a process that may not mount: without that right, even if root runs the tests."""
    drop = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 21); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", drop, *command]  # PR_CAPBSET_DROP, CAP_SYS_ADMIN


needs_mounts = pytest.mark.skipif(which_way()[0] != MOUNTS, reason=which_way()[1])
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux'")


@needs_mounts
def test_a_program_that_is_started_with_mounts_sees_them_and_nothing_is_made_at_the_root(state):
    """So does what it starts; the rest of the machine is unchanged."""
    before = sorted(os.listdir("/"))

    done = started(state, "echo x > /Volumes/dev/raw/files/a && cp /Volumes/dev/raw/files/a /dbfs/b && pwd && ls /usr")

    assert done.returncode == 0, done.stderr
    assert (state.dbfs / "b").read_text() == "x\n"
    assert done.stdout.split()[0] == os.getcwd()
    assert set(done.stdout.split()[1:]) == set(os.listdir("/usr"))
    assert sorted(os.listdir("/")) == before


@needs_mounts
def test_nothing_can_be_made_beside_what_is_mounted(state):
    """Neither a catalog nor a folder at the root."""
    for place in ("/Volumes/other", "/beside"):
        done = started(state, f"mkdir {place}")
        assert "Read-only file system" in done.stderr


@needs_mounts
def test_a_process_inside_starts_others_inside_and_one_of_another_state_in_its_own(state, tmp_path):
    """A notebook may start a server, a run, or another project."""
    other = State(tmp_path, "prod", tmp_path / "prod").make()
    inner = with_mounts(DatabricksPaths(other).mounts(), ["/bin/sh", "-c", "ls -d /Volumes/dev /Volumes/prod"])
    again = with_mounts(DatabricksPaths(state).mounts(), ["/bin/sh", "-c", "ls -d /Volumes/dev /Volumes/prod"])
    code = f"import subprocess; [subprocess.run(each) for each in ({again!r}, {inner!r})]"
    command = with_mounts(DatabricksPaths(state).mounts(), [sys.executable, "-c", code])

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stdout.split() == ["/Volumes/dev", "/Volumes/prod"], done.stderr


@needs_linux
def test_where_there_are_no_mounts_the_real_folders_are_closed_to_programs(state):
    """Even to root, who may write at the root of the machine; everything else works."""
    before = sorted(os.listdir("/"))

    refused = started(state, "mkdir -p /dbfs/a; mkdir -p /Volumes/dev/raw/files; touch /beside", HOOKS)
    works = started(state, f"mkdir {state.folder}/a && mv {state.folder}/a {state.dbfs}/b && ls / > /dev/null", HOOKS)

    assert refused.stderr.count("ermission denied") == 3
    assert works.returncode == 0, works.stderr
    assert (state.dbfs / "b").is_dir()
    assert sorted(os.listdir("/")) == before


def test_the_way_is_told_with_its_reason(monkeypatch):
    """What `status` and `validate --fidelity` print."""
    monkeypatch.setenv(FORCED, HOOKS)

    assert which_way() == (HOOKS, f"{FORCED}={HOOKS}")
    assert described(which_way()[1]).endswith(f"for Python and Spark only, and refused elsewhere: {FORCED}={HOOKS}")
    assert "mounts" in described("")


def test_asking_for_the_way_leaves_the_process_as_it_is():
    """It is tried in a process that ends."""
    before = os.readlink("/proc/self/ns/mnt") if sys.platform == "linux" else ""
    which_way()
    assert (os.readlink("/proc/self/ns/mnt") if sys.platform == "linux" else "") == before


@needs_mounts
def test_a_user_who_may_not_mount_has_mounts_in_a_namespace_and_keeps_the_own_id(state):
    """The user id stays the same; if the machine refuses namespaces too, the real folders are closed instead."""
    script = "id -u; cat /proc/self/uid_map; echo x > /dbfs/made"
    command = without_rights(with_mounts(DatabricksPaths(state).mounts(), ["/bin/sh", "-c", script]))

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    user, *mapped = done.stdout.split()
    assert user == str(os.getuid())
    if not (state.dbfs / "made").exists():
        assert "ermission denied" in done.stderr
        pytest.skip("this machine lets nobody but root have mounts")
    assert mapped == [user, user, "1"]
