"""The runbooks of refused rows, of files and of a wrong day: each makes good what the test has damaged.

They run on a copy of the project, whose contracts a test may change, on the worker's server and a few rows.
"""

import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import papermill
import pytest
from lakehouse_fixtures import HEADERS, ROOT, Lakehouse
from papermill.exceptions import PapermillExecutionError

from tests.outputs import shown

Execute = Callable[..., str]
ORDERS = "o1,c1,shipped,2018-01-01 10:00:00,,,,2018-01-20 00:00:00"
FILES = {
    "customers": "c1,u1,01001,sao paulo,SP",
    "products": "p1,bebes,5,10,1,300,30,30,30",
    "sellers": "s1,13023,campinas,SP",
    "orders": ORDERS,
    "order_items": "o1,1,p1,s1,2018-01-05 00:00:00,10.10,1.01",
    "order_payments": "o1,1,credit_card,3,20.00",
    "order_reviews": "r1,o1,5,,,2018-02-06 00:00:00,2018-02-07 10:00:00",
    "geolocation": "01001,-23.1,-46.1,sao paulo,SP",
}
FEEDS = {"customers": "c1", "products": "p1", "sellers": "s1"}
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def lakehouse(lakeflow) -> Lakehouse:
    """An empty lakehouse with a row of each entity in a file of 2018-01-01."""
    made = Lakehouse(lakeflow)
    for entity, line in FILES.items():
        made.land(entity, f"{entity}_2018-01-01.csv", line)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    for name in ("notebooks", "runbooks", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "[0-9]*_O*.ipynb"))
    shutil.copy(ROOT / "databricks.yml", tmp_path)
    return tmp_path


@pytest.fixture
def execute(project: Path, state, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Run a runbook of the copy as a person would; return everything that it printed and showed."""
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))

    def run(name: str, **parameters: object) -> str:
        place = project / "runbooks" / f"{name}.ipynb"
        done = papermill.execute_notebook(
            str(place), str(project / "executed.ipynb"), parameters=parameters,
            cwd=str(place.parent), kernel_name="python3", progress_bar=False,
        )  # fmt: skip
        return shown(done.cells)

    return run


def change_contract(project: Path, table: str, old: str, new: str) -> None:
    place = project / "config" / "tables" / f"{table}.yml"
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")


def test_rows_that_a_too_strict_rule_refused_come_back_when_it_is_corrected(lakehouse, project, execute):
    """The rule and the reason are shown and nothing changes; corrected and replayed, what is really wrong stays."""
    lakehouse.land("orders", "orders_2018-01-02.csv", "o2,c1,returned,2018-01-02 10:00:00,,,,2018-01-20 00:00:00\n"
                   "o3,c1,nonsense,2018-01-02 10:00:00,,,,2018-01-20 00:00:00")  # fmt: skip
    lakehouse.run("20_bronze", run_id="first")
    lakehouse.run("30_silver", run_id="first")
    versions = lakehouse.versions("silver")

    said = execute("O15_quarantine_has_rows")
    assert "order_status_known" in said and "found `returned`" in said
    assert "2 refused rows have no later row in silver.silver_orders" in said
    assert "Nothing was changed." in said.splitlines()[-1]
    assert lakehouse.versions("silver") == versions

    change_contract(project, "silver_orders", "'canceled')", "'canceled', 'returned')")
    execute("O15_quarantine_has_rows", do="replay")
    assert sorted(lakehouse.rows("SELECT order_id FROM silver.silver_orders")) == [("o1",), ("o2",)]
    assert lakehouse.rows("SELECT order_id, rule FROM ops.quarantine_silver_orders") == [("o3", "order_status_known")]


@pytest.mark.slow("two notebooks of the data flow, as in the replay above")
def test_rows_that_the_source_has_corrected_come_back_when_they_are_read(lakehouse, execute):
    """The refused line stays in quarantine as the record. Before the source has sent it, the runbook says so."""
    lakehouse.land("order_payments", "order_payments_2018-01-02.csv", "o2,1,voucher,1,twenty")
    lakehouse.run("20_bronze", run_id="first")
    lakehouse.run("30_silver", run_id="first")
    with pytest.raises(PapermillExecutionError, match="no row has come back"):
        execute("O15_quarantine_has_rows", do="read")

    lakehouse.land("order_payments", "order_payments_2018-01-03.csv", "o2,1,voucher,1,20.00")
    execute("O15_quarantine_has_rows", do="read")

    paid = lakehouse.rows("SELECT payment_value FROM silver.silver_order_payments WHERE order_id = 'o2'")
    assert paid == [(Decimal("20.00"),)]
    assert lakehouse.rows("SELECT payment_value FROM ops.quarantine_silver_order_payments") == [("twenty",)]


def test_a_file_with_a_wrong_header_is_named_and_set_aside(lakehouse, execute):
    """Until then its table reads nothing, not even the good file beside it."""
    bad = lakehouse.land("orders", "orders_2018-01-02.csv", b"order_id,customer\no2,c1\n")
    lakehouse.land("orders", "orders_2018-01-03.csv", ORDERS.replace("o1", "o3"))
    lakehouse.land("sellers", "sellers_2018-01-01_copy.csv", FILES["sellers"])
    path = "/Volumes/olist_dev/raw/olist/orders/orders_2018-01-02.csv"

    said = execute("O25_file_late_doubled_or_changed")
    assert path in said and "no column `customer_id`" in said
    assert "Nothing was changed." in said.splitlines()[-1]
    assert bad.is_file()

    said = execute("O25_file_late_doubled_or_changed", do="set_aside", file=path)
    assert sorted(lakehouse.rows("SELECT order_id FROM silver.silver_orders")) == [("o1",), ("o3",)]
    assert (bad.parent / "_set_aside" / bad.name).is_file() and not bad.exists()


@pytest.mark.slow("twice the notebooks of the data flow")
def test_a_file_that_was_doubled_or_written_again_or_has_a_new_column_is_found(lakehouse, execute):
    """The doubled one does no harm, the new content wins, and the values of the new column are shown."""
    lakehouse.land("sellers", "sellers_2018-01-01_copy.csv", FILES["sellers"])
    lakehouse.land("sellers", "sellers_2018-01-02.csv",
                   f"{HEADERS['sellers']},seller_phone\ns2,80010,curitiba,PR,555-1\n".encode())  # fmt: skip
    lakehouse.run("20_bronze", run_id="first")
    lakehouse.run("30_silver", run_id="first")
    again = lakehouse.land("orders", "orders_2018-01-01.csv", ORDERS.replace("shipped", "delivered"),
                           modified="2025-01-01T00:00:00")  # fmt: skip
    path = f"/Volumes/olist_dev/raw/olist/orders/{again.name}"

    said = execute("O25_file_late_doubled_or_changed")
    assert "content that differs from what was loaded" in said
    assert "sellers_2018-01-01_copy.csv" in said.partition("lines")[2]
    assert re.search(r"bronze_sellers seller_phone 1 .* 555-1", said)
    assert "bronze.bronze_orders" in said.partition("no file for")[2].partition("lines")[0]

    execute("O25_file_late_doubled_or_changed", do="rename", file=path)
    assert lakehouse.rows("SELECT order_status FROM silver.silver_orders") == [("delivered",)]
    assert len(lakehouse.rows("SELECT 1 FROM bronze.bronze_sellers")) == 3
    assert sorted(lakehouse.rows("SELECT seller_id FROM silver.silver_sellers")) == [("s1",), ("s2",)]


def land_feeds(lakehouse: Lakehouse, day: str, sequence: int, operation: str) -> None:
    """One event per change feed, for the key of `FILES`."""
    for entity, key in FEEDS.items():
        header = f"{HEADERS[entity]},operation,sequence_number,change_timestamp"
        line = f"{FILES[entity]},{operation},{sequence},{day} 10:00:00"
        assert line.startswith(key)
        lakehouse.land(f"cdc/{entity}", f"{entity}_cdc_{day}.csv", f"{header}\n{line}\n".encode())


@pytest.mark.slow("all tables are derived again")
def test_a_wrong_day_is_taken_out_and_the_tables_are_what_they_were(lakehouse, execute):
    """Compared with copies that were made before it, and the right day can land under the same names."""
    for entity in FEEDS:
        (lakehouse.volume / "cdc" / entity).mkdir(parents=True, exist_ok=True)
    land_feeds(lakehouse, "2018-01-01", 1, "INSERT")
    run_all(lakehouse, "first")
    good = contents(lakehouse)
    wrong = ORDERS.replace("shipped", "canceled")
    lakehouse.land("orders", "orders_2018-01-02.csv", wrong, modified="2025-01-01T00:00:00")
    land_feeds(lakehouse, "2018-01-02", 2, "UPDATE")
    lakehouse.land("cdc/sellers", "sellers_cdc_2018-01-02.csv",
                   f"{HEADERS['sellers']},operation,sequence_number,change_timestamp\n"
                   "s1,,,,DELETE,2,2018-01-02 10:00:00\n".encode())  # fmt: skip
    run_all(lakehouse, "wrong")
    bad = contents(lakehouse)
    assert bad["silver.silver_orders"] != good["silver.silver_orders"]
    assert bad["silver.silver_sellers_current"] == []

    said = execute("O35_wrong_day_loaded", run_date="2018-01-01")
    assert "2018-01-02 is later than 2018-01-01: undo it first." in said.splitlines()[-1]
    said = execute("O35_wrong_day_loaded", run_date="2018-01-02")
    assert "orders/orders_2018-01-02.csv" in said and "Nothing was changed." in said.splitlines()[-1]
    assert contents(lakehouse) == bad

    execute("O35_wrong_day_loaded", run_date="2018-01-02", undo=True)
    assert contents(lakehouse) == good
    lakehouse.land("orders", "orders_2018-01-02.csv", ORDERS.replace("o1", "o2"))
    run_all(lakehouse, "right")
    assert sorted(lakehouse.rows("SELECT order_id FROM silver.silver_orders")) == [("o1",), ("o2",)]


def run_all(lakehouse: Lakehouse, run_id: str) -> None:
    for stem in ("20_bronze", "30_silver", "40_gold", "50_cdc_bronze", "60_cdc_stage", "70_cdc_apply"):
        lakehouse.run(stem, run_id=run_id)


def contents(lakehouse: Lakehouse) -> dict[str, list[tuple]]:
    """All rows of silver and gold."""
    tables = [f"silver.{row[1]}" for row in lakehouse.rows("SHOW TABLES IN silver") if "progress" not in row[1]]
    views = [f"gold.{row[1]}" for row in lakehouse.rows("SHOW VIEWS IN gold")]
    return {name: lakehouse.table(name) for name in (*tables, *views)}
