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

from lakelocal.commits import signature
from lakelocal.context import TaskContext
from lakelocal.history.api import run_shape
from lakelocal.history.records import Records, now_ms
from lakelocal.jobs.changes import changes_of
from lakelocal.jobs.live import Live
from lakelocal.jobs.summary import print_summary
from lakelocal.jobs.tables import Commits, TableChange, table_changes
from lakelocal.program import PROGRAM
from lakelocal.project import State
from tests.clocks import Clock


def add(path: str, rows: int | None, hidden: int = 0) -> dict[str, Any]:
    stats = None if rows is None else json.dumps({"numRecords": rows})
    vector = {"deletionVector": {"cardinality": hidden}} if hidden else {}
    return {"add": {"path": path, "stats": stats, **vector}}


def remove(path: str) -> dict[str, Any]:
    return {"remove": {"path": path}}


def commit(
    log: Path, version: int, at_ms: int, metrics: dict[str, int], *actions: dict[str, Any], text: str | None = None
) -> None:
    log.mkdir(parents=True, exist_ok=True)
    made = {"timestamp": at_ms, "operationMetrics": {k: str(v) for k, v in metrics.items()}}
    info = {"commitInfo": made if text is None else {**made, "userMetadata": text}}
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

    (change,) = table_changes(tmp_path, Commits(150, 300))

    assert change == TableChange("silver.orders", 4, commits=3, inserted=13, updated=4, deleted=2, rows=62)


def signed(run: int) -> str:
    """The text of a commit that a task of *run* made."""
    ids = {"job_id": 1, "job_name": "j", "job_run_id": run, "task_run_id": 1_000_000_000 + run, "task_key": "load"}
    files = {"notebook": "", "exit_file": "", "values_folder": ""}
    return signature(TaskContext(**ids, attempt_number=0, **files))  # type: ignore[arg-type]


def test_commits_count_for_the_run_that_they_name(tmp_path: Path) -> None:
    """Neither those of a run at the same time, nor of an interactive session; a text of the user's own tells no run."""
    log = tmp_path / "silver.db" / "orders" / "_delta_log"
    texts = [signed(7), signed(8), None, '{"ticket": 12}', "reload", '"lakelocal"', signed(7)]
    for version, text in enumerate(texts):
        commit(log, version, 200 + version, {"numOutputRows": 10**version}, add(f"f{version}", 1), text=text)

    def inserted(runs: frozenset[int] | None, until_ms: int = 300) -> int:
        (change,) = table_changes(tmp_path, Commits(200, until_ms, runs))
        return change.inserted

    assert inserted(frozenset({7}), until_ms=202) == 1
    assert inserted(frozenset({7})) == 1_111_001  # its own, and those with the user's texts
    assert inserted(frozenset({7, 8})) == 1_111_011
    assert inserted(None) == 1_111_111  # recorded before commits named their run


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

    (change,) = table_changes(tmp_path, Commits(50, 300))

    assert change == TableChange("bronze.t", 2, commits=1, rows=25)


def test_the_rows_of_an_unchanged_table_are_not_counted(tmp_path: Path) -> None:
    """The summary only names it, and counting its rows would read its whole log."""
    commit(tmp_path / "x.db" / "t" / "_delta_log", 0, 100, {}, add("a", 5))

    assert table_changes(tmp_path, Commits(150, 300)) == [TableChange("x.t", 0, commits=0)]


def test_rows_are_unknown_without_statistics(tmp_path: Path) -> None:
    """Better no number than a wrong one."""
    commit(tmp_path / "x.db" / "t" / "_delta_log", 0, 100, {}, add("a", None), add("b", 2))

    assert table_changes(tmp_path, Commits(0, 300))[0].rows is None


def test_folders_without_a_log_are_no_tables(tmp_path: Path) -> None:
    """A half-made table, and a warehouse that does not exist yet."""
    (tmp_path / "x.db" / "t" / "_delta_log").mkdir(parents=True)

    assert table_changes(tmp_path, Commits(0, 300)) == []
    assert table_changes(tmp_path / "none", Commits(0, 300)) == []


def test_the_summary_shows_tasks_tables_and_errors(tmp_path: Path) -> None:
    """A reader sees what ran, what was written, why it failed, and how to go on."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    start = now_ms()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    attempt = records.start_attempt(
        job_run_id=run_id,
        task_key="silver",
        attempt_number=0,
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
    assert "silver FAILED 2.0 s 1/silver.ipynb" in lines
    assert "silver.orders 1,204 - - 1,204 0" in lines
    assert lines[-6:] == [
        "run 1: FAILED after 2.0 s",
        "see /runs/1/silver.ipynb",
        f"tables {PROGRAM} runs tables 1 --target dev (1 changed, 1 unchanged)",
        f"look {PROGRAM} runs open 1 --target dev",
        f"repair {PROGRAM} runs repair 1 --target dev",
        "why silver: E: why",
    ]


def test_a_task_is_one_row_and_its_last_attempt_is_explained(tmp_path: Path) -> None:
    """What a retry has made good is counted; below the table is what remains to be done."""
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
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert [line for line in lines if line.startswith(("a ", "b "))] == [
        "a SUCCESS 0.0 s 2 attempts",
        "b FAILED 0.0 s 2 attempts",
    ]


def test_a_run_without_tasks_has_no_table(tmp_path: Path) -> None:
    """A skipped run says why, without an empty heading."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    ended = {"life_cycle_state": "SKIPPED", "result_state": "MAXIMUM_CONCURRENT_RUNS_REACHED"}
    records.update_run(run_id, **ended, start_time=1, end_time=1, state_message="Skipped: why.")
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    assert [line.split()[0] for line in out.getvalue().splitlines() if line.strip()] == ["run", "look", "why"]


def test_the_live_table_shows_what_each_task_is_doing() -> None:
    """Child runs are nested below the task that started them."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    live = Live(console)
    live.run_started((), 1, "[dev root] Daily", ["start", "after"])
    live.task_started(("start",), 0)
    live.run_started(("start",), 2, "Child", ["bronze"])
    live.task_started(("start", "bronze"), 1)
    live.cell(("start", "bronze"), "Orders", 3, 9)
    live.printed(("start", "bronze"), "wrote 5 rows")
    with console.capture() as captured:
        console.print(live.table())
    live.close()

    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert "[dev root] Daily, run 1: 0 of 2 tasks, 0.0 s" in lines
    assert any(line.startswith("start RUNNING 0.0 s") for line in lines)
    assert any(line.startswith("bronze RUNNING (2) 0.0 s 3/9 Orders: wrote 5 rows") for line in lines)
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

    assert lines()[-1] == "load WAITING (2) 17 s attempt 2 in 43 s: Error: line one line two"
    live.task_started(("load",), 1)
    assert lines()[-1] == "load RUNNING (2) 0.0 s"


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


def test_what_is_done_before_the_first_task_is_shown(shown: tuple[Live, Callable[[], list[str]]], clock: Clock) -> None:
    """Checks and set-up are no tasks, and may take as long as Spark does to start."""
    live, lines = shown
    live.preparing("checking the parameters: check.ipynb")
    clock.now += 5

    assert lines()[0] == "checking the parameters: check.ipynb ... 5.0 s"
    live.run_started((), 1, "Daily", ["load"])
    assert lines()[0] == "Daily, run 1: 0 of 1 tasks, 0.0 s"


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


def many_tables(state: State, run_id: int) -> None:
    """Three schemas with ten changed tables each, two of which have refused rows."""
    names = [f"{schema}.t{number}" for schema in ("bronze", "silver") for number in range(10)]
    names += [f"ops.quarantine_t{number}" for number in range(2)] + [f"ops.t{number}" for number in range(8)]
    for number, name in enumerate(names, 1):
        schema, table = name.split(".")
        log = state.warehouse / f"{schema}.db" / table / "_delta_log"
        commit(log, 0, now_ms(), {"numOutputRows": number}, add("a", number), text=signed(run_id))


def ended_run(records: Records, tasks: list[str]) -> int:
    """A successful run of the job `j` with *tasks*, from a minute ago until in a minute."""
    job = {"job_id": 1, "job_key": "j", "run_name": "Job", "target": "dev", "trigger": "ONE_TIME"}
    run_id = start_run(records, **job, signs_commits=1)
    times = {"start_time": now_ms() - 60_000, "end_time": now_ms() + 60_000}
    ended = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", **times}
    row = {"job_run_id": run_id, "attempt_number": 0, "run_if": "ALL_SUCCESS", "depends_on": []}
    for key in tasks:
        records.start_attempt(
            **row, **ended, task_key=key, kind="notebook_task", output_notebook=f"/runs/1/{key}.ipynb"
        )
    records.update_run(run_id, **ended)
    return run_id


def test_the_summary_fits_a_small_terminal(tmp_path: Path) -> None:
    """Tables that do not fit are added up by schema; refused rows stand out, with the command that shows them."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = ended_run(records, [f"task_{number}" for number in range(9)])
    many_tables(state, run_id)
    out = io.StringIO()
    terminal = Console(file=out, width=80, height=24, force_terminal=True, no_color=True, highlight=False)

    print_summary(run_shape(records, run_id), records, state, terminal)

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert len(lines) <= 24
    assert "bronze 55 - - 10" in lines
    assert "ops 212 - - 8" in lines
    assert "ops, rows refused 43 - - 2" in lines
    command = f'{PROGRAM} sql "SELECT * FROM ops.quarantine_t1" --target dev'
    assert f"refused 43 rows in 2 tables: {command}" in lines
    assert f"tables {PROGRAM} runs tables 1 --target dev (30 changed, 0 unchanged)" in lines


def test_all_tables_are_listed_where_they_fit(tmp_path: Path) -> None:
    """A log is as long as it has to be."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = ended_run(records, ["one"])
    many_tables(state, run_id)
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    assert "silver.t9 20 - - 20 0" in [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_many_iterations_are_counted_and_the_failed_ones_shown(tmp_path: Path) -> None:
    """As in the live table; each iteration has its input."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = ended_run(records, ["each"])
    row = {"job_run_id": run_id, "attempt_number": 0, "run_if": "ALL_SUCCESS", "depends_on": []}
    for index in range(26):
        iteration = {"for_each_task_key": "each", "index": index, "input": {"city": f"c{index}"}}
        result = {"result_state": "FAILED" if index == 7 else "SUCCESS", "start_time": 1, "end_time": 2}
        state_ = {"life_cycle_state": "TERMINATED", "kind": "notebook_task", "iteration": iteration}
        records.start_attempt(**row, **result, **state_, task_key="load")
    out = io.StringIO()

    print_summary(run_shape(records, run_id), records, state, Console(file=out, width=120))

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[2].endswith("1/each.ipynb, 26 iterations, 1 failed")
    assert [line for line in lines if "load[" in line] == ["load[7] city=c7 FAILED 0.0 s"]


def test_the_end_names_the_notebook_of_the_iteration_that_failed(tmp_path: Path) -> None:
    """The for-each task itself has none. Long reasons are broken between words only."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    ended = {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "start_time": 1, "end_time": 2}
    row = {"job_run_id": run_id, "attempt_number": 0, "run_if": "ALL_SUCCESS", "depends_on": [], **ended}
    iteration = {"for_each_task_key": "each", "index": 1, "input": "Recife"}
    error = f"found no file `/{'x' * 90}`; deliver it"
    records.start_attempt(
        **row, task_key="each", kind="for_each_task", error="1 of 2 iterations failed: iteration 1 (Recife)."
    )
    notebook = {"kind": "notebook_task", "output_notebook": "/runs/1/each.1.ipynb"}
    records.start_attempt(**row, **notebook, task_key="load", iteration=iteration, error=error)
    records.update_run(run_id, **ended)
    out = io.StringIO()
    terminal = Console(file=out, width=80, height=24, force_terminal=True, no_color=True, highlight=False)

    print_summary(run_shape(records, run_id), records, state, terminal)

    lines = out.getvalue().splitlines()
    assert "  see     /runs/1/each.1.ipynb" in lines
    words = f"each > load[1] Recife: {error}".split()
    assert " ".join(lines[-3:]).split() == ["why", *words]


def test_changes_are_those_of_the_run_and_the_runs_below_it(tmp_path: Path) -> None:
    """Two runs at the same time are told apart; one that an older version recorded has all changes of its time."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    one, other = ended_run(records, []), ended_run(records, [])
    job = {"job_id": 2, "job_key": "child", "run_name": "Child", "target": "dev", "trigger": "RUN_JOB_TASK"}
    child = start_run(records, **job, parent_run_id=one)
    for run_id in (one, other, child):
        log = state.warehouse / "shop.db" / f"by_{run_id}" / "_delta_log"
        commit(log, 0, now_ms(), {"numOutputRows": 1}, add("a", 1), text=signed(run_id))

    def changed(run_id: int) -> set[str]:
        return {change.name for change in changes_of(run_id, records, state) if change.commits}

    assert changed(one) == {f"shop.by_{one}", f"shop.by_{child}"}
    assert changed(other) == {f"shop.by_{other}"}
    records.update_run(other, signs_commits=0)
    assert changed(other) == {f"shop.by_{run_id}" for run_id in (one, other, child)}
