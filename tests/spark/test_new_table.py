"""A table is added as the README says: its contract; a query and one cell if the contract does not say everything."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lakehouse_fixtures import ROOT, Lakehouse, NotebookFailed

from lakelocal.testing.lakeflow import Lakeflow

BRONZE = """
table: bronze.bronze_returns
grain: One row per line of a landed file of returns.
folder: returns
columns:
  - {name: order_id, type: STRING, comment: Order}
  - {name: return_number, type: STRING, comment: Number of the return within its order}
  - {name: returned_on, type: STRING, comment: Day of the return}
  - {name: amount, type: STRING, comment: Money paid back}
  - {name: is_full, type: STRING, comment: Was all of the order returned?}
  - {name: _source_file, type: STRING, comment: The file that the row came from}
  - {name: _file_modified_at, type: TIMESTAMP, comment: When that file was last written}
  - {name: _ingested_at, type: TIMESTAMP, comment: When the row was loaded}
  - {name: _rescued_data, type: STRING, comment: "What fits no column of the contract, as JSON"}
expectations:
  - {rule: nothing_rescued, level: WARN, condition: _rescued_data IS NULL}
"""
SILVER = """
table: silver.silver_returns
grain: One row per return.
keys: [order_id, return_number]
reads: [bronze_returns]
columns:
  - {name: order_id, type: STRING, comment: Order}
  - {name: return_number, type: INT, comment: Number of the return within its order}
  - {name: returned_on, type: DATE, comment: Day of the return}
  - {name: amount, type: "DECIMAL(10,3)", comment: Money paid back}
  - {name: is_full, type: BOOLEAN, comment: Was all of the order returned?}
  - {name: _source_file, type: STRING, comment: The file that the row came from}
  - {name: _file_modified_at, type: TIMESTAMP, comment: When that file was last written}
expectations:
  - {rule: amount_positive, level: DROP, condition: amount > 0}
"""
DERIVED = """
table: silver.silver_order_returns
grain: One row per order and day of return.
keys: [order_id, returned_on]
reads: [silver_returns, silver_orders]
columns:
  - {name: order_id, type: STRING, comment: Order}
  - {name: returned_on, type: DATE, comment: Day of the return}
  - {name: order_status, type: STRING, comment: Status of the order}
  - {name: amount, type: "DECIMAL(20,3)", comment: Money paid back}
expectations:
  - {rule: order_known, level: WARN, condition: order_status IS NOT NULL}
"""
DERIVED_SQL = """
    SELECT order_id, returned_on, max(order_status) AS order_status, sum(amount) AS amount
    FROM silver_returns LEFT JOIN silver_orders USING (order_id) GROUP BY order_id, returned_on"""
GROUPED = """
table: silver.silver_return_days
grain: One row per day and kind of return.
keys: [returned_on, is_full]
reads: [silver_returns]
columns:
  - {name: returned_on, type: DATE, comment: Day of the return}
  - {name: is_full, type: BOOLEAN, comment: Was all of the order returned?}
  - {name: return_count, type: BIGINT, comment: Number of returns}
"""
GROUPED_SQL = """
    SELECT returned_on, is_full, count(*) AS return_count FROM silver_returns GROUP BY returned_on, is_full"""
VIEW = """
table: gold.gold_returns
grain: One row per day of return.
keys: [returned_on]
reads: [silver_return_days]
columns:
  - {name: returned_on, type: DATE, comment: Day of the return}
  - {name: return_count, type: BIGINT, comment: Number of returns}
expectations:
  - {rule: at_least_one, level: FAIL, condition: return_count > 0}
"""
VIEW_SQL = "SELECT returned_on, sum(return_count) AS return_count FROM silver_return_days GROUP BY returned_on"
QUERIES = {"silver_order_returns": DERIVED_SQL, "silver_return_days": GROUPED_SQL, "gold_returns": VIEW_SQL}
CELLS = {  # the cell that each notebook gets, and the beginning of the cell that follows it
    "30_silver": ('apply_query(run, "silver_order_returns")\napply_query(run, "silver_return_days")', "references = "),
    "40_gold": ('create_view(run, "gold_returns")', 'create_view(run, "gold_daily_orders")'),
}
HEADER = "order_id,return_number,returned_on,amount,is_full\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with what the README asks for: contracts, queries and cells for returns."""
    made = tmp_path_factory.mktemp("project")
    for name in ("notebooks", "config"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "databricks.yml", made)
    for text in (BRONZE, SILVER, DERIVED, GROUPED, VIEW):
        name = text.split("\n")[1].split(".")[1]
        (made / "config" / "tables" / f"{name}.yml").write_text(text)
    for name, query in QUERIES.items():
        (made / "config" / "tables" / f"{name}.sql").write_text(query)
    for stem, (cell, before) in CELLS.items():
        add_cell(made / "notebooks" / f"{stem}.ipynb", cell, before)
    return made


@pytest.fixture(scope="module")
def lakehouse(lakeflow: Lakeflow, project: Path) -> Iterator[Lakehouse]:
    """The copy on the server of this worker, whose catalog had been set up before there were returns."""
    Lakehouse(lakeflow)
    copy = Lakehouse.as_it_is(Lakeflow(project, lakeflow.project.states, target="dev", warm=False))
    copy.run("20_bronze")
    copy.land("orders", "a.csv", "o1,c1,delivered,2018-01-01 10:00:00,,,,2018-01-20 00:00:00")
    land(copy, "2024-01-01", "o1,1,2018-02-01,10.125,false", "o1,2,2018-02-01,1,false", "o2,1,2018-02-03,5.5,true")
    copy.pipeline()
    yield copy
    copy.spark.stop()


def add_cell(notebook: Path, cell: str, before: str) -> None:
    """Insert the code *cell* before the cell that begins with *before*."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    places = [at for at, each in enumerate(content["cells"]) if "".join(each["source"]).startswith(before)]
    added = {"cell_type": "code", "id": "added", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
    content["cells"].insert(places[0], added)
    notebook.write_text(json.dumps(content), encoding="utf-8")


def land(lakehouse: Lakehouse, day: str, *lines: str) -> Path:
    return lakehouse.land("returns", f"{day}.csv", (HEADER + "\n".join(lines) + "\n").encode(), modified=day)


def test_a_table_of_a_new_file_needs_its_contracts_only(lakehouse):
    """Keys of two columns, one of them a number; a date, an amount with three decimals, a boolean."""
    assert lakehouse.table("silver.silver_returns")[0][:5] == ("o1", 1, date(2018, 2, 1), Decimal("10.125"), False)
    assert [row[:2] for row in lakehouse.table("silver.silver_returns")] == [("o1", 1), ("o1", 2), ("o2", 1)]
    detail = lakehouse.spark.sql("DESCRIBE DETAIL silver.silver_returns").first()
    assert detail["clusteringColumns"] == ["order_id", "return_number"]


def test_tables_and_a_view_made_of_it_need_a_contract_a_query_and_a_cell(lakehouse):
    """One has a key in common with the table that it is made from, the other has none."""
    assert lakehouse.table("silver.silver_order_returns") == [
        ("o1", date(2018, 2, 1), "delivered", Decimal("11.125")),
        ("o2", date(2018, 2, 3), None, Decimal("5.500")),
    ]
    assert lakehouse.table("silver.silver_return_days") == [
        (date(2018, 2, 1), False, 2),
        (date(2018, 2, 3), True, 1),
    ]
    assert lakehouse.table("gold.gold_returns") == [(date(2018, 2, 1), 2), (date(2018, 2, 3), 1)]


@pytest.mark.slow("test_silver.py has later rows for the tables that are there")
def test_later_rows_change_what_they_touch(lakehouse):
    """A return moves to another day, so its old row is gone; one is refused; an unknown order becomes known."""
    land(lakehouse, "2024-01-02", "o1,1,2018-02-02,10.125,false", "o1,2,2018-02-02,1,false", "o3,1,2018-02-03,-1,true")
    lakehouse.land("orders", "b.csv", "o2,c1,shipped,2018-01-01 10:00:00,,,,2018-01-20 00:00:00")
    lakehouse.pipeline()

    assert lakehouse.table("silver.silver_order_returns") == [
        ("o1", date(2018, 2, 2), "delivered", Decimal("11.125")),
        ("o2", date(2018, 2, 3), "shipped", Decimal("5.500")),
    ]
    assert lakehouse.table("gold.gold_returns") == [(date(2018, 2, 2), 2), (date(2018, 2, 3), 1)]
    assert lakehouse.rows("SELECT order_id, rule, reason FROM ops.quarantine_silver_returns") == [
        ("o3", "amount_positive", "`amount`: found `-1`, expected amount > 0")
    ]


def test_a_contract_without_its_rule_is_told(lakehouse, project):
    """It would otherwise be a table that is never made: here the cells are missing."""
    without_cells = {f"notebooks/{stem}.ipynb": (ROOT / "notebooks" / f"{stem}.ipynb").read_text() for stem in CELLS}
    tables = r"`silver\.silver_order_returns`, `silver\.silver_return_days`"
    found = "found a contract in `config/tables`, but"
    with replaced(project, without_cells):
        with pytest.raises(NotebookFailed, match=f"^ContractError: {tables}: {found} no rule"):
            lakehouse.run("30_silver", refresh_mode="full")
        with pytest.raises(NotebookFailed, match=f"^ContractError: `gold_returns`: {found} no view"):
            lakehouse.run("40_gold")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT return_count, returned_on FROM silver_return_days",
         "`return_count` as column 1, where the contract has `returned_on`"),
        ("SELECT returned_on, return_count, is_full FROM silver_return_days",
         "`is_full`, which the contract does not name once"),
        ("SELECT returned_on, return_count AS returns FROM silver_return_days",
         "no `return_count` and `returns`, which the contract does not name once"),
    ],
)  # fmt: skip
def test_a_view_with_other_columns_is_refused_and_stays_as_it_was(lakehouse, project, query, found):
    """Two swapped columns would be a wrong report under correct names."""
    before = lakehouse.rows("SELECT * FROM gold.gold_returns")

    with replaced(project, {"config/tables/gold_returns.sql": query}), pytest.raises(NotebookFailed) as failed:
        lakehouse.run("40_gold")

    assert str(failed.value).partition(" (cell ")[0] == (
        f"ContractError: `gold.gold_returns`: found in the query {found}; expected the columns returned_on, "
        "return_count, in this order. Correct the query, or `config/tables/gold_returns.yml`."
    )
    assert lakehouse.rows("SELECT * FROM gold.gold_returns") == before


@contextmanager
def replaced(project: Path, texts: dict[str, str]) -> Iterator[None]:
    """Within it, files of the copy have other *texts*, by their paths."""
    kept = {path: (project / path).read_text(encoding="utf-8") for path in texts}
    try:
        for path, text in texts.items():
            (project / path).write_text(text, encoding="utf-8")
        yield
    finally:
        for path, text in kept.items():
            (project / path).write_text(text, encoding="utf-8")
