"""Pruning: what a rule chooses, that a run is deleted with all runs below it, and that nothing active is deleted."""

from datetime import timedelta
from pathlib import Path

import pytest
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.errors import RunError
from lakelocal.export import keep_newest, older_than, prune
from lakelocal.history.records import Records
from lakelocal.project import State

DAY = 86_400_000
ALL = keep_newest(0)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path / "state" / "main").make()


def record(state: State, *, day: int | None, job_id: int = 1, parent: int | None = None, size: int = 10) -> int:
    """Record a run that ended on *day* (None: it has not), with one attempt and *size* bytes of files."""
    records = Records.of(state)
    own = {"job_id": job_id, "job_key": "j", "run_name": "Job", "target": "dev", "trigger": "ONE_TIME"}
    run_id = start_run(records, **own, parent_run_id=parent)
    records.start_attempt(
        job_run_id=run_id, task_key="a", attempt_number=0, kind="notebook_task", run_if="ALL_SUCCESS", depends_on=[]
    )
    if day is not None:
        records.update_run(run_id, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=day * DAY)
    folder = state.runs / str(run_id) / ".attempts"
    folder.mkdir(parents=True)
    (folder / "a.log").write_bytes(b"x" * size)
    return run_id


def left(state: State) -> list[int]:
    """The runs of the history; their folders must be the same."""
    runs = sorted(run.run_id for run in Records.of(state).runs(limit=99))
    assert sorted(int(place.name) for place in state.runs.iterdir()) == runs
    return runs


def test_each_job_keeps_its_newest_runs(state):
    """A job that runs often does not displace the runs of one that runs rarely."""
    seldom = record(state, day=1, job_id=2)
    often = [record(state, day=day) for day in (2, 3, 4)]

    deleted = prune(state, keep_newest(1))

    assert [each.run.run_id for each in deleted] == often[:2]
    assert left(state) == [seldom, often[2]]


def test_age_counts_from_the_end(state):
    """Older than the age, not equally old."""
    old, exact, new = (record(state, day=day) for day in (1, 10, 20))

    prune(state, older_than(timedelta(days=30), at_ms=40 * DAY))

    assert left(state) == [exact, new]
    assert old not in left(state)


def test_a_run_goes_with_all_runs_below_it(state):
    """With their files, attempts and sizes; a child run is not deleted alone."""
    parent = record(state, day=1, size=1)
    child = record(state, day=1, parent=parent, size=20)
    grandchild = record(state, day=1, parent=child, size=300)
    other = record(state, day=9)

    (deleted,) = prune(state, keep_newest(1))

    assert deleted.run_ids == (parent, child, grandchild)
    assert deleted.size == 321
    assert left(state) == [other]
    assert Records.of(state).attempts(grandchild) == []
    assert prune(state, keep_newest(1)) == []


def test_nothing_active_is_deleted(state):
    """Nor any run above one that has not ended."""
    active = record(state, day=None)
    parent = record(state, day=1)
    child = record(state, day=None, parent=parent)

    assert prune(state, ALL) == []
    assert left(state) == [active, parent, child]


def test_a_dry_run_deletes_nothing(state):
    """It reports the same."""
    run_id = record(state, day=1, size=7)

    (found,) = prune(state, ALL, dry_run=True)

    assert (found.run_ids, found.size) == ((run_id,), 7)
    assert left(state) == [run_id]


def test_a_run_without_files_is_deleted(state):
    """Someone has freed space by hand."""
    run_id = record(state, day=1)
    (state.runs / str(run_id) / ".attempts" / "a.log").unlink()
    (state.runs / str(run_id) / ".attempts").rmdir()
    (state.runs / str(run_id)).rmdir()

    (deleted,) = prune(state, ALL)

    assert deleted.size == 0
    assert left(state) == []


def test_files_that_cannot_be_deleted_keep_their_record(state):
    """The error names the file; the next time deletes the run."""
    run_id = record(state, day=1)
    folder = state.runs / str(run_id)
    kept = folder.rename(state.folder / "aside")
    folder.write_text("a file where a folder should be")

    with pytest.raises(RunError, match="cannot be deleted"):
        prune(state, ALL)

    folder.unlink()
    kept.rename(folder)
    assert left(state) == [run_id]


def test_the_command_line_says_what_and_how_much(tmp_path, monkeypatch, capsys):
    """In a table and in bytes; it asks no questions."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: example}\n")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    state = State(tmp_path, "main", tmp_path / "state" / "main").make()
    record(state, day=1, size=1234)

    assert main(["runs", "prune", "--dry-run"]) == 0
    assert "would delete 1 run, 1,234 bytes" in capsys.readouterr().out
    assert main(["runs", "prune", "--keep", "0"]) == 0
    output = capsys.readouterr().out
    assert "1.2 kB" in output
    assert "deleted 1 run, 1,234 bytes of notebooks and logs" in output
    assert left(state) == []
