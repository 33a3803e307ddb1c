"""Lines of a change feed become events: typed, valid, each once, in a table that only ever grows.

Two lines are the same event if they agree in all columns but those that begin with `_`, which tell of the delivery: a
feed may repeat a line in the same file or in a later one. Events that agree in key and sequence number only are all
kept, since `apply_changes` decides between them by a rule of its own.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.layers.checking import (
    Typing,
    check_rows,
    count_rules,
    dropped_rows,
    replace_quarantine,
    valid_rows,
    write_quarantine,
)
from lakehouse.layers.silver import SilverRun
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import Written, as_contract, in_order, latest_commit, replace_table
from lakehouse.tables.progress import Feed, open_feed
from lakehouse.tables.together import attempt_together

# By the change data feed the appliers read what a version added.
_PROPERTIES = {"delta.enableChangeDataFeed": "true"}


def stage_events(run: SilverRun, names: list[str], typing: Typing, *, sequence: str) -> None:
    """Add the new events to the staging tables *names* (without schema), all at the same time.

    Args:
        sequence: the column that orders the events; its bounds tell Delta which files can hold an event already.
    """
    work = {}
    for name in names:
        contract, (feed,) = load_contract(name), run.of(f"silver.{name}")
        work[contract.table] = lambda c=contract, f=feed: _stage(run, c, f, typing, sequence)
    staged, errors = attempt_together(work)
    for target, (_, counts) in staged.items():
        run.counts += counts
        run.done += run.of(target)
    run.errors |= errors


def _stage(run: SilverRun, contract: Contract, feed: Feed, typing: Typing, sequence: str) -> tuple:
    """What was written, and the counts of the rules; quarantine first, so that no line can be lost by a kill."""
    if feed.is_empty:
        return Written(contract.table, 0, None), []
    feed, lines = open_feed(run.spark, feed)
    checked = check_rows(lines, contract, typing)
    counts = count_rules(checked, contract, key_is_row=False)
    events, dropped = each_once(valid_rows(checked), contract), dropped_rows(counts)
    if feed.is_all:
        replace_quarantine(run.spark, checked, contract, run_id=run.run_id, rows=dropped)
        return replace_table(run.spark, events, contract, _PROPERTIES), counts
    if dropped:
        write_quarantine(run.spark, checked, contract, run_id=run.run_id)
    return _add(run.spark, events, contract, sequence), counts


def each_once(lines: DataFrame, contract: Contract) -> DataFrame:
    """One row per event of *lines*, NULLs being equal; the delivery told is that of the oldest file."""
    content = _content(contract)
    delivery = [name for name in in_order(contract) if name not in content]
    first = F.expr(f"min(struct({', '.join(delivery)}))").alias("_first")
    return lines.groupBy(*content).agg(first).select(*content, "_first.*").select(*contract.column_names)


def _add(spark: SparkSession, events: DataFrame, contract: Contract, sequence: str) -> Written:
    """Insert those of *events* that the table lacks, in one commit; no commit where it lacks none."""
    events = as_contract(events, contract)
    low, high = events.agg(F.min(sequence), F.max(sequence)).first()
    if low is None:
        return Written(contract.table, 0, None)
    view = f"events_{contract.name}"
    events.createOrReplaceTempView(view)
    same = " AND ".join(f"t.{name} <=> s.{name}" for name in _content(contract))
    result = spark.sql(
        f"MERGE INTO {contract.table} t USING {view} s ON t.{sequence} BETWEEN {low} AND {high} AND {same} "
        "WHEN NOT MATCHED THEN INSERT *"
    )
    added = result.first()["num_affected_rows"]
    return Written(contract.table, added, latest_commit(spark, contract.table).version if added else None)


def _content(contract: Contract) -> list[str]:
    return [name for name in contract.column_names if not name.startswith("_")]
