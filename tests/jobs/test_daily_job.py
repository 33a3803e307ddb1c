"""The product, whole: the daily job on real orders by the command line, day after day.

The tests go on where the one before ended, so they run in this order; the runbooks go on behind them, in
tests/notebooks/test_runbooks.py, on the same tables. More days, and kills: test_many_days.py.
"""

from decimal import Decimal

import pandas as pd
import pytest

from tests.jobs.daily import SAMPLE, SAMPLE_DAYS, check_days, check_feeds

FIRST, SECOND, _ = SAMPLE_DAYS
pytestmark = [
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout"),
    pytest.mark.timeout(1500),
    pytest.mark.xdist_group("product"),
]


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Each real order."""
    return pd.read_csv(SAMPLE / "olist_orders_dataset.csv", dtype=str)


def test_the_first_day_has_the_totals_of_the_files(here, orders):
    """The two pipelines run beside each other."""
    run = here.daily(FIRST)

    assert run["state"]["result_state"] == "SUCCESS"
    times = {task["task_key"]: (task["start_time"], task["end_time"]) for task in run["tasks"]}
    main, feed = times["run_main_pipeline"], times["run_cdc_pipeline"]
    assert max(main[0], feed[0]) < min(main[1], feed[1])
    payments = pd.read_csv(SAMPLE / "olist_order_payments_dataset.csv", dtype=str)
    valid = set(orders.order_id[~orders.order_status.isin(["canceled", "unavailable"])])
    paid = sum(map(Decimal, payments.payment_value[payments.order_id.isin(valid)]))
    totals = here.rows("SELECT sum(order_count) AS orders, sum(payment_value) AS paid FROM gold.gold_daily_orders")
    assert totals == [{"orders": len(orders), "paid": paid}]
    tables = {place.split(".db/")[1] for place in here.versions()}
    assert len([name for name in tables if name.startswith("bronze_")]) == 8 + 3
    assert len([name for name in tables if name.startswith("silver_")]) == 9 + 6
    assert len(here.rows("SHOW VIEWS IN gold")) == 5
    check_feeds(here, FIRST)


def test_the_same_again_writes_nothing(here):
    """But what tells of the run itself."""
    before = {name: version for name, version in here.versions().items() if not name.startswith("ops")}

    assert here.daily(FIRST)["state"]["result_state"] == "SUCCESS"

    assert {name: version for name, version in here.versions().items() if not name.startswith("ops")} == before


def test_a_further_day_is_added(here, orders):
    """The orders of its files, and no others; the feeds equal their truth."""
    assert here.daily(SECOND)["state"]["result_state"] == "SUCCESS"

    check_feeds(here, SECOND)
    check_days(here, len(orders), SECOND)
