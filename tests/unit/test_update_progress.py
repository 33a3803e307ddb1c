"""What the events of an update add up to, and what a terminal shows of them."""

import io

from pipeline_updates import flow, update_of_a_shop
from rich.console import Console

from lakelocal.jobs.live import Live
from lakelocal.jobs.views import Lines
from lakelocal.lakeflow.update_progress import (
    COMPLETED,
    FAILED,
    RUNNING,
    STARTING,
    Counts,
    Event,
    Progress,
    RuleCount,
    tone_of,
)
from tests.clocks import Clock


def test_the_flows_of_an_update_are_what_their_events_say():
    """A view is known as a dataset, and has no state of its own."""
    progress = Progress.after(update_of_a_shop())

    assert (progress.state, progress.error) == ("FAILED", "Flow `main.shop.strict` failed.")
    assert {each.short_name: each.state for each in progress.shown()} == {
        "orders": "COMPLETED",
        "strict": "FAILED",
        "below": "SKIPPED",
        "other": "EXCLUDED",
    }
    orders = progress.flows["main.shop.orders"]
    assert (orders.inputs, orders.kind, orders.dataset) == (("live",), "APPEND", "main.shop.orders")
    assert (orders.started, orders.ended, orders.seconds(99_000)) == (11_000, 13_000, 2.0)
    assert orders.said == "4 rows, 2 dropped, customer: 2 failed, positive: 1 failed"
    assert progress.datasets["live"].kind == "VIEW"
    assert [rule["action"] for rule in progress.datasets["main.shop.orders"].rules] == ["DROP", "WARN"]
    assert progress.said == "4 flows, 1 failed, 1 skipped"


def test_an_event_and_its_counts_survive_json():
    rules = (RuleCount("a", "t", 1, 2),)
    for counts in (Counts(5, 2, rules), Counts(upserted=3, deleted=1), Counts(7)):
        (event,) = flow("t", COMPLETED, counts=counts)
        again = Event.of(event.as_json())
        assert again == event
        assert Counts.of_progress(again.details["flow_progress"]) == counts


def test_what_an_auto_cdc_flow_changed():
    (event,) = flow("main.shop.current", COMPLETED, counts=Counts(upserted=1200, deleted=3))
    (found,) = Progress.after([event]).shown()

    assert found.said == "1,200 upserted, 3 deleted" and found.counts.changed == 1203


def test_of_many_flows_a_terminal_shows_those_that_tell_something():
    """What runs, what did not end well, and what lost rows; and how far the whole is."""
    progress = Progress()
    for number in range(10):
        for event in flow(f"t{number}", STARTING, COMPLETED, counts=Counts(1)):
            progress.take(event)
    for event in (
        *flow("lossy", STARTING, COMPLETED, counts=Counts(1, 1, (RuleCount("r", "lossy", 1, 1),))),
        *flow("busy", STARTING, RUNNING),
        *flow("broken", STARTING, FAILED, error="E"),
    ):
        progress.take(event)

    assert [each.name for each in progress.notable()] == ["lossy", "busy", "broken"]
    assert progress.said == "12 of 13 flows, 1 running, 1 failed"


def test_every_state_of_updates_and_flows_has_a_tone():
    """Those that tasks have too look the same as theirs."""
    tones = {state: tone_of(state) for state in ("COMPLETED", "FAILED", "RUNNING", "STARTING", "IDLE", "STOPPED")}

    assert tones == {
        "COMPLETED": "good", "FAILED": "bad", "RUNNING": "active", "STARTING": "active", "IDLE": "none",
        "STOPPED": "bad",
    }  # fmt: skip


def test_lines_tell_the_ends_of_flows_and_the_states_of_the_update():
    lines: list[str] = []
    view, progress = Lines(lines.append), Progress()
    for event in update_of_a_shop():
        progress.take(event)
        view.update_changed(("update",), progress, event)

    assert [line[10:] for line in lines] == [
        "update:   update INITIALIZING",
        "update:   update RUNNING",
        "update:   main.shop.other: EXCLUDED",
        "update:   main.shop.orders: COMPLETED: 4 rows, 2 dropped, customer: 2 failed, positive: 1 failed",
        "update:   main.shop.strict: FAILED: [EXPECTATION_VIOLATION] Violated expectations: 'known'.",
        "update:   main.shop.below: SKIPPED",
        "update:   update FAILED: 4 flows, 1 failed, 1 skipped",
    ]


def test_the_live_table_has_a_row_for_each_flow():
    """With the rows as they come; the row of the task says how far the update is."""
    clock = Clock()
    view = Live(Console(file=io.StringIO(), width=120), clock=clock)
    try:
        view.run_started((), 1, "Orders", ["update"])
        view.task_started(("update",), 0)
        progress = Progress()

        def shown_after(events: list[Event]) -> str:
            for event in events:
                progress.take(event)
                view.update_changed(("update",), progress, event)
            clock.now += 5
            console = Console(file=io.StringIO(), width=120)
            console.print(view.table())
            return console.file.getvalue()  # type: ignore[attr-defined]

        events = update_of_a_shop()
        assert "INITIALIZING" in shown_after(events[:1])
        running = next(at for at, each in enumerate(events) if each.level == "ERROR")
        found = shown_after(events[1:running])
        assert "2 of 3 flows, 1 running" in found
        lines = {line.split()[0]: line for line in found.splitlines() if line.strip()}
        assert lines["orders"].split()[1:4] == ["COMPLETED", "2.0", "s"] and "2 dropped" in lines["orders"]
        assert lines["strict"].split()[1:4] == ["RUNNING", "5.0", "s"]
        assert "SKIPPED" in shown_after(events[running:])
    finally:
        view.close()
