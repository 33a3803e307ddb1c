"""Reading the history changes nothing: readers leave no trace, and see runs whose runner is gone as ended."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakelocal.history.filters import RunFilter
from lakelocal.history.reading import RUNNER_GONE, History
from lakelocal.history.records import Records, insert, now_ms, this_process
from lakelocal.history.rows import RecordedRun

RUN = {"job_id": 1, "job_key": "j", "run_name": "J", "target": "dev", "trigger": "ONE_TIME"}
GONE = {"pid": 2**22 + 1, "pid_started": 1.0}
ATTEMPT = {"task_key": "a", "attempt_number": 0, "kind": "notebook_task", "depends_on": [], "run_if": "ALL_SUCCESS"}


def recorded(place: Path, **columns: object) -> int:
    """Record a run in the history at *place*, running unless *columns* say otherwise, and return its id."""
    records = Records(place)
    run_id = records.new_id()
    values = {"run_id": run_id, "life_cycle_state": "RUNNING", "start_time": 1_000, **RUN, **GONE, **columns}
    with records.opened() as database:
        insert(database, "runs", values)
    return run_id


def content(place: Path) -> list[str]:
    """Everything in the file, as SQL."""
    with sqlite3.connect(place) as database:
        return list(database.iterdump())


def test_a_history_that_is_not_there_is_empty_and_stays_away(tmp_path: Path) -> None:
    """A query is no reason to create a folder."""
    history = History(tmp_path / "state" / "runs.db")

    assert history.runs() == [] and history.attempts(1) == [] and not history.cancel_requested(1)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_runner_is_gone_is_shown_as_failed_and_stays_as_it_was_recorded(tmp_path: Path) -> None:
    """It ended when something was last recorded of it, whenever somebody looks."""
    place = tmp_path / "runs.db"
    run_id = recorded(place)
    done = Records(place).start_attempt(job_run_id=run_id, **ATTEMPT, start_time=2_000, end_time=5_000)
    left = Records(place).start_attempt(job_run_id=run_id, **{**ATTEMPT, "task_key": "b"}, start_time=4_000)
    before = content(place)

    run, attempts = History(place).run(run_id), History(place).attempts(run_id)

    assert (run.state, run.life_cycle_state, run.state_message) == ("FAILED", "INTERNAL_ERROR", RUNNER_GONE)
    assert run.end_time == 5_000
    assert [(each.run_id, each.state, each.end_time) for each in attempts] == [
        (done, "RUNNING", 5_000),
        (left, "FAILED", 5_000),
    ]
    assert History(place).runs(active_only=True) == []
    assert content(place) == before


def test_what_is_shown_is_what_the_next_runner_writes_down(tmp_path: Path) -> None:
    """The same times and messages, before and after."""
    place = tmp_path / "runs.db"
    run_id = recorded(place)
    Records(place).start_attempt(job_run_id=run_id, **ATTEMPT, start_time=4_000)
    shown = (History(place).run(run_id), History(place).attempts(run_id))

    assert Records(place).close_abandoned() == [run_id]
    assert Records(place).close_abandoned() == []

    assert (History(place).run(run_id), History(place).attempts(run_id)) == shown
    with sqlite3.connect(place) as database:
        assert database.execute("SELECT count(*) FROM runs WHERE end_time IS NULL").fetchone() == (0,)


def test_a_run_of_this_process_is_open(tmp_path: Path) -> None:
    """Its runner is there."""
    place = tmp_path / "runs.db"
    run_id = recorded(place, **this_process(), start_time=now_ms())

    assert [run.run_id for run in History(place).runs(active_only=True)] == [run_id]


def test_columns_of_json_are_values_and_those_of_an_older_file_have_defaults(tmp_path: Path) -> None:
    """Readers need not know how they are stored."""
    place = tmp_path / "runs.db"
    run_id = recorded(place, job_parameters={"day": ["1", "2"]}, only_tasks=["a"], end_time=5)
    run = History(place).run(run_id)
    assert (run.job_parameters, run.only_tasks, run.health_warnings) == ({"day": ["1", "2"]}, ["a"], [])

    with sqlite3.connect(place) as database:
        database.row_factory = sqlite3.Row
        query = (
            "SELECT run_id, job_id, job_key, run_name, target, trigger, life_cycle_state, start_time, pid, pid_started"
        )
        older = RecordedRun.of(database.execute(f"{query} FROM runs").fetchone())
    assert (older.repair_count, older.health_warnings, older.remote) == (0, (), None)


ENDED = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "end_time": 9_000}
SUBMITTED = {"settings": {"run_type": "SUBMIT_RUN"}}


@pytest.fixture
def several(tmp_path: Path) -> History:
    """Runs 1 to 6; 2 and 3 began at the same time, 4 goes on."""
    place = tmp_path / "runs.db"
    recorded(place, start_time=1_000, **ENDED, **SUBMITTED)
    recorded(place, start_time=2_000, **ENDED, job_id=2, parent_run_id=1)
    recorded(place, start_time=2_000, **{**ENDED, "result_state": "FAILED"}, job_parameters={"day": ["", "Tuesday"]})
    recorded(place, start_time=4_000, **this_process())
    recorded(place, start_time=3_000, **ENDED, run_name="Weekly")
    recorded(place, start_time=500, **ENDED)
    return History(place)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(), [4, 5, 3, 2, 1, 6]),
        (RunFilter(job_id=2), [2]),
        (RunFilter(active=True), [4]),
        (RunFilter(active=False), [5, 3, 2, 1, 6]),
        (RunFilter(since=1_000, until=3_000), [5, 3, 2, 1]),
        (RunFilter(results=["FAILED"]), [3]),
        (RunFilter(text="week"), [5]),
        (RunFilter(text="TUESDAY"), [3]),
        (RunFilter(run_type="SUBMIT_RUN"), [1]),
        (RunFilter(run_type="JOB_RUN", active=False), [5, 3, 2, 6]),
        (RunFilter(until=2_000), [3, 2, 1, 6]),
    ],
)
def test_the_newest_of_the_wanted_runs(several: History, wanted: RunFilter, found: list[int]) -> None:
    """Those that began last first; page by page they are the same."""
    assert [run.run_id for run in several.newest(wanted, limit=10)] == found
    assert [run_id for _, run_id in several.newest_keys(wanted, limit=10)] == found
    paged: list[int] = []
    before = None
    while page := several.newest_keys(wanted, limit=2, before=before):
        paged += [run_id for _, run_id in page]
        before = page[-1]
    assert paged == found
    assert [several.runs_with(found)[run_id].run_id for run_id in found] == found


def test_a_reader_that_stays_open_sees_what_others_write(several: History) -> None:
    """Whatever its connections have read before; several threads use it at once."""
    several.stay_open()
    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(lambda run_id: several.run(run_id).run_id, [1, 2, 3, 4, 5, 6] * 20))
    Records(several.place).update_run(4, **ENDED)
    new = recorded(several.place, start_time=9_000, **ENDED)

    assert ids == [1, 2, 3, 4, 5, 6] * 20
    assert several.run(4).result_state == "SUCCESS"
    assert several.newest(limit=1)[0].run_id == new


def test_an_open_run_is_found_without_looking_at_those_that_have_ended(several: History) -> None:
    """SQLite's own plan: a history may have many thousands of them."""
    condition, values = RunFilter(active=True).condition()
    with several.reading() as database:
        assert database is not None
        query = f"EXPLAIN QUERY PLAN SELECT * FROM runs WHERE {condition} ORDER BY start_time DESC, run_id DESC"
        plan = [row["detail"] for row in database.execute(query, values)]

    assert plan == ["SCAN runs USING INDEX open_runs_by_time"]
