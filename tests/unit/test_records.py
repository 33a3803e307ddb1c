"""The run history: ids, several processes, abandoned runs, and the shape of Jobs API 2.2."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from recorded_runs import attempt, end, start, start_run

from lakelocal.errors import RunError
from lakelocal.history.api import repair_command, run_list, run_shape
from lakelocal.history.reading import RUNNER_GONE
from lakelocal.history.records import Records, now_ms
from lakelocal.program import PROGRAM

RUN = {"job_id": 7, "job_key": "j", "run_name": "Job", "target": "dev", "trigger": "ONE_TIME"}
TASK = {"task_key": "a", "attempt_number": 0, "kind": "notebook_task", "run_if": "ALL_SUCCESS", "depends_on": []}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "runs.db")


def test_a_run_has_the_shape_of_runs_get(records: Records) -> None:
    """States of both generations, epoch milliseconds, parameters with their defaults, every attempt."""
    before = now_ms()
    run_id = start_run(records, **RUN, job_parameters={"day": ["1", "2"]})
    first = records.start_attempt(job_run_id=run_id, **TASK, notebook_path="a.ipynb", parameters={"x": "1"})
    records.update_attempt(
        first, life_cycle_state="TERMINATED", result_state="FAILED", end_time=now_ms(), error="E: e", error_trace="t"
    )
    second = records.start_attempt(job_run_id=run_id, **{**TASK, "attempt_number": 1}, output_notebook="/r/a-1.ipynb")
    records.update_attempt(
        second, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=now_ms(), notebook_result=""
    )
    records.update_run(run_id, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=now_ms())

    run = run_shape(records, run_id)

    assert before <= run["start_time"] <= run["end_time"] <= now_ms()
    assert run["job_parameters"] == [{"name": "day", "default": "1", "value": "2"}]
    assert run["state"] == {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": ""}
    assert run["status"]["state"] == "TERMINATED"
    assert run["status"]["termination_details"]["code"] == "SUCCESS"
    assert [(each["run_id"], each["attempt_number"]) for each in run["tasks"]] == [(first, 0), (second, 1)]
    assert run["tasks"][0]["error"] == "E: e"
    assert run["tasks"][0]["notebook_task"] == {"notebook_path": "a.ipynb", "base_parameters": {"x": "1"}}
    assert run["tasks"][0]["status"]["termination_details"]["code"] == "RUN_EXECUTION_ERROR"
    assert "notebook_output" not in run["tasks"][0]
    assert run["tasks"][1]["notebook_output"] == {"result": "", "truncated": False}
    assert run["tasks"][1]["output_notebook"] == "/r/a-1.ipynb"


def test_a_running_run_has_no_result(records: Records) -> None:
    """`end_time` is 0 while it runs, as in the API."""
    run = run_shape(records, start_run(records, **RUN))

    assert run["state"] == {"life_cycle_state": "RUNNING", "state_message": ""}
    assert run["status"] == {"state": "RUNNING"}
    assert run["end_time"] == 0


def test_runs_are_listed_newest_first(records: Records) -> None:
    """With a limit, and by job or activity."""
    first, second = (start_run(records, **RUN) for _ in range(2))
    other = start_run(records, **{**RUN, "job_id": 8})
    records.update_run(second, end_time=now_ms(), life_cycle_state="TERMINATED", result_state="SUCCESS")

    def ids(**settings) -> list[int]:
        settings = {"limit": 20, "active_only": False, "job_id": None, **settings}
        return [run["run_id"] for run in run_list(records, **settings)]

    assert ids() == [other, second, first]
    assert ids(limit=1) == [other]
    assert ids(active_only=True) == [other, first]
    assert ids(job_id=7) == [second, first]


def test_an_unknown_run_is_refused(records: Records) -> None:
    """The message says where to look."""
    with pytest.raises(RunError, match="found no run 5"):
        run_shape(records, 5)


def test_a_run_whose_process_is_gone_is_closed(records: Records) -> None:
    """A pid that is no longer running, and one that belongs to another process by now."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = start_run(records, **RUN, **{"pid": ended.pid, "pid_started": 1.0})
    reused = start_run(records, **RUN, **{"pid": os.getpid(), "pid_started": 1.0})
    attempt = records.start_attempt(job_run_id=reused, **TASK)
    alive = start_run(records, **RUN)

    runs = {run["run_id"]: run for run in run_list(records, limit=9, active_only=False, job_id=None)}

    for run_id in (gone, reused):
        assert runs[run_id]["state"] == {
            "life_cycle_state": "INTERNAL_ERROR",
            "result_state": "FAILED",
            "state_message": RUNNER_GONE,
        }
    assert runs[alive]["state"]["life_cycle_state"] == "RUNNING"
    (task,) = run_shape(records, reused)["tasks"]
    assert (task["run_id"], task["state"]["result_state"]) == (attempt, "FAILED")


def test_processes_share_one_counter(tmp_path: Path) -> None:
    """Four processes that open the history at the same time and take 25 ids each: no duplicates, none lost."""
    code = (
        "import sys; from pathlib import Path; from lakelocal.history.records import Records\n"
        "records = Records(Path(sys.argv[1])); print(*[records.new_id() for _ in range(25)])"
    )
    place = str(tmp_path / "runs.db")
    processes = [
        subprocess.Popen([sys.executable, "-c", code, place], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    ids = [[int(word) for word in process.communicate(timeout=60)[0].split()] for process in processes]

    assert sorted(each for some in ids for each in some) == list(range(1, 101))
    assert all(each == sorted(each) for each in ids)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """One line with the file, not a SQLite stack trace."""
    place = tmp_path / "runs.db"
    place.write_text("not a database, but long enough to be read as one: " * 20)

    with pytest.raises(RunError, match=r"runs\.db`: the run history cannot be used"):
        Records(place)


OLDER = """
CREATE TABLE ids (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE runs (
    run_id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, job_key TEXT NOT NULL, run_name TEXT NOT NULL,
    target TEXT NOT NULL, trigger TEXT NOT NULL, parent_run_id INTEGER, life_cycle_state TEXT NOT NULL,
    result_state TEXT, state_message TEXT NOT NULL DEFAULT '', start_time INTEGER NOT NULL, end_time INTEGER,
    job_parameters TEXT NOT NULL DEFAULT '{}', settings TEXT NOT NULL DEFAULT '{}',
    pid INTEGER NOT NULL, pid_started REAL NOT NULL
);
CREATE TABLE attempts (
    run_id INTEGER PRIMARY KEY, job_run_id INTEGER NOT NULL REFERENCES runs, task_key TEXT NOT NULL,
    attempt_number INTEGER NOT NULL, kind TEXT NOT NULL, depends_on TEXT NOT NULL, run_if TEXT NOT NULL,
    life_cycle_state TEXT NOT NULL, result_state TEXT, state_message TEXT NOT NULL DEFAULT '',
    start_time INTEGER NOT NULL, end_time INTEGER, notebook_path TEXT, parameters TEXT NOT NULL DEFAULT '{}',
    output_notebook TEXT, notebook_result TEXT, error TEXT, error_trace TEXT, child_run_id INTEGER
);
INSERT INTO ids VALUES (2);
INSERT INTO runs VALUES (1, 7, 'j', 'Job', 'dev', 'ONE_TIME', NULL, 'TERMINATED', 'SUCCESS', '',
    5, 9, '{}', '{}', 1, 1);
INSERT INTO attempts VALUES
    (2, 1, 'a', 0, 'notebook_task', '[]', 'ALL_SUCCESS', 'TERMINATED', 'SUCCESS', '', 5, 9, 'a.ipynb', '{}',
     NULL, NULL, NULL, NULL, NULL);
"""


def test_a_file_of_an_older_version_is_brought_up(tmp_path: Path) -> None:
    """Its runs are shown unchanged, and new ones follow."""
    place = tmp_path / "runs.db"
    with closing(sqlite3.connect(place)) as database:
        database.executescript(OLDER)

    records = Records(place)

    old = run_shape(records, 1)
    assert (old["state"]["result_state"], old["end_time"], old["tasks"][0]["task_key"]) == ("SUCCESS", 9, "a")
    assert "repair_history" not in old
    assert run_shape(records, start_run(records, **RUN))["run_id"] == 3
    assert Records(place).run(1).repair_count == 0


def test_the_numbers_of_runs_count_runs(tmp_path: Path) -> None:
    """Attempts are numbered separately; no number is used twice, even if its run is gone."""
    records = Records(tmp_path / "runs.db")
    first = start_run(records, **RUN)
    attempts = {records.start_attempt(job_run_id=first, **TASK) for _ in range(3)}
    second = start_run(records, **RUN)
    with records.opened() as database:
        database.execute("DELETE FROM runs WHERE run_id = ?", (second,))

    assert (first, second, start_run(records, **RUN)) == (1, 2, 3)
    assert len(attempts) == 3 and min(attempts) > 1_000_000_000


@pytest.mark.parametrize(
    ("values", "result", "is_offered"),
    [
        ({}, "FAILED", True),
        ({}, "CANCELED", True),
        ({}, "SUCCESS", False),
        ({"job_id": 0}, "FAILED", False),
        ({"settings": {"run_type": "SUBMIT_RUN"}}, "FAILED", False),
        ({"settings": {"run_type": "PIPELINE_UPDATE"}}, "FAILED", True),
        ({"parent_run_id": 12}, "FAILED", False),
    ],
    ids=["failed", "canceled", "succeeded", "a notebook's own run", "one-time run", "pipeline update", "child run"],
)
def test_a_repair_is_offered_where_one_is_possible(
    records: Records, values: dict, result: str, is_offered: bool
) -> None:
    """`runs repair` finds the tasks in the bundle, by the run's job; a child run is repaired by its parent."""
    run_id = start(records, **values)
    attempt(records, run_id, "silver", result, error="E: why")
    end(records, run_id, result, message="It ended.")

    expected = f"{PROGRAM} runs repair {run_id} --target dev" if is_offered else ""
    assert repair_command(run_shape(records, run_id)) == expected
