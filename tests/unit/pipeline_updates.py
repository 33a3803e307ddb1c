"""Events of an update of a pipeline, and updates in a history, without anything that actually runs."""

from typing import Any

from lakelocal.history.records import Records, now_ms
from lakelocal.history.updates import UpdateRecords
from lakelocal.lakeflow.update_progress import (
    COMPLETED,
    EXCLUDED,
    FAILED,
    QUEUED,
    RUNNING,
    SKIPPED,
    STARTING,
    Counts,
    Event,
    RuleCount,
    definition_event,
    flow_event,
    update_event,
)
from tests.unit.recorded_runs import attempt, end, start

PIPELINE = "11111111-2222-4333-8444-555555555555"
RULES = (RuleCount("customer", "main.shop.orders", 4, 2), RuleCount("positive", "main.shop.orders", 3, 1))


def defined(name: str, kind: str, *inputs: str, flow_type: str = "", rules: Any = ()) -> list[Event]:
    """The definitions of a dataset and of the flow into it, which have one name."""
    flow = {
        "input_datasets": [{"name": each} for each in inputs],
        "output_dataset": name,
        "flow_type": flow_type or kind,
        "once": False,
        "spark_conf": {},
    }
    dataset = {"dataset_type": kind, "num_flows": 1, "expectations": list(rules)}
    return [
        definition_event("dataset_definition", dataset, dataset_name=name),
        definition_event("flow_definition", flow, flow_name=name),
    ]


def flow(name: str, *states: str, at: int = 0, **last: Any) -> list[Event]:
    """The progress of the flow *name* through *states*, a second each from *at* on; *last* is told of the last one."""
    events = [flow_event(name, name, state, **(last if state == states[-1] else {})) for state in states]
    return [event_at(event, at + 1000 * number) for number, event in enumerate(events)]


def event_at(event: Event, at: int) -> Event:
    """*event* at the time *at*, in epoch milliseconds."""
    return Event.of({**event.as_json(), "time": at})


def update_of_a_shop(update_id: str = "abcdef00-0000-4000-8000-000000000000", at: int = 0) -> list[Event]:
    """`orders` lose two of six rows, `strict` fails, `below` is skipped, `other` is not chosen; `live` is a view.

    It begins at the time *at*, and takes 25 seconds.
    """
    orders, strict, below, other = (f"main.shop.{name}" for name in ("orders", "strict", "below", "other"))
    rules = [
        {"name": "customer", "constraint": "customer IS NOT NULL", "action": "DROP"},
        {"name": "positive", "constraint": "amount > 0", "action": "WARN"},
    ]
    done = (QUEUED, STARTING, RUNNING)
    events = [
        update_event(update_id, "INITIALIZING"),
        *defined("live", "VIEW", "main.raw.events", flow_type="VIEW"),
        *defined(orders, "STREAMING_TABLE", "live", flow_type="APPEND", rules=rules),
        *defined(strict, "MATERIALIZED_VIEW", orders),
        *defined(below, "MATERIALIZED_VIEW", strict),
        *defined(other, "MATERIALIZED_VIEW", orders),
        update_event(update_id, "RUNNING"),
        *flow(other, EXCLUDED),
        *flow(orders, *done, COMPLETED, at=10_000, counts=Counts(4, 2, RULES)),
        *flow(strict, *done, FAILED, at=20_000, error="[EXPECTATION_VIOLATION] Violated expectations: 'known'."),
        *flow(below, SKIPPED, at=24_000, why="A flow that it reads from has failed."),
        event_at(update_event(update_id, "FAILED", "Flow `main.shop.strict` failed."), 25_000),
    ]
    return [event_at(event, at + (event.time if event.time < 10**9 else 0)) for event in events]


def recorded_update(records: Records, pipeline_id: str = PIPELINE, **values: Any) -> tuple[int, int, str]:
    """A failed run of a pipeline task with `update_of_a_shop`: the ids of the run, the attempt and the update."""
    run_id = start(records, job_key="orders", run_name="Orders", **values)
    error = "Flow `main.shop.strict` failed."
    attempt_id = attempt(records, run_id, "update", "FAILED", kind="pipeline_task", error=error)
    updates = UpdateRecords(records)
    update_id = updates.create(
        pipeline_id=pipeline_id,
        pipeline_name="orders of the shop",
        job_run_id=run_id,
        attempt_id=attempt_id,
        cause="USER_ACTION",
        selection={"full_refresh": False, "refresh_selection": [], "full_refresh_selection": []},
        parameters={},
    )
    updates.add(update_id, update_of_a_shop(update_id, now_ms()))
    end(records, run_id, "FAILED")
    return run_id, attempt_id, update_id
