"""Row counts from Delta logs written by hand, and what is printed after a run."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recorded_runs import start_run
from rich.console import Console

from lakelocal.history.api import run_shape
from lakelocal.history.records import Records, now_ms
from lakelocal.jobs.live import Live
from lakelocal.jobs.summary import print_summary
from lakelocal.jobs.tables import TableChange, table_changes
from lakelocal.project import State


def add(path: str, rows: int | None, hidden: int = 0) -> dict[str, Any]:
    stats = None if rows is None else json.dumps({"numRecords": rows})
    vector = {"deletionVector": {"cardinality": hidden}} if hidden else {}
    return {"add": {"path": path, "stats": stats, **vector}}


def remove(path: str) -> dict[str, Any]:
    return {"remove": {"path": path}}


def commit(log: Path, version: int, at_ms: int, metrics: dict[str, int], *actions: dict[str, Any]) -> None:
    log.mkdir(parents=True, exist_ok=True)
    info = {"commitInfo": {"timestamp": at_ms, "operationMetrics": {k: str(v) for k, v in metrics.items()}}}
    (log / f"{version:020d}.json").write_text("\n".join(json.dumps(each) for each in (info, *actions)))


def test_counts_are_of_the_commits_in_the_time_asked_for(tmp_path: Path) -> None:
    """Appends, a MERGE (copied rows do not count as inserted) and a DELETE; earlier and later commits do not count."""
    log = tmp_path / "silver.db" / "orders" / "_delta_log"
    commit(log, 0, 100, {"numOutputRows": 50}, add("a", 50))
    commit(log, 1, 200, {"numOutputRows": 10}, add("b", 10))
    merge = {"numTargetRowsInserted": 3, "numTargetRowsUpdated": 4, "numTargetRowsDeleted": 0, "numOutputRows": 57}
    commit(log, 2, 210, merge, remove("a"), add("c", 53))
    commit(log, 3, 220, {"numDeletedRows": 2}, remove("b"), add("b", 10, hidden=2))
    commit(log, 4, 900, {"numOutputRows": 1}, add("d", 1))

    (change,) = table_changes(tmp_path, since_ms=150, until_ms=300)

    assert change == TableChange("silver.orders", 4, commits=3, inserted=13, updated=4, deleted=2, rows=62)


def test_rows_are_counted_from_a_checkpoint(tmp_path: Path) -> None:
    """Old JSON files may be gone; the checkpoint then has their contents."""
    log = tmp_path / "bronze.db" / "t" / "_delta_log"
    commit(log, 2, 100, {}, remove("a"), add("c", 5))
    stats = json.dumps({"numRecords": 20})
    adds = [
        {"path": "a", "stats": stats, "deletionVector": None},
        {"path": "b", "stats": stats, "deletionVector": None},
    ]
    vector = pa.struct([("cardinality", pa.int64())])
    kind = pa.struct([("path", pa.string()), ("stats", pa.string()), ("deletionVector", vector)])
    table = pa.table({"add": pa.array([*adds, None], kind), "txn": pa.array([None, None, "x"])})
    pq.write_table(table, log / f"{1:020d}.checkpoint.parquet")

    (change,) = table_changes(tmp_path, since_ms=50, until_ms=300)

    assert change == TableChange("bronze.t", 2, commits=1, rows=25)


def test_the_rows_of_an_unchanged_table_are_not_counted(tmp_path: Path) -> None:
    """The summary only names it, and counting its rows would read its whole log."""
    commit(tmp_path / "x.db" / "t" / "_delta_log", 0, 100, {}, add("a", 5))

    assert table_changes(tmp_path, since_ms=150, until_ms=300) == [TableChange("x.t", 0, commits=0)]


def test_rows_are_unknown_without_statistics(tmp_path: Path) -> None:
    """Better no number than a wrong one."""
    commit(tmp_path / "x.db" / "t" / "_delta_log", 0, 100, {}, add("a", None), add("b", 2))

    assert table_changes(tmp_path, since_ms=0, until_ms=300)[0].rows is None


def test_folders_without_a_log_are_no_tables(tmp_path: Path) -> None:
    """A half-made table, and a warehouse that does not exist yet."""
    (tmp_path / "x.db" / "t" / "_delta_log").mkdir(parents=True)

    assert table_changes(tmp_path, since_ms=0, until_ms=300) == []
    assert table_changes(tmp_path / "none", since_ms=0, until_ms=300) == []


def test_the_summary_shows_tasks_tables_and_errors(tmp_path: Path) -> None:
    """A reader sees what ran, what was written, what was not, and why it failed."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    start = now_ms()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    attempt = records.start_attempt(
        job_run_id=run_id,
        task_key="silver",
        attempt_number=1,
        kind="notebook_task",
        run_if="ALL_SUCCESS",
        depends_on=[],
    )
    commit(
        state.warehouse / "silver.db" / "orders" / "_delta_log", 0, start + 1, {"numOutputRows": 1204}, add("a", 1204)
    )
    commit(state.warehouse / "gold.db" / "old" / "_delta_log", 0, 5, {"numOutputRows": 1}, add("a", 1))
    ended = {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "start_time": start, "end_time": start + 2000}
    records.update_attempt(attempt, **ended, error="E: why", output_notebook="/runs/1/silver.ipynb")
    records.update_run(run_id, **ended)
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "silver (attempt 1) FAILED 2.0 s 1/silver.ipynb" in lines
    assert "silver.orders 1,204 - - 1,204 0" in lines
    assert "unchanged: gold.old" in lines
    assert lines[-5:] == [
        "run 1: FAILED after 2.0 s",
        "why silver: E: why",
        "see /runs/1/silver.ipynb",
        "look python -m local runs open 1 --target dev",
        "repair python -m local runs repair 1 --target dev",
    ]


def test_only_the_last_attempt_of_a_task_is_explained(tmp_path: Path) -> None:
    """What a retry has made good is in the table; below it is what remains to be done."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    row = {"job_run_id": run_id, "run_if": "ALL_SUCCESS", "depends_on": [], "kind": "notebook_task"}
    ended = {"life_cycle_state": "TERMINATED", "start_time": 1, "end_time": 2}
    for key, number, result in (("a", 0, "FAILED"), ("a", 1, "SUCCESS"), ("b", 0, "FAILED"), ("b", 1, "FAILED")):
        error = f"{key}{number} broke" if result == "FAILED" else None
        attempt = records.start_attempt(**row, task_key=key, attempt_number=number)
        records.update_attempt(attempt, **ended, result_state=result, error=error)
    records.update_run(run_id, **ended, result_state="FAILED")
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    assert [line.split() for line in out.getvalue().splitlines() if "broke" in line] == [["why", "b:", "b1", "broke"]]
    assert "a (attempt 1)" in out.getvalue()


def test_a_run_without_tasks_has_no_table(tmp_path: Path) -> None:
    """A skipped run says why, without an empty heading."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    ended = {"life_cycle_state": "SKIPPED", "result_state": "MAXIMUM_CONCURRENT_RUNS_REACHED"}
    records.update_run(run_id, **ended, start_time=1, end_time=1, state_message="Skipped: why.")
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    assert [line.split()[0] for line in out.getvalue().splitlines() if line.strip()] == ["run", "why", "look"]


def test_the_live_table_shows_what_each_task_is_doing() -> None:
    """Child runs are nested below the task that started them."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    live = Live(console)
    live.run_started((), 1, "Daily", ["start", "after"])
    live.task_started(("start",), 0)
    live.run_started(("start",), 2, "Child", ["bronze"])
    live.task_started(("start", "bronze"), 1)
    live.cell(("start", "bronze"), "Orders", 3, 9)
    live.printed(("start", "bronze"), "wrote 5 rows")
    with console.capture() as captured:
        console.print(live.table())
    live.close()

    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert "Daily, run 1: 0 of 2 tasks, 0.0 s" in lines
    assert any(line.startswith("start RUNNING 0.0 s") for line in lines)
    assert any(line.startswith("bronze RUNNING (1) 0.0 s 3/9 Orders: wrote 5 rows") for line in lines)
    assert "after PENDING" in lines


def test_the_live_table_keeps_names_and_states_whole() -> None:
    """A long message is cut, not the rest; iterations and the runs of a backfill have their own rows."""
    console = Console(file=io.StringIO(), width=60, force_terminal=False)
    live = Live(console)
    live.backfill_started("Daily", ["2018-01-01", "2018-01-02"])
    live.task_started(("2018-01-01",), 0)
    live.run_started(("2018-01-01",), 1, "Daily", ["loop"])
    live.iterations_started(("2018-01-01", "loop"), ["load[0]", "load[1]"], ["a", "b"], 2)
    live.task_ended(("2018-01-01", "loop", "load[1]"), "FAILED", 2, "a reason " * 20)
    with console.capture() as captured:
        console.print(live.table())
    live.close()

    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert "Daily, backfill: 0 of 2 tasks, 0.0 s" in lines
    assert any(line.startswith("load[1] b FAILED a reason") and line.endswith("…") for line in lines)
    assert "load[0] a PENDING" in lines
    assert "2018-01-02 PENDING" in lines


class Clock:
    """Seconds that the test advances."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown(clock: Clock) -> Iterator[tuple[Live, Callable[[], list[str]]]]:
    """A live table, and what it shows: its lines, with spaces collapsed."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    live = Live(console, clock=clock)

    def lines() -> list[str]:
        with console.capture() as captured:
            console.print(live.table())
        return [" ".join(line.split()) for line in captured.get().splitlines()]

    yield live, lines
    live.close()


def test_a_wait_counts_down_and_its_reason_is_one_line(
    shown: tuple[Live, Callable[[], list[str]]], clock: Clock
) -> None:
    """The next attempt and the reason are visible, however long the message is."""
    live, lines = shown
    live.run_started((), 1, "Daily", ["load"])
    live.task_started(("load",), 0)
    live.task_ended(("load",), "FAILED", 2, "Error: line one\nline two")
    live.retrying(("load",), 1, 60)
    clock.now += 17

    assert lines()[-1] == "load WAITING (1) 17 s attempt 1 in 43 s: Error: line one line two"
    live.task_started(("load",), 1)
    assert lines()[-1] == "load RUNNING (1) 0.0 s"


def test_the_title_counts_tasks_and_estimates_the_rest(
    shown: tuple[Live, Callable[[], list[str]]], clock: Clock
) -> None:
    """Tasks of child runs count, the task that starts them does not; after the usual time, nothing is promised."""
    live, lines = shown
    live.run_started((), 1, "Daily", ["child", "last"], 60.0)
    live.run_started(("child",), 2, "Child", ["a", "b"])
    live.task_ended(("child", "a"), "SUCCESS", 2, "")
    clock.now += 20

    assert lines()[0] == "Daily, run 1: 1 of 3 tasks, 20 s, about 40 s left"
    clock.now += 50
    assert lines()[0] == "Daily, run 1: 1 of 3 tasks, 1 min 10 s"


def test_many_iterations_are_rolled_up(shown: tuple[Live, Callable[[], list[str]]]) -> None:
    """One line shows the progress; those that are running or failed have a row with their input."""
    live, lines = shown
    live.run_started((), 1, "Daily", ["each"])
    names = [f"load[{index}]" for index in range(26)]
    live.iterations_started(("each",), names, [f"city={index}" for index in range(26)], 4)
    for index in range(20):
        live.task_started(("each", names[index]), 0)
    for index in range(18):
        live.task_ended(("each", names[index]), "FAILED" if index == 7 else "SUCCESS", 1, "why" if index == 7 else "")

    assert [line for line in lines() if "load[" in line] == [
        "load[7] city=7 FAILED 1.0 s why",
        "load[18] city=18 RUNNING 0.0 s",
        "load[19] city=19 RUNNING 0.0 s",
    ]
    assert "each PENDING 18 of 26, 2 running, 1 failed: city=7" in lines()


def test_iterations_stand_below_their_task(tmp_path: Path) -> None:
    """In the order of the inputs, however they ended; a run without an error says why it ended."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    row = {"job_run_id": run_id, "attempt_number": 0, "run_if": "ALL_SUCCESS", "depends_on": []}
    ended = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "start_time": 1, "end_time": 2}
    records.start_attempt(**row, **ended, task_key="loop", kind="for_each_task")
    records.start_attempt(**row, **ended, task_key="after", kind="condition_task")
    for index in (1, 0):
        iteration = {"for_each_task_key": "loop", "index": index, "input": "x"}
        records.start_attempt(**row, **ended, task_key="load", kind="notebook_task", iteration=iteration)
    records.update_run(run_id, **ended, state_message="Passed over: p.")
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    words = [line.split()[0] for line in out.getvalue().splitlines() if line.strip()]
    assert words[:5] == ["task", "loop", "load[0]", "load[1]", "after"]
    assert "Passed over: p." in out.getvalue()


def test_the_progress_of_spark_is_shown_with_its_cell(shown: tuple[Live, Callable[[], list[str]]]) -> None:
    """Until the cell says something itself, or the next one begins."""
    live, lines = shown
    live.run_started((), 1, "Daily", ["load"])
    live.task_started(("load",), 0)
    live.cell(("load",), "Orders", 3, 9)
    live.progress(("load",), 12, 40)

    assert lines()[-1] == "load RUNNING 0.0 s 3/9 Orders: 12 of 40 Spark tasks"
    live.cell(("load",), "Items", 4, 9)
    assert lines()[-1] == "load RUNNING 0.0 s 4/9 Items"
