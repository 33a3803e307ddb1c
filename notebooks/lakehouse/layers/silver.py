"""Bronze rows become silver tables: typed, valid, one row per key, and only what changed is written.

The latest row of a key wins, by (`_file_modified_at`, `_source_file`), then by the columns in order, NULL lowest. That
is the greatest of a total order, so it does not matter in which runs, or how often, rows are applied.
"""

from dataclasses import dataclass, field

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
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import Written, in_order, merge, replace_table
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.progress import Feed, find_feeds, open_feed, record_progress
from lakehouse.tables.together import attempt_together, raise_failures

NEWER = "{s} > {t}"
DIFFERENT = "NOT ({s} <=> {t})"
_MANY_KEYS = 100_000


@dataclass
class SilverRun:
    """One run over the silver tables: what there is to read, and what has been done.

    *full* derives every table from all of bronze. Progress and counts are kept by `finish`, after the data.
    """

    spark: SparkSession
    run_id: str
    feeds: dict[tuple[str, str], Feed]
    done: list[Feed] = field(default_factory=list)
    counts: list[RuleCount] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)

    def of(self, target: str) -> list[Feed]:
        """What *target* has to read, one feed a source."""
        return [feed for (name, _), feed in self.feeds.items() if name == target]

    @property
    def written_tables(self) -> set[str]:
        """The names, without schema, of the tables that had something to read."""
        return {feed.target.split(".")[1] for feed in self.done if not feed.is_empty}

    def finish(self) -> None:
        """Keep counts and progress of the tables that were written, then raise for those that failed.

        Raises:
            TablesFailedError: a table failed.
        """
        record_counts(self.spark, self.run_id, self.counts)
        record_progress(self.spark, self.done)
        if self.errors:
            raise_failures(self.errors, len({target for target, _ in self.feeds}))


def start_silver(spark: SparkSession, reads: dict[str, list[str]], *, run_id: str, full: bool) -> SilverRun:
    """Find what each silver table lacks of its bronze tables; prints a line a source with something new.

    Args:
        reads: bronze tables by silver table, names without schema.
    """
    pairs = [(f"silver.{target}", f"bronze.{source}") for target, sources in reads.items() for source in sources]
    feeds = find_feeds(spark, pairs, full=full)
    fresh = sorted({feed.source for feed in feeds.values() if not feed.is_empty})
    sources = {source for _, source in pairs}
    print(f"{len(fresh)} of {len(sources)} bronze tables hold something new", *fresh, sep="\n  ")
    return SilverRun(spark, run_id, feeds)


def apply_entities(run: SilverRun, names: list[str], typing: Typing, *, reduced: dict[str, dict[str, str]]) -> None:
    """Bring the silver tables *names* up to date with their bronze table, all at the same time.

    Args:
        reduced: SQL aggregates by column, for a table whose row stands for many rows of bronze: the rows of each
            touched key are read again from all of bronze. The other tables keep the latest row of a key.
    """
    work = {}
    for name in names:
        contract, (feed,) = load_contract(name), run.of(f"silver.{name}")
        work[contract.table] = lambda c=contract, f=feed: _apply(run, c, f, typing, reduced.get(c.name))
    written, errors = attempt_together(work)
    for target, (_, counts) in written.items():
        run.counts += counts
        run.done += run.of(target)
    run.errors |= errors


def _apply(run: SilverRun, contract: Contract, feed: Feed, typing: Typing, reduced: dict | None) -> tuple:
    """What was written, and the counts of the rules."""
    if feed.is_empty:
        return Written(contract.table, 0, None), []
    feed, bronze = open_feed(run.spark, feed)
    if feed.is_all:
        return _derive(run, contract, bronze, typing, reduced)
    checked = check_rows(bronze, contract, typing)
    counts = count_rules(checked, contract, key_is_row=reduced is None)
    if dropped_rows(counts):
        write_quarantine(run.spark, checked, contract, run_id=run.run_id)
    if reduced is None:
        rows, when = latest_per_key(valid_rows(checked), contract), NEWER
    else:
        everything = check_rows(run.spark.table(feed.source), contract, typing)
        touched = checked.select(*contract.keys).distinct()
        rows = _aggregate(valid_rows(everything.join(touched, list(contract.keys), "left_semi")), contract, reduced)
        when = DIFFERENT
    return merge(run.spark, rows, contract, when=when), counts


def _derive(run: SilverRun, contract: Contract, bronze: DataFrame, typing: Typing, reduced: dict | None) -> tuple:
    """Make the table anew from all of bronze, in one commit, its quarantine first."""
    checked = check_rows(bronze, contract, typing)
    counts = count_rules(checked, contract, key_is_row=reduced is None)
    replace_quarantine(run.spark, checked, contract, run_id=run.run_id, rows=dropped_rows(counts))
    valid = valid_rows(checked)
    rows = latest_per_key(valid, contract) if reduced is None else _aggregate(valid, contract, reduced)
    return replace_table(run.spark, rows, contract), counts


def latest_per_key(rows: DataFrame, contract: Contract) -> DataFrame:
    """The latest row of each key.

    Args:
        rows: the contract's columns; one row per row of bronze, keys not NULL.

    Returns:
        One row per key, the columns of the contract in its order.
    """
    greatest = F.expr(f"max(struct({', '.join(in_order(contract))}))")
    latest = rows.groupBy(*contract.keys).agg(greatest.alias("_latest"))
    return latest.select("_latest.*").select(*contract.column_names)


def _aggregate(rows: DataFrame, contract: Contract, columns: dict[str, str]) -> DataFrame:
    grouped = rows.groupBy(*contract.keys).agg(*[F.expr(sql).alias(name) for name, sql in columns.items()])
    return grouped.select(*contract.column_names)


def apply_query(run: SilverRun, target: str, query: str, *, touches: dict[str, str]) -> None:
    """Bring a table that is made of other silver tables up to date: only the rows that new data touches.

    Does nothing where one of those tables has failed in this run.

    Args:
        query: SQL of the whole table, with `{touched}` where it says which keys are meant.
        touches: by bronze table, SQL that gives the keys touched by its new rows, which it calls `{new}`.
    """
    if run.errors:
        return
    contract = load_contract(target)
    if all(feed.is_empty for feed in run.of(contract.table)):
        print(Written(contract.table, 0, None))
        return
    keys = _touched_keys(run, contract, touches)
    if keys is None:
        written = replace_table(run.spark, run.spark.sql(query.format(touched="true")), contract)
    else:
        (key,) = contract.keys
        view = f"touched_{contract.name}"
        run.spark.createDataFrame([(value,) for value in keys], f"{key} STRING").createOrReplaceTempView(view)
        rows = run.spark.sql(query.format(touched=f"{key} IN (SELECT {key} FROM {view})"))
        written = merge(run.spark, rows, contract, when=DIFFERENT)
    print(written)
    run.done += run.of(contract.table)
    rules = contract.rules("WARN")
    failed = [F.expr(f"count_if(NOT ({rule.condition}))") for rule in rules]
    checked, *found = run.spark.table(contract.table).agg(F.expr("count(*)"), *failed).first()
    pairs = zip(rules, found, strict=True)
    run.counts += [RuleCount(contract.table, rule.rule, rule.level, checked, count) for rule, count in pairs]


def _touched_keys(run: SilverRun, contract: Contract, touches: dict[str, str]) -> list[str] | None:
    """The keys that new rows touch, None where the table must be derived as a whole."""
    feeds = [feed for feed in run.of(contract.table) if not feed.is_empty]
    if any(feed.is_all for feed in feeds):
        return None
    queries = []
    for feed in feeds:
        feed, rows = open_feed(run.spark, feed)
        if feed.is_all:
            return None
        name = feed.source.split(".")[1]
        rows.createOrReplaceTempView(f"new_{name}")
        queries.append(touches[name].format(new=f"new_{name}"))
    found = [row[0] for row in run.spark.sql(" UNION ".join(queries)).limit(_MANY_KEYS + 1).collect()]
    return None if len(found) > _MANY_KEYS else [key for key in found if key is not None]


def count_references(run: SilverRun, queries: dict[str, str]) -> None:
    """Count WARN rules that look into several tables, where this run has read anything new.

    Args:
        queries: by table (without schema), SQL of one row: `checked_rows`, then the failures by the name of the rule.
    """
    if run.errors or not run.written_tables:
        return
    for name, query in queries.items():
        found = run.spark.sql(query).first().asDict()
        checked = found.pop("checked_rows")
        run.counts += [RuleCount(f"silver.{name}", rule, "WARN", checked, failed) for rule, failed in found.items()]
