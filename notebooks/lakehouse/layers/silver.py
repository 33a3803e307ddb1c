"""Bronze rows become silver tables: typed, valid, one row per key, and only changes are written.

The latest row of a key wins, by (`_file_modified_at`, `_source_file`), then by the columns in order, with NULL lowest.
That is the maximum in a total order, so it does not matter in which runs, or how often, rows are applied.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from lakehouse.layers.checking import (
    CHECKED,
    DUPLICATE_KEY,
    MANY_KEYS,
    Checked,
    News,
    check_rows,
    differs_within_key,
)
from lakehouse.layers.incremental import LayerRun, Way, bring_up_to_date
from lakehouse.tables.contracts import Contract, load_contract, load_query, typed_tables
from lakehouse.tables.delta import (
    Written,
    among,
    in_order,
    key_texts,
    merge,
    only_row,
    refuse_other_columns,
    replace_rows,
)
from lakehouse.tables.operations import RuleCount
from lakehouse.tables.progress import whole_source

NEWER = "{s} > {t}"
DIFFERENT = "NOT ({s} <=> {t})"


def apply_entities(run: LayerRun, *, derived: dict[str, str]) -> None:
    """Bring the tables that are each made from one bronze table up to date, all at the same time.

    Of a table whose contract has aggregates, the rows of each touched key are read again from all of bronze; the other
    tables keep the latest row of a key.

    Args:
        derived: SQL over the typed columns, by the name of a column that no file contains.
    """
    ways = {}
    for contract in typed_tables():
        if contract.aggregates:
            ways[contract] = Way(_aggregate, partial(_add_aggregated, derived), False, derived)
        else:
            ways[contract] = Way(_latest, _add_latest, True, derived)
    bring_up_to_date(run, ways)


def one_row_per_key(rows: DataFrame, contract: Contract) -> DataFrame:
    """The table of *contract* from *rows*, which are all valid rows of bronze, typed, with the contract's columns."""
    return aggregated_per_key(rows, contract) if contract.aggregates else latest_per_key(rows, contract)


def _latest(checked: Checked, duplicates: Observation) -> DataFrame:
    return latest_per_key(checked.valid, checked.contract, duplicates)


def _add_latest(run: LayerRun, checked: Checked, _: News) -> Written:
    contract = checked.contract
    within = run.written.get(contract.table)
    return merge(run.spark, latest_per_key(checked.valid, contract), contract, when=NEWER, within=within)


def latest_per_key(rows: DataFrame, contract: Contract, duplicates: Observation | None = None) -> DataFrame:
    """The latest row of each key.

    Args:
        rows: the contract's columns; one row per row of bronze, keys not NULL.
        duplicates: observes the number of keys for which one file has different contents, as `duplicate_key`.

    Returns:
        One row per key, with the columns of the contract in its order.
    """
    greatest = f"max(struct({', '.join(in_order(contract))}))"
    if duplicates is not None:
        differs = F.expr(differs_within_key(contract)).alias(DUPLICATE_KEY)
        files = rows.groupBy(*contract.keys, "_source_file").agg(F.expr(greatest).alias("_latest"), differs)
        rows = files.observe(duplicates, F.expr(f"count_if({DUPLICATE_KEY})").alias(DUPLICATE_KEY))
        greatest = "max(_latest)"
    latest = rows.groupBy(*contract.keys).agg(F.expr(greatest).alias("_latest"))
    return latest.select("_latest.*").select(*contract.column_names)


def aggregated_per_key(rows: DataFrame, contract: Contract) -> DataFrame:
    """The rows of each key as one, by the aggregates of *contract*."""
    aggregates = [F.expr(sql).alias(name) for name, sql in contract.aggregates.items()]
    return rows.groupBy(*contract.keys).agg(*aggregates).select(*contract.column_names)


def _aggregate(checked: Checked, _: Observation) -> DataFrame:
    return aggregated_per_key(checked.valid, checked.contract)


def _add_aggregated(derived: dict[str, str], run: LayerRun, checked: Checked, _: News) -> Written:
    """Derive the rows of the touched keys from all of bronze."""
    contract = checked.contract
    (feed,) = run.of(contract)
    everything = check_rows(whole_source(run.spark, feed), contract, derived, key_is_row=False)
    if within := run.written.get(contract.table):
        rows = everything.rows.where(within)
    else:
        touched = checked.rows.select(*contract.keys).distinct()
        rows = everything.rows.join(touched, list(contract.keys), "left_semi")
    of_touched = replace(everything, rows=rows)
    return merge(run.spark, aggregated_per_key(of_touched.valid, contract), contract, when=DIFFERENT, within=within)


def apply_query(run: LayerRun, name: str) -> None:
    """Bring the table *name*, which is made by its query over other silver tables, up to date with this run's changes.

    Prints the query. The session must be in the schema of silver.

    A row of the table is touched by a new row of a table that its contract reads if the two agree on the columns that
    are keys there and columns here: an order by its items' `order_id`, or by its customer's `customer_id`. Touched rows
    are queried again, and those that differ are written. Nothing is done if a table of this run failed.

    Raises:
        ContractError: the query has other columns than the contract.
    """
    contract, query = load_contract(name), load_query(name)
    print(query)
    feeds = run.of(contract)
    if run.errors:
        return
    if all(feed.is_empty for feed in feeds):
        print(Written(contract.table, 0))
        return
    rows = run.spark.sql(query)
    refuse_other_columns(rows.columns, contract)
    touched = _touched(run, contract, rows)
    if touched is None:
        rules = Observation()
        replace_rows(run.spark, rows.observe(rules, *_failures(contract)), contract)
        found = rules.get or _count_failures(run, contract)
        print(Written(contract.table, found[CHECKED]))
    else:
        run.written[contract.table] = touched
        print(merge(run.spark, rows.where(touched), contract, when=DIFFERENT, within=touched, whole=True))
        found = _count_failures(run, contract)
    run.done += feeds
    run.counts += [
        RuleCount(contract.table, rule.rule, rule.level, found[CHECKED], found[rule.rule])
        for rule in contract.rules("WARN")
    ]


def _failures(contract: Contract) -> list[Column]:
    """The number of rows of a table, and of those that break each of its WARN rules."""
    failed = {rule.rule: f"count_if(NOT ({rule.condition}))" for rule in contract.rules("WARN")}
    return [F.expr(sql).alias(name) for name, sql in {CHECKED: "count(*)", **failed}.items()]


def _count_failures(run: LayerRun, contract: Contract) -> dict[str, int]:
    return only_row(run.spark.table(contract.table).agg(*_failures(contract))).asDict()


def _touched(run: LayerRun, contract: Contract, rows: DataFrame) -> str | None:
    """SQL for those of the *rows*, and of the table's rows, that this run's news touch; None: all are to be derived."""
    news = _news(run, contract)
    if news is None:
        return None
    touched = [among(contract, common, found) for common, found in news.items()]
    if not touched:
        return "false"
    if all(set(common) <= set(contract.keys) for common in news):
        return _any_of(touched)
    # With conditions on the table's keys, every table that the query reads can be filtered.
    sides = [side.where(_any_of(touched)) for side in (rows, run.spark.table(contract.table))]
    keys = [side.selectExpr(f"{key_texts(contract.keys)} AS key") for side in sides]
    found = reduce(DataFrame.union, keys).distinct().limit(MANY_KEYS + 1).collect()
    return None if len(found) > MANY_KEYS else among(contract, contract.keys, [row["key"] for row in found])


def _any_of(conditions: Iterable[str]) -> str:
    return " OR ".join(f"({condition})" for condition in conditions)


def _news(run: LayerRun, contract: Contract) -> dict[tuple[str, ...], list[list[str | None]]] | None:
    """The new keys of the tables that the table of *contract* reads, by the columns that they share with it.

    None if such a table was derived as a whole or has too much news, is not made from bronze itself, shares no key, or
    has read more than the table of *contract*, which an earlier run has left behind.
    """
    news: dict[tuple[str, ...], list[list[str | None]]] = {}
    for read in map(load_contract, contract.reads):
        source = load_contract(read.reads[0]).table
        feed, own = run.feeds.get((contract.table, source)), run.feeds.get((read.table, source))
        if feed is None or own is None or feed.is_all:
            return None
        if feed.is_empty:
            continue
        common = tuple(key for key in read.keys if key in contract.column_names)
        if read.table not in run.keys or not common or (feed.first, feed.last) != (own.first, own.last):
            return None
        places = [read.keys.index(key) for key in common]
        news.setdefault(common, []).extend([key[place] for place in places] for key in run.keys[read.table])
    return news


def count_references(run: LayerRun, queries: dict[str, str]) -> None:
    """Count WARN rules that involve several tables, if this run has read anything new.

    Args:
        queries: by table (without schema), SQL of one row: `checked_rows`, then the failures by the name of the rule.
    """
    if run.errors or not run.written_tables:
        return
    for name, query in queries.items():
        found = only_row(run.spark.sql(query)).asDict()
        checked = found.pop(CHECKED)
        run.counts += [RuleCount(f"silver.{name}", rule, "WARN", checked, failed) for rule, failed in found.items()]
