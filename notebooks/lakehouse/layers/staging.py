"""Lines of a change feed become events: typed, valid, each stored once, in a table that only ever grows.

Two lines are the same event if they agree in all columns except those that begin with `_`, which describe the delivery:
a feed may repeat a line in the same file or in a later one. Events that agree only in key and sequence number are all
kept, because `apply_changes` has its own rule for choosing between them.
"""

from functools import partial

import pandas as pd
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from lakehouse.layers.checking import Checked, News, dropped_rows
from lakehouse.layers.incremental import LayerRun, Way, bring_up_to_date
from lakehouse.tables.contracts import Contract
from lakehouse.tables.delta import READ_BY_VERSION, Written, as_contract, in_order, only_row


def stage_events(run: LayerRun, tables: list[Contract], *, sequence: str) -> None:
    """Add the new events to the staging *tables*, all at the same time.

    Args:
        sequence: the column that orders the events; its bounds tell Delta which files may already contain an event.
    """
    way = Way(_all_once, partial(_add, sequence), key_is_row=False, sequence=sequence, properties=READ_BY_VERSION)
    bring_up_to_date(run, dict.fromkeys(tables, way))


def _all_once(checked: Checked, _: Observation) -> DataFrame:
    return each_once(checked.valid, checked.contract)


def each_once(lines: DataFrame, contract: Contract) -> DataFrame:
    """One row per event of *lines*, with NULLs considered equal; the delivery columns are those of the oldest file."""
    content = _content(contract)
    delivery = [name for name in in_order(contract) if name not in content]
    first = F.expr(f"min(struct({', '.join(delivery)}))").alias("_first")
    return lines.groupBy(*content).agg(first).select(*content, "_first.*").select(*contract.column_names)


def _add(sequence: str, run: LayerRun, checked: Checked, news: News) -> Written:
    """Insert the events that the table lacks, in one commit; no commit if it lacks none."""
    contract = checked.contract
    if news.bounds is None:
        return Written(contract.table, 0)
    low, high = news.bounds
    same = " AND ".join(f"t.{name} <=> s.{name}" for name in _content(contract))
    result = run.spark.sql(
        f"MERGE INTO {contract.table} t USING {{events}} s ON t.{sequence} BETWEEN {low} AND {high} AND {same} "
        "WHEN NOT MATCHED THEN INSERT *",
        events=as_contract(each_once(checked.valid, contract), contract),
    )
    return Written(contract.table, only_row(result)["num_affected_rows"])


def _content(contract: Contract) -> list[str]:
    return [name for name in contract.column_names if not name.startswith("_")]


def feed_balance(run: LayerRun, tables: list[Contract]) -> pd.DataFrame:
    """What became of the lines that this run read: one row per staging table that read any.

    Returns:
        Columns table, lines (read from bronze), events (added), quarantined, repeated (lines that are neither).
    """
    found = [(c.table, run.results[c.table]) for c in tables if c.table in run.results]
    rows = [(table, result.read, result.written.rows, dropped_rows(result.counts)) for table, result in found]
    balance = pd.DataFrame(rows, columns=["table", "lines", "events", "quarantined"])
    balance["repeated"] = balance["lines"] - balance["events"] - balance["quarantined"]
    return balance
