"""The whole product: the daily job on the command line, day after day, and what it asks of Spark.

Each day continues where the previous one ended, so the tests run in this order; the runbooks follow, in
tests/notebooks/test_runbooks.py, on the same tables. For more days, and kills, see test_many_days.py.
"""

import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.bench.counting import Counts, EventLog
from tests.jobs.daily import SAMPLE, SAMPLE_DAYS, SOURCE, Here, check_days, check_feeds

FIRST, SECOND, _ = SAMPLE_DAYS
LIMITS = {"first": Counts(200, 350), "again": Counts(40, 50), "second": Counts(170, 300)}
REAL = pytest.mark.skipif(not SOURCE, reason="the sample of real orders is not beside this checkout")
pytestmark = [pytest.mark.timeout(1500)]


@dataclass(frozen=True)
class Day:
    """A run of the daily job, what it asked of Spark, and the versions of the tables after it."""

    run: dict
    log: EventLog
    versions: dict[str, int]


def daily(here: Here, events: Path, day: str) -> Day:
    began = int(time.time() * 1000)
    run = here.daily(day)
    assert run["state"]["result_state"] == "SUCCESS"
    versions = {name: version for name, version in here.versions().items() if not name.startswith("ops")}
    return Day(run, EventLog.read(events, since=began), versions)


@pytest.fixture(scope="module")
def first(here: Here, events: Path) -> Day:
    """The first day, in an empty state without a server."""
    return daily(here, events, FIRST)


@pytest.fixture(scope="module")
def again(here: Here, events: Path, first: Day) -> Day:
    """The same day again, with nothing new."""
    return daily(here, events, FIRST)


@pytest.fixture(scope="module")
def second(here: Here, events: Path, again: Day) -> Day:
    """One more day."""
    return daily(here, events, SECOND)


def test_the_two_pipelines_run_beside_each_other_and_make_all_tables(here, first):
    """Views included; the feeds equal their truth."""
    times = {task["task_key"]: (task["start_time"], task["end_time"]) for task in first.run["tasks"]}
    main, feed = times["run_main_pipeline"], times["run_cdc_pipeline"]

    assert max(main[0], feed[0]) < min(main[1], feed[1])
    tables = {place.split(".db/")[1] for place in first.versions}
    assert len([name for name in tables if name.startswith("bronze_")]) == 8 + 3
    assert len([name for name in tables if name.startswith("silver_")]) == 9 + 6
    assert len(here.rows("SHOW VIEWS IN gold")) == 5
    check_feeds(here, FIRST)


@REAL
def test_the_first_day_has_the_totals_of_the_files(here, first):
    """Each real order, and what was paid for those that were not cancelled."""
    orders = pd.read_csv(SAMPLE / "olist_orders_dataset.csv", dtype=str)
    payments = pd.read_csv(SAMPLE / "olist_order_payments_dataset.csv", dtype=str)
    valid = set(orders.order_id[~orders.order_status.isin(["canceled", "unavailable"])])
    paid = sum(map(Decimal, payments.payment_value[payments.order_id.isin(valid)]))

    totals = here.rows("SELECT sum(order_count) AS orders, sum(payment_value) AS paid FROM gold.gold_daily_orders")

    assert totals == [{"orders": len(orders), "paid": paid}]


def test_the_same_again_writes_nothing(first, again):
    """Except for what describes the run itself."""
    assert again.versions == first.versions


@REAL
def test_a_further_day_is_added(here, second):
    """It adds the orders of its files, and no others; the feeds equal their truth."""
    check_feeds(here, SECOND)
    check_days(here, SECOND)


@pytest.mark.parametrize("name", LIMITS)
def test_a_run_asks_no_more_of_spark_than_its_limit(name: str, request: pytest.FixtureRequest):
    """Spark Connect executions and Spark jobs, of all notebooks together: they do not depend on the machine.

    The message says which statements start most jobs; `make bench PARTS=daily` measures the times.
    """
    log, limit = request.getfixturevalue(name).log, LIMITS[name]

    most = list(log.by_statement().items())[:15]
    listed = "\n".join(f"{counts.executions:5} {counts.jobs:5}  {statement}" for statement, counts in most)
    found = log.counts
    within = found.executions <= limit.executions and found.jobs <= limit.jobs
    assert within, f"{name}: found {found}; expected at most {limit}. Executions, jobs, statement:\n{listed}"
    assert found.executions > 0
