"""The update of a pipeline on the page of its run: datasets, flows, rows, expectations, events."""

import re
from pathlib import Path

import pytest
from pipeline_updates import recorded_update, update_of_a_shop
from recorded_runs import EVIL, attempt, start

from lakelocal.history.reading import History
from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.history.updates import UpdateRecords
from lakelocal.lakeflow.update_progress import Event, update_event
from lakelocal.pages import run_file
from lakelocal.pages.update import SOURCE, update_part


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "runs.db")


def test_the_graph_has_the_datasets_with_the_states_and_rows_of_their_flows(records: Records):
    """A table that lost rows is marked; a view and a source have no state; each line is a direct reading."""
    run_id, attempt_id, _ = recorded_update(records)
    part = update_part(read_run(History(records.place), run_id).works[0].last)
    assert part is not None

    nodes = {node.name: (node.state, node.more, node.tone) for node in part.graph.nodes}
    assert nodes == {
        "raw.events": (SOURCE, "", "none"),
        "live": ("temporary view", "", "none"),
        "orders": ("COMPLETED, streaming table", "4 rows, 2 dropped", "mixed"),
        "strict": ("FAILED, materialized view", "", "bad"),
        "below": ("SKIPPED, materialized view", "", "none"),
        "other": ("EXCLUDED, materialized view", "", "none"),
    }
    lefts = {node.name: node.box.left for node in part.graph.nodes}
    assert lefts["raw.events"] < lefts["live"] < lefts["orders"] < lefts["strict"] < lefts["below"]
    assert len(part.graph.lines) == 5
    assert {node.name: node.href for node in part.graph.nodes}["orders"] == f"#flow-{attempt_id}-0"


def test_the_page_has_a_row_for_each_flow(records: Records):
    """With its rows, what its expectations dropped and failed, and why it failed."""
    run_id, attempt_id, update_id = recorded_update(records)
    page = run_file(read_run(History(records.place), run_id))

    row = re.search(rf'<tr id="flow-{attempt_id}-0">.*?</tr>', page, re.S)
    assert row is not None
    cells = [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[dh].*?</t[dh]>", row[0], re.S)]
    assert cells == [
        "orders", "streaming table", "COMPLETED", "2.0 s", "4", "2",
        "customer: 4 passed, 2 failed positive: 3 passed, 1 failed",
    ]  # fmt: skip
    assert "Violated expectations: &#39;known&#39;" in page
    assert update_id in page and "refresh of all tables" in page
    assert f"Events of the update ({len(update_of_a_shop()) + 1})" in page


def test_the_attempt_of_an_update_is_open_where_it_is_all_that_runs(records: Records):
    """Whoever opens the page of an update sees its graph."""
    run_id = start(records)
    attempt_id = attempt(records, run_id, "update", kind="pipeline_task")
    updates = UpdateRecords(records)
    given = {"pipeline_id": "p", "pipeline_name": EVIL, "cause": "API_CALL", "parameters": {}}
    selection = {"full_refresh": False, "refresh_selection": [EVIL], "full_refresh_selection": ["a", "b"]}
    update_id = updates.create(**given, job_run_id=run_id, attempt_id=attempt_id, selection=selection)
    updates.add(update_id, [update_event(update_id, "RUNNING"), Event("user_action", EVIL, {}, error=EVIL)])
    page = run_file(read_run(History(records.place), run_id))

    assert re.search(rf'data-key="attempt-{attempt_id}" open>', page)
    assert "full refresh of a, b" in page
    assert "<script>alert" not in page


def test_an_update_that_has_told_nothing_has_no_graph(records: Records):
    run_id = start(records)
    attempt(records, run_id, "update", None, kind="pipeline_task")

    (work,) = read_run(History(records.place), run_id).works
    assert update_part(work.last) is None
    assert "events of the update" not in run_file(read_run(History(records.place), run_id))
