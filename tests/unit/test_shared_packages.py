"""Packages that tasks share: complete or not there, installed by one process, deleted when no kept run used them."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from recorded_runs import start_run

from lakelocal.errors import DialectError
from lakelocal.export import keep_newest, prune
from lakelocal.export.pruning import prune_packages
from lakelocal.history.records import Records
from lakelocal.project import State
from lakelocal.shared_packages import SharedPackages, installation_key

KILLED = """
import os, signal, sys
from pathlib import Path
from lakelocal.shared_packages import SharedPackages

def fill(place):
    (place / "half.py").write_text("")
    os.kill(os.getpid(), signal.SIGKILL)

SharedPackages(Path(sys.argv[1])).claim("k", fill)
"""


def write(name: str, text: str = ""):
    """A function that puts the file *name* into a folder."""
    return lambda place: (place / name).write_text(text)


def test_what_a_killed_process_left_is_never_used(tmp_path: Path) -> None:
    """Neither before nor after the next one has installed it."""
    shared = SharedPackages(tmp_path / "packages")
    done = subprocess.run([sys.executable, "-c", KILLED, str(shared.folder)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL

    assert not shared.has("k")
    found = shared.claim("k", write("whole.py"))

    assert [place.name for place in found.iterdir()] == ["whole.py"]
    assert sorted(place.name for place in shared.folder.iterdir()) == ["k", "k.lock"]


def test_a_failed_installation_leaves_nothing(tmp_path: Path) -> None:
    """The next process tries again."""
    shared = SharedPackages(tmp_path)

    def fail(place: Path) -> None:
        (place / "half.py").write_text("")
        raise DialectError("no")

    with pytest.raises(DialectError, match=r"^no$"):
        shared.claim("k", fail)

    assert [place.name for place in tmp_path.iterdir()] == ["k.lock"]
    assert shared.claim("k", write("whole.py")) == tmp_path / "k"


def test_one_installs_and_the_others_wait(tmp_path: Path) -> None:
    """Each of them gets the folder of the one."""
    shared, filled, found = SharedPackages(tmp_path), [], []
    together = threading.Barrier(5)

    def fill(place: Path) -> None:
        filled.append(place)
        write("whole.py")(place)

    def claim() -> None:
        together.wait(30)
        found.append((shared.claim("k", fill) / "whole.py").is_file())

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (len(filled), found) == (1, [True] * 5)


def test_the_key_has_what_decides_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contents, not names alone: of wheels, of requirement files that others include, and of constraints."""
    monkeypatch.chdir(tmp_path)
    for name in ("x.whl", "more.txt", "limits.txt"):
        (tmp_path / name).write_text("one")
    (tmp_path / "all.txt").write_text("-r more.txt\npandas  # -r nothing.txt\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "limits.txt"))
    asked = (["pandas"], ["pandas", "numpy"], ["./x.whl[extra]"], ["-r", "all.txt"], ["--requirement=all.txt"])
    keys = [installation_key(words) for words in asked]

    assert len(set(keys)) == 5 and None not in keys
    assert keys == [installation_key(words) for words in asked]
    assert installation_key(["pandas"], ["another"]) not in keys
    for name, changed in (("x.whl", {2}), ("more.txt", {3, 4}), ("limits.txt", {0, 1, 2, 3, 4})):
        (tmp_path / name).write_text("two")
        now = [installation_key(words) for words in asked]
        assert {number for number in range(5) if now[number] != keys[number]} == changed
        keys = now


@pytest.mark.parametrize(
    "words",
    [["./tree"], ["/TREE"], ["git+https://example.com/x.git"], ["x @ git+ssh://example.com/x"], ["-r", "own.txt"]],
)
def test_what_may_change_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """A source tree and a branch, also inside of a requirement file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree").mkdir()
    (tmp_path / "own.txt").write_text("pandas\n-e ./tree\n")

    assert installation_key([word.replace("/TREE", str(tmp_path / "tree")) for word in words]) is None


def test_what_no_kept_run_used_is_deleted(tmp_path: Path) -> None:
    """Pruning keeps what a kept run used, and what is being installed."""
    state = State(tmp_path, "main", tmp_path / "main").make()
    records, shared = Records.of(state), SharedPackages(state.packages)
    for second in (10, 20):
        run = start_run(records, job_id=1, job_key="j", run_name="J", target="dev", trigger="ONE_TIME")
        ended = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
        records.update_run(run, start_time=second * 1000, end_time=second * 1000 + 1, **ended)
    for key, second in (("old", 11), ("new", 20)):
        os.utime(shared.claim(key, write("x.py", "123")), (second, second))
    going_on = state.packages / "now.part"

    def meanwhile(place: Path) -> None:
        os.utime(place, (11, 11))
        deleted = prune(state, keep_newest(1), dry_run=True)
        assert prune_packages(state, deleted, dry_run=True) == 3
        assert prune_packages(state, prune(state, keep_newest(1))) == 3
        assert going_on.is_dir()

    shared.claim("now", meanwhile)
    assert {place.name for place in state.packages.iterdir() if place.is_dir()} == {"new", "now"}
    assert prune_packages(state, prune(state, keep_newest(0))) == 3
    assert not [place for place in state.packages.iterdir() if place.is_dir() and place.name == "new"]
