"""A table is added as the README says: its contract; a query and one cell if the contract does not say everything."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lakehouse_fixtures import ROOT, Lakehouse

from lakehouse.errors import ContractError
from lakehouse.layers.gold import GoldRun, create_view
from lakehouse.tables.contracts import load_contract, load_query

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
CELLS = {
    "30_silver": (
        "run.finish()",
        'apply_query(run, "silver_order_returns")\napply_query(run, "silver_return_days")',
    ),
    "40_gold": ("dated = ", 'create_view(run, "gold_returns")'),
}
HEADER = "order_id,return_number,returned_on,amount,is_full\n"


@pytest.fixture(scope="module")
def lakehouse(spark, state, tmp_path_factory: pytest.TempPathFactory):
    """A catalog whose `config` has contracts for returns beside those of the project."""
    config = tmp_path_factory.mktemp("project") / "config"
    shutil.copytree(ROOT / "config", config)
    for text in (BRONZE, SILVER, DERIVED, GROUPED, VIEW):
        name = text.split("\n")[1].split(".")[1]
        (config / "tables" / f"{name}.yml").write_text(text)
    for name, query in QUERIES.items():
        (config / "tables" / f"{name}.sql").write_text(query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lakehouse.tables.contracts.config_folder", lambda: config)
        load_contract.cache_clear()
        load_query.cache_clear()
        made = Lakehouse(spark, state)
        shutil.rmtree(made.volume / "returns")  # as if the catalog had been set up before there was this table
        made.run("20_bronze")
        made.land("orders", "a.csv", "o1,c1,delivered,2018-01-01 10:00:00,,,,2018-01-20 00:00:00")
        land(made, "2024-01-01", "o1,1,2018-02-01,10.125,false", "o1,2,2018-02-01,1,false", "o2,1,2018-02-03,5.5,true")
        run(made)
        yield made
    load_contract.cache_clear()
    load_query.cache_clear()


def land(lakehouse: Lakehouse, day: str, *lines: str) -> Path:
    return lakehouse.land("returns", f"{day}.csv", (HEADER + "\n".join(lines) + "\n").encode(), modified=day)


def run(lakehouse: Lakehouse) -> None:
    lakehouse.run("20_bronze")
    for stem, cell in CELLS.items():
        lakehouse.run(stem, added=cell)


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
    run(lakehouse)

    assert lakehouse.table("silver.silver_order_returns") == [
        ("o1", date(2018, 2, 2), "delivered", Decimal("11.125")),
        ("o2", date(2018, 2, 3), "shipped", Decimal("5.500")),
    ]
    assert lakehouse.table("gold.gold_returns") == [(date(2018, 2, 2), 2), (date(2018, 2, 3), 1)]
    assert lakehouse.rows("SELECT order_id, rule, reason FROM ops.quarantine_silver_returns") == [
        ("o3", "amount_positive", "`amount`: found `-1`, expected amount > 0")
    ]


def test_a_contract_without_its_rule_is_told(lakehouse):
    """It would otherwise be a table that is never made."""
    with pytest.raises(ContractError, match=r"`silver\.silver_order_returns`, `silver\.silver_return_days`: found a "
                                            r"contract in `config/tables`, but no rule"):  # fmt: skip
        lakehouse.run("30_silver", refresh_mode="full")
    with pytest.raises(ContractError, match="`gold_returns`: found a contract in `config/tables`, but no view"):
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
def test_a_view_with_other_columns_is_refused_and_stays_as_it_was(lakehouse, monkeypatch, query, found):
    """Two swapped columns would be a wrong report under correct names."""
    before = lakehouse.rows("SELECT * FROM gold.gold_returns")
    monkeypatch.setattr("lakehouse.layers.gold.load_query", {"gold_returns": query}.get)

    with pytest.raises(ContractError) as error:
        create_view(GoldRun(lakehouse.spark, "test", full=False), "gold_returns")

    assert str(error.value) == (
        f"`gold.gold_returns`: found in the query {found}; expected the columns returned_on, return_count, in this "
        "order. Correct the query, or `config/tables/gold_returns.yml`."
    )
    assert lakehouse.rows("SELECT * FROM gold.gold_returns") == before
