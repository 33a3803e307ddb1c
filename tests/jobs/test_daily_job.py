"""The product, whole: the daily job on real orders by the command line, twice, and with one more day."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "olist_sample"
pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout")


DAILY = ("--strict", "--before", "notebooks/00_setup.ipynb", "--var", f"source=file:{SAMPLE.resolve()}")


class Here:
    """The command line with a state of its own."""

    def __init__(self, states: Path) -> None:
        self.states = states

    def __call__(self, *arguments: str, limit: int = 280) -> str:
        environment = {**os.environ, "LOCAL_STATE": str(self.states)}
        done = subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def daily(self, run_date: str) -> dict:
        return json.loads(self("run", "olist_daily_job", "--json", *DAILY, "--param", f"run_date={run_date}"))

    def rows(self, statement: str) -> list[dict]:
        return json.loads(self("sql", statement, "--format", "json"), parse_float=Decimal)

    def versions(self) -> dict[str, int]:
        """The newest version of each Delta table, `schema.db/table`."""
        logs = self.states.glob("olist_dev/warehouse/*.db/*/_delta_log")
        return {
            str(log.parent.relative_to(log.parents[2])): max(int(commit.stem) for commit in log.glob("*.json"))
            for log in logs
        }


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


def kill_kernel_at(here: Here, line: str) -> tuple[int, float, str]:
    """Start the daily job and `kill -9` the kernel that comes to *line*.

    Returns:
        The exit code, the seconds from the kill to the end of the run, and what was printed.
    """
    command = [sys.executable, "-m", "local", "run", "olist_daily_job", *DAILY, "--param", "run_date=2018-10-18"]
    environment = {**os.environ, "LOCAL_STATE": str(here.states)}
    runner = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    printed, killed = "", 0.0
    for said in runner.stdout:
        printed += said
        if line in said and not killed:
            kernels = [
                p for p in psutil.Process(runner.pid).children(recursive=True) if "ipykernel" in str(p.cmdline())
            ]
            kernels[0].kill()
            killed = time.monotonic()
    return runner.wait(10), time.monotonic() - killed, printed


@pytest.mark.timeout(900)
def test_the_daily_job_on_real_orders(here, orders):
    """A first run whose kernel is killed, then a good one, the same again, and one more day."""
    code, seconds, printed = kill_kernel_at(here, "silver: The eight tables")
    assert code == 1 and seconds < 15 and "silver" in printed and "FAILED" in printed
    partial = next((here.states / "olist_dev" / "runs").glob("*/silver.ipynb"))
    executed = [cell for cell in json.loads(partial.read_text())["cells"] if cell.get("execution_count")]
    assert len(executed) >= 5

    assert here.daily("2018-10-18")["state"]["result_state"] == "SUCCESS"
    payments = pd.read_csv(SAMPLE / "olist_order_payments_dataset.csv", dtype=str)
    valid = set(orders.order_id[~orders.order_status.isin(["canceled", "unavailable"])])
    paid = sum(map(Decimal, payments.payment_value[payments.order_id.isin(valid)]))
    totals = here.rows("SELECT sum(order_count) AS orders, sum(payment_value) AS paid FROM gold.gold_daily_orders")
    assert totals == [{"orders": len(orders), "paid": paid}]
    tables = {place.split(".db/")[1] for place in here.versions()}
    assert len([name for name in tables if name.startswith("bronze_")]) == 8
    assert len([name for name in tables if name.startswith("silver_")]) == 9
    assert len(here.rows("SHOW VIEWS IN gold")) == 5

    before = {name: version for name, version in here.versions().items() if not name.startswith("ops")}
    assert here.daily("2018-10-18")["state"]["result_state"] == "SUCCESS"
    assert {name: version for name, version in here.versions().items() if not name.startswith("ops")} == before

    assert here.daily("2018-10-19")["state"]["result_state"] == "SUCCESS"
    after = here.rows("SELECT sum(order_count) AS orders FROM gold.gold_daily_orders WHERE order_date <> '2018-10-19'")
    assert after == [{"orders": len(orders)}]
    assert here.rows("SELECT count(*) AS n FROM gold.gold_daily_orders WHERE order_date = '2018-10-19'") == [{"n": 1}]
    old_orders = "SELECT count(*) AS n FROM silver.silver_orders WHERE _source_file NOT LIKE '%2018-10-19%'"
    assert here.rows(old_orders)[0]["n"] <= len(orders)


@pytest.mark.timeout(120)
def test_wrong_names_are_refused_before_anything_runs(here):
    """A parameter or variable that does not exist is refused with the legal names; no run is recorded."""
    before = here("runs", "list", "--json")
    for wrong, legal in (("--param", "run_date"), ("--var", "scale")):
        done = subprocess.run(
            [sys.executable, "-m", "local", "run", "olist_daily_job", wrong, "catlog=x"],
            cwd=ROOT, env={**os.environ, "LOCAL_STATE": str(here.states)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 2
        assert "catlog" in done.stderr and legal in done.stderr and "Traceback" not in done.stderr
    assert here("runs", "list", "--json") == before
