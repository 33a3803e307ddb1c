"""Bronze rows become silver tables: typed, valid, one row per key, and only what changed is written.

The latest row of a key wins, by (`_file_modified_at`, `_source_file`), then by the columns in order, NULL lowest. That
is the greatest of a total order, so it does not matter in which runs, or how often, rows are applied.
"""

from collections.abc import Sequence
from functools import partial, reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Observation, Row
from pyspark.sql import functions as F

from lakehouse.layers.checking import CHECKED, DUPLICATE_KEY, Checked, check_rows, differs_within_key
from lakehouse.layers.incremental import LayerRun, Way, bring_up_to_date
from lakehouse.tables.contracts import Contract, load_contract, typed_tables
from lakehouse.tables.delta import Written, in_order, merge, only_row, refuse_other_columns, replace_rows
from lakehouse.tables.operations import RuleCount
from lakehouse.tables.progress import REMOVED, open_changes, whole_source

NEWER = "{s} > {t}"
DIFFERENT = "NOT ({s} <=> {t})"
_MANY_KEYS = 10_000  # from there on a table is derived as a whole


def apply_entities(run: LayerRun, *, derived: dict[str, str], reduced: dict[str, dict[str, str]] | None = None) -> None:
    """Bring the tables that are made of one bronze table each up to date, all at the same time.

    Args:
        derived: SQL over the typed columns, by the name of a column that no file brings.
        reduced: SQL aggregates by column, by the name of a table whose row stands for many rows of bronze: the rows of
            each touched key are read again from all of bronze. The other tables keep the latest row of a key.
    """
    reduced = reduced or {}
    ways = {}
    for contract in typed_tables():
        if columns := reduced.get(contract.name):
            ways[contract] = Way(partial(_reduce, columns), partial(_add_reduced, columns, derived), False, derived)
        else:
            ways[contract] = Way(_latest, _add_latest, True, derived)
    bring_up_to_date(run, ways)


def _latest(checked: Checked, duplicates: Observation) -> DataFrame:
    return latest_per_key(checked.valid, checked.contract, duplicates)


def _add_latest(run: LayerRun, checked: Checked) -> Written:
    return merge(run.spark, latest_per_key(checked.valid, checked.contract), checked.contract, when=NEWER)


def latest_per_key(rows: DataFrame, contract: Contract, duplicates: Observation | None = None) -> DataFrame:
    """The latest row of each key.

    Args:
        rows: the contract's columns; one row per row of bronze, keys not NULL.
        duplicates: is told on the way how many keys one file gives with different contents, as `duplicate_key`.

    Returns:
        One row per key, the columns of the contract in its order.
    """
    greatest = f"max(struct({', '.join(in_order(contract))}))"
    if duplicates is not None:
        differs = F.expr(differs_within_key(contract)).alias(DUPLICATE_KEY)
        files = rows.groupBy(*contract.keys, "_source_file").agg(F.expr(greatest).alias("_latest"), differs)
        rows = files.observe(duplicates, F.expr(f"count_if({DUPLICATE_KEY})").alias(DUPLICATE_KEY))
        greatest = "max(_latest)"
    latest = rows.groupBy(*contract.keys).agg(F.expr(greatest).alias("_latest"))
    return latest.select("_latest.*").select(*contract.column_names)


def _reduce(columns: dict[str, str], checked: Checked, _: Observation | None = None) -> DataFrame:
    grouped = checked.valid.groupBy(*checked.contract.keys)
    rows = grouped.agg(*[F.expr(sql).alias(name) for name, sql in columns.items()])
    return rows.select(*checked.contract.column_names)


def _add_reduced(columns: dict[str, str], derived: dict[str, str], run: LayerRun, checked: Checked) -> Written:
    """Derive the rows of the touched keys from all of bronze."""
    contract = checked.contract
    (feed,) = run.of(contract)
    everything = check_rows(whole_source(run.spark, feed), contract, derived, key_is_row=False)
    touched = checked.rows.select(*contract.keys).distinct()
    rows = everything.rows.join(touched, list(contract.keys), "left_semi")
    of_touched = Checked(contract, rows, everything.brought, key_is_row=False, changes=False)
    return merge(run.spark, _reduce(columns, of_touched), contract, when=DIFFERENT)


def apply_query(run: LayerRun, name: str, query: str) -> None:
    """Bring the table *name*, which a query over other silver tables makes, up to date with what this run changed.

    A row of the table is touched by a new row of one of the tables that its contract reads where the two agree on the
    columns that are keys there and columns here: an order by its items' `order_id`, or by its customer's `customer_id`.
    Touched rows are queried again, and those that differ are written. Nothing is done where a table of this run failed.

    Args:
        query: SQL of the whole table, with the columns of its contract.
    """
    contract = load_contract(name)
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
        print(merge(run.spark, rows.where(touched), contract, when=DIFFERENT, within=touched))
        found = _count_failures(run, contract)
    run.done += feeds
    run.counts += [
        RuleCount(contract.table, rule.rule, rule.level, found[CHECKED], found[rule.rule])
        for rule in contract.rules("WARN")
    ]


def _failures(contract: Contract) -> list[Column]:
    """How many rows a table has, and how many break each of its WARN rules."""
    failed = {rule.rule: f"count_if(NOT ({rule.condition}))" for rule in contract.rules("WARN")}
    return [F.expr(sql).alias(name) for name, sql in {CHECKED: "count(*)", **failed}.items()]


def _count_failures(run: LayerRun, contract: Contract) -> dict[str, int]:
    return only_row(run.spark.table(contract.table).agg(*_failures(contract))).asDict()


def _touched(run: LayerRun, contract: Contract, rows: DataFrame) -> Column | None:
    """Which of the *rows* this run's news touch, and which rows of the table; None where all are to be derived."""
    news = _news(run, contract)
    if news is None:
        return None
    touched: list[Column] = []
    for common, parts in news.items():
        found = reduce(DataFrame.union, parts).distinct().limit(_MANY_KEYS + 1).collect()
        if len(found) > _MANY_KEYS:
            return None
        touched.append(_among(found, common))
    if not touched:
        return F.lit(False)
    if len(news) == 1 and set(next(iter(news))) <= set(contract.keys):
        return touched[0]
    # By the keys of the table, what is not asked for can be left out of every table that the query reads.
    any_of = reduce(or_, touched)
    sides = [side.where(any_of).select(*contract.keys) for side in (rows, run.spark.table(contract.table))]
    keys = reduce(DataFrame.union, sides).distinct().limit(_MANY_KEYS + 1).collect()
    return None if len(keys) > _MANY_KEYS else _among(keys, contract.keys)


def _news(run: LayerRun, contract: Contract) -> dict[tuple[str, ...], list[DataFrame]] | None:
    """By the columns that they share with the table of *contract*, the new keys of each table that it reads.

    None where such a table was made anew, is not made of bronze itself, or shares no key.
    """
    news: dict[tuple[str, ...], list[DataFrame]] = {}
    for read in map(load_contract, contract.reads):
        feed = run.feeds.get((contract.table, load_contract(read.reads[0]).table))
        if feed is None or feed.is_all:
            return None
        if feed.is_empty:
            continue
        feed, changes = open_changes(run.spark, feed)
        common = tuple(key for key in read.keys if key in contract.column_names)
        if feed.is_all or not common:
            return None
        valid = check_rows(changes.where(f"NOT ({REMOVED})"), read, {}, changes=True).valid
        news.setdefault(common, []).append(valid.select(*common))
    return news


def _among(found: list[Row], columns: Sequence[str]) -> Column:
    """Rows whose values of each of *columns* are among those *found*: all that are meant, and perhaps more.

    The values are literals, by which Delta leaves files out.
    """
    return reduce(
        and_, (F.col(name).isin(sorted({row[name] for row in found if row[name] is not None})) for name in columns)
    )


def count_references(run: LayerRun, queries: dict[str, str]) -> None:
    """Count WARN rules that look into several tables, where this run has read anything new.

    Args:
        queries: by table (without schema), SQL of one row: `checked_rows`, then the failures by the name of the rule.
    """
    if run.errors or not run.written_tables:
        return
    for name, query in queries.items():
        found = only_row(run.spark.sql(query)).asDict()
        checked = found.pop(CHECKED)
        run.counts += [RuleCount(f"silver.{name}", rule, "WARN", checked, failed) for rule, failed in found.items()]
