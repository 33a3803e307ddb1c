"""Updates of pipelines in the history: what is recorded, read and shown of them."""

import io
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pipeline_updates import PIPELINE, flow, recorded_update
from recorded_runs import attempt, end, start
from rich.console import Console

from lakelocal.dialect.event_log import events_of
from lakelocal.export.pruning import delete_run
from lakelocal.history.api import run_shape
from lakelocal.history.reading import History
from lakelocal.history.records import Records
from lakelocal.history.updates import UpdateRecords, Updates, event_shape
from lakelocal.jobs.summary import print_summary
from lakelocal.lakeflow.update_progress import update_event
from lakelocal.project import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path).make()


@pytest.fixture
def records(state: State) -> Records:
    return Records.of(state)


def test_an_update_is_read_as_it_was_told(records: Records):
    run_id, attempt_id, update_id = recorded_update(records)
    updates = Updates(History(records.place))

    update = updates.find(update_id)
    assert update is not None and updates.of_run(run_id) == {attempt_id: update}
    assert (update.pipeline_id, update.cause, update.state) == (PIPELINE, "USER_ACTION", "FAILED")
    assert update.end_time is not None and updates.active(PIPELINE) is None
    assert updates.progress(update_id).said == "4 flows, 1 failed, 1 skipped"
    assert updates.pipelines() == [PIPELINE] and updates.find("no such") is None


def test_no_two_events_of_a_pipeline_have_the_same_time(records: Records):
    """Clients ask for what came after the last event that they have seen."""
    recorded_update(records)
    recorded_update(records)
    times = [event.time for event in Updates(records).events(PIPELINE)]

    assert times == sorted(set(times))


def test_an_update_may_wait_for_its_attempt(records: Records):
    """The first attempt of its run takes it; another attempt does another update."""
    run_id = start(records)
    updates = UpdateRecords(records)
    given = {"pipeline_id": PIPELINE, "pipeline_name": "n", "selection": {}, "parameters": {}}
    update_id = updates.create(**given, job_run_id=run_id, cause="API_CALL")

    assert updates.active(PIPELINE) is not None and updates.of_run(run_id) == {}
    assert updates.begin(run_id, PIPELINE, 5) == update_id
    assert updates.begin(run_id, PIPELINE, 6) is None
    assert list(updates.of_run(run_id)) == [5]


@pytest.mark.parametrize(
    ("result", "ended"), [("CANCELED", "CANCELED"), ("TIMEDOUT", "CANCELED"), ("FAILED", "FAILED")]
)
def test_an_update_ends_with_its_run(records: Records, result: str, ended: str):
    """Also if nobody was left to tell so."""
    run_id = start(records)
    updates = UpdateRecords(records)
    given = {"pipeline_id": PIPELINE, "pipeline_name": "n", "selection": {}, "parameters": {}}
    update_id = updates.create(**given, job_run_id=run_id, cause="API_CALL")
    updates.add(update_id, [update_event(update_id, "RUNNING"), *flow("t", "STARTING")])
    end(records, run_id, result, at=1_060_000)

    update = updates.find(update_id)
    assert update is not None and (update.state, update.end_time) == (ended, 1_060_000)


def test_runs_get_has_the_flows_of_an_update(records: Records):
    run_id, _, update_id = recorded_update(records)
    (task,) = run_shape(records, run_id)["tasks"]

    update = task["pipeline_update"]
    assert (update["update_id"], update["state"], update["full_refresh"]) == (update_id, "FAILED", False)
    orders, strict, *_ = update["flows"]
    assert orders["metrics"] == {"num_output_rows": 4} and orders["data_quality"]["dropped_records"] == 2
    assert (strict["status"], "metrics" in strict) == ("FAILED", False)
    assert "Violated expectations: 'known'" in strict["error"]


def test_the_summary_has_the_flows_of_an_update(records: Records, state: State):
    run_id, *_ = recorded_update(records)
    console = Console(file=io.StringIO(), width=120)
    print_summary(run_shape(records, run_id), records, state, console)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]

    assert "update FAILED 2.0 s 4 flows, 1 failed, 1 skipped" in lines
    assert "orders COMPLETED 2.0 s 4 rows, 2 dropped, customer: 2 failed, positive: 1 failed" in lines
    assert "below SKIPPED" in lines
    assert "why update: Flow `main.shop.strict` failed." in lines


def test_an_event_has_the_columns_of_the_event_log(records: Records):
    recorded_update(records)
    events = Updates(records).events(PIPELINE, where=("event_type = ?", ["flow_progress"]), ascending=False, limit=1)
    shape = event_shape(events[0], "orders of the shop")

    assert (
        shape["origin"]["flow_name"] == "main.shop.below" and shape["origin"]["pipeline_name"] == "orders of the shop"
    )
    assert (shape["level"], shape["event_type"]) == ("WARN", "flow_progress")
    assert shape["details"] == {"flow_progress": {"status": "SKIPPED"}}
    assert datetime.fromisoformat(shape["timestamp"]) == datetime.fromtimestamp(events[0].time / 1000, UTC)


def test_spark_reads_a_copy_of_the_events_which_stays_as_long_as_a_query_may_need_it(records: Records, state: State):
    recorded_update(records)
    first = events_of(state, PIPELINE, "here")
    assert events_of(state, PIPELINE, "here") == first
    recorded_update(records)
    second = events_of(state, PIPELINE, "here")

    files = sorted((state.pipelines / PIPELINE / "event_log").glob("*.jsonl"))
    assert first != second and len(files) == 2
    assert all(any(str(file) in query for query in (first, second)) for file in files)
    lines = [len(file.read_text().splitlines()) for file in files]
    assert sorted(lines) == [len(Updates(records).events(PIPELINE)) // 2, len(Updates(records).events(PIPELINE))]


def test_a_deleted_run_takes_its_update_along(records: Records, state: State):
    run_id, *_ = recorded_update(records)
    kept, *_ = recorded_update(records)
    assert delete_run(state, run_id)

    updates = Updates(records)
    assert [each.job_run_id for each in updates.of_pipeline(PIPELINE)] == [kept]
    assert {each.job_run_id for each in updates.events(PIPELINE)} == {kept}
    UpdateRecords(records).add("gone", [update_event("gone", "RUNNING")])  # its runner may still tell something


def test_a_history_of_an_older_version_has_no_updates(tmp_path: Path):
    """It is read as it is."""
    place = tmp_path / "runs.db"
    records = Records(place)
    run_id = start(records)
    attempt(records, run_id, "update", kind="pipeline_task")
    with sqlite3.connect(place) as database:
        database.execute("DROP TABLE updates")
        database.execute("DROP TABLE events")

    assert Updates(History(place)).of_pipeline(PIPELINE) == []
    assert "pipeline_update" not in run_shape(History(place), run_id)["tasks"][0]
