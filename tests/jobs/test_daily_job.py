"""The product, whole: the daily job on real orders by the command line, day after day.

The tests go on where the one before ended, so they run in this order. `CDC_KILLS` sets how often the server is killed
(1); a failure prints the moments.
"""

import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import psutil
import pytest

from tests.jobs.daily import DAILY, SAMPLE, Here, check_feeds

FIRST, SECOND, THIRD = "2018-10-18", "2018-10-19", "2018-10-20"
KILLS = int(os.environ.get("CDC_KILLS", "1"))
pytestmark = [
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout"),
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Here]:
    command = Here(tmp_path_factory.mktemp("daily"))
    yield command
    command("down")


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Purchase day and status of each real order."""
    frame = pd.read_csv(SAMPLE / "olist_orders_dataset.csv", dtype=str)
    return frame.assign(day=frame.order_purchase_timestamp.str[:10])


def kernel_of(runner: psutil.Process, task: str) -> psutil.Process | None:
    """The kernel of *task*, None before it is there: the child of the attempt, which has the task's log open too."""
    there = [p for p in runner.children(recursive=True) if any(f.path.endswith(f"/{task}.log") for f in p.open_files())]
    return next((p for p in there if p.ppid() in {other.pid for other in there}), None)


def test_a_killed_kernel_fails_the_run(here):
    """`kill -9` in silver: the run ends at once, and the executed cells are kept."""
    printed, killed = "", 0.0
    with here.started("run", "olist_daily_job", *DAILY, "--param", f"run_date={FIRST}", text=True) as runner:
        for said in runner.stdout:
            printed += said
            if "silver: The eight tables" in said and not killed:
                kernel_of(psutil.Process(runner.pid), "silver").kill()
                killed = time.monotonic()
        code = runner.wait(10)

    assert code == 1 and "FAILED" in printed
    partial = next((here.states / "olist_dev" / "runs").glob("*/silver.ipynb"))
    executed = [cell for cell in json.loads(partial.read_text())["cells"] if cell.get("execution_count")]
    assert len(executed) >= 5


def test_the_first_day_has_the_totals_of_the_files(here, orders):
    """Also after the run that was killed; the two pipelines run beside each other."""
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


def test_each_further_day_is_added(here, orders):
    """The orders of its files; the feeds equal their truth after each, with every kind of defect."""
    for day in (SECOND, THIRD):
        assert here.daily(day)["state"]["result_state"] == "SUCCESS"
        check_feeds(here, day)

    old = here.rows(f"SELECT sum(order_count) AS n FROM gold.gold_daily_orders WHERE order_date < '{SECOND}'")
    assert old == [{"n": len(orders)}]
    landed = pd.concat(pd.read_csv(file, dtype=str) for file in (here.feed.parent / "orders").glob("*.csv"))
    bought = landed.drop_duplicates("order_id").order_purchase_timestamp.str[:10]
    new = here.rows(f"SELECT order_date, order_count FROM gold.gold_daily_orders WHERE order_date >= '{SECOND}'")
    assert {row["order_date"]: row["order_count"] for row in new} == {
        day: sum(bought == day) for day in (SECOND, THIRD)
    }
    made = [here.defects(day) for day in (FIRST, SECOND, THIRD)]
    assert all(sum(day[defect] for day in made) for defect in made[0]), made


@pytest.mark.timeout(900 + 300 * KILLS)
def test_a_server_that_is_killed_while_changes_are_applied_is_made_good(here):
    """`kill -9` of the server at moments by chance; the repeated task leaves what the truth says."""
    chance, killed, took = random.Random(KILLS), 0, 8.0
    for number in range(4 * KILLS):
        day = (date.fromisoformat(THIRD) + timedelta(days=number + 1)).isoformat()
        on = ("--param", f"run_date={day}")
        here.run("olist_daily_job", *DAILY, *on, "--only", "generate_data")
        here.run("olist_cdc_pipeline", *on, "--only", "cdc_bronze,cdc_stage")
        moment = chance.uniform(0, took)
        if killed_after(here, moment, on):
            killed += 1
            print(f"{day}: the server was killed {moment:.1f} s after the kernel of cdc_apply was there")
            again = here.run("olist_cdc_pipeline", *on, "--only", "cdc_apply")
            assert again["state"]["result_state"] == "SUCCESS"
        else:
            took = moment  # the task was over before
        check_feeds(here, day)
        if killed == KILLS:
            return
    pytest.fail(f"the server was killed {killed} times, expected {KILLS}")


def killed_after(here: Here, seconds: float, on: tuple[str, ...]) -> bool:
    """Start cdc_apply and kill the server *seconds* after its kernel is there; False where it had ended before."""
    with here.started("run", "olist_cdc_pipeline", *on, "--only", "cdc_apply") as runner:
        process = psutil.Process(runner.pid)
        while not kernel_of(process, "cdc_apply"):
            time.sleep(0.05)
        try:
            code = runner.wait(seconds)
        except subprocess.TimeoutExpired:
            psutil.Process(json.loads(here("status", "--json"))["pid"]).kill()
            code = runner.wait(280)
            assert code in (0, 1)  # 0 where the kill came behind the last use of the server
            return True
    assert code == 0
    return False


def test_a_full_refresh_of_the_feeds_gives_the_same_tables(here):
    """From all files at once, as day by day."""
    last = max(place.name for place in (here.feed / "_truth").iterdir())

    refreshed = here.run("olist_cdc_pipeline", "--param", "refresh_mode=full")

    assert refreshed["state"]["result_state"] == "SUCCESS"
    check_feeds(here, last)
