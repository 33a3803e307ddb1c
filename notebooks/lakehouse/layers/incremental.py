"""How the tables of a layer are brought up to date with bronze: new rows are read, checked, counted and written.

A table that has read all of its source is left alone. One that lacks some of it gets what is new; one that is missing,
whose source was created anew, or for which a full refresh is requested, is derived from all of bronze in one commit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ContractError, samples
from lakehouse.layers.checking import (
    CHECKED,
    REMOVED,
    Checked,
    News,
    add_to_quarantine,
    check_rows,
    dropped_rows,
    look_at,
    replace_quarantine,
)
from lakehouse.tables.contracts import Contract, bronze_sources
from lakehouse.tables.delta import Written, among, check_columns, check_keys, replace_rows
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.progress import Feed, find_feeds, open_changes, record_progress, whole_source
from lakehouse.tables.together import attempt_together, raise_failures


@dataclass(frozen=True)
class Result:
    """What was done for one table: how many rows of its source were *read*, what was written, and the rule counts."""

    read: int
    written: Written
    counts: list[RuleCount]


@dataclass
class LayerRun:
    """One run over tables that are made from bronze: what each has to read, and what has been done.

    *feeds* are by (target, source), *results* by target, with names that include the schema. *keys* has the keys of the
    new rows by target, as in `News`, if a table was not derived as a whole; *written* is, by target, SQL that holds for
    the rows that may have been written. Counts and progress are recorded by `finish`, after the data.
    """

    spark: SparkSession
    run_id: str
    feeds: dict[tuple[str, str], Feed]
    done: list[Feed] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    counts: list[RuleCount] = field(default_factory=list)
    errors: dict[str, BaseException] = field(default_factory=dict)
    keys: dict[str, list[list[str | None]]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def of(self, contract: Contract) -> list[Feed]:
        """What the table of *contract* has to read, as one feed per source."""
        return [feed for (target, _), feed in self.feeds.items() if target == contract.table]

    @property
    def has_news(self) -> bool:
        """Was there anything to read?"""
        return any(not feed.is_empty for feed in self.feeds.values())

    @property
    def written_tables(self) -> list[str]:
        """The names, without schema, of the tables that had something to read and have read it."""
        return sorted({feed.target.split(".")[1] for feed in self.done if not feed.is_empty})

    def finish(self) -> None:
        """Check what was written against its contracts, record counts and progress, then raise for tables that failed.

        A table whose check fails is not recorded as having read its feed: the next run reads and checks it again.

        Raises:
            ContractError: a column differs from the contract, a key is NULL or duplicated, or no rule made a table.
            TablesFailedError: a table failed.
        """
        self._refuse_tables_without_a_rule()
        check_columns(self.spark, self.written_tables)
        check_keys(self.spark, self.written_tables, self.written)
        record_counts(self.spark, self.run_id, self.counts)
        record_progress(self.spark, self.done)
        if self.errors:
            raise_failures(self.errors, len({target for target, _ in self.feeds}))

    def _refuse_tables_without_a_rule(self) -> None:
        made = {feed.target for feed in self.done}
        left = sorted({feed.target for feed in self.feeds.values() if not feed.is_empty} - made - self.errors.keys())
        if left and not self.errors:
            raise ContractError(
                f"{samples(left)}: found a contract in `config/tables`, but no rule that makes the table; expected one "
                "in the notebook of its layer. Write a cell with `apply_query`.",
                tables=left,
            )


def start_layer(spark: SparkSession, tables: list[Contract], *, run_id: str, full: bool) -> LayerRun:
    """Find what each of *tables* lacks from its bronze tables; prints which of those have something new."""
    feeds = find_feeds(spark, {contract: bronze_sources(contract) for contract in tables}, full=full)
    fresh = sorted({feed.source for feed in feeds.values() if not feed.is_empty})
    sources = {source for _, source in feeds}
    print(f"{len(fresh)} of {len(sources)} bronze tables hold something new", *fresh, sep="\n  ")
    return LayerRun(spark, run_id, feeds)


@dataclass(frozen=True)
class Way:
    """How the valid rows of bronze become the rows of the tables of a layer.

    *derive* makes all rows of a table from all checked rows; the keys for which one file has different contents are
    counted at the same time, into the observation. *add* writes what new rows change. *key_is_row* is as in `Checked`,
    *derived* as in `check_rows`; *properties* are those of a table that is created. If *sequence* names a column, `add`
    receives its bounds.
    """

    derive: Callable[[Checked, Observation], DataFrame]
    add: Callable[[LayerRun, Checked, News], Written]
    key_is_row: bool = True
    derived: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    sequence: str = ""


def bring_up_to_date(run: LayerRun, ways: dict[Contract, Way]) -> None:
    """Bring tables up to date with their bronze table, all at the same time; a failure does not stop other tables.

    Args:
        ways: by table; each table is made from one bronze table.
    """
    opened = {contract: _open(run, contract, way) for contract, way in ways.items() if not run.of(contract)[0].is_empty}
    for contract in ways:
        if contract not in opened:
            print(Written(contract.table, 0))
    new = [checked for checked in opened.values() if checked.changes]
    seen = look_at(new) if new else {}
    work = {}
    for contract, checked in opened.items():
        news = seen.get(contract.table)
        if news and news.counts[REMOVED]:
            print(f"{contract.reads[0]}: rows were changed or removed, deriving {contract.table} anew")
            checked, news = _all_of(run, contract, ways[contract]), None
        if news and news.keys is not None:
            run.keys[contract.table] = news.keys
            run.written[contract.table] = among(contract, contract.keys, news.keys)
        work[contract.table] = partial(_write, run, checked, ways[contract], news)
    results, errors = attempt_together(work)
    for contract in opened:
        if contract.table in results:
            run.counts += results[contract.table].counts
            run.done += run.of(contract)
    run.results |= results
    run.errors |= errors


def _open(run: LayerRun, contract: Contract, way: Way) -> Checked:
    feed, rows = open_changes(run.spark, run.of(contract)[0])
    return check_rows(
        rows, contract, way.derived, key_is_row=way.key_is_row, changes=not feed.is_all, sequence=way.sequence
    )


def _all_of(run: LayerRun, contract: Contract, way: Way) -> Checked:
    (feed,) = run.of(contract)
    return check_rows(whole_source(run.spark, feed), contract, way.derived, key_is_row=way.key_is_row)


def _write(run: LayerRun, checked: Checked, way: Way, news: News | None) -> Result:
    """Add the rows of *checked*, described by *news*; without *news*, derive the table, which also counts its rules."""
    if news is None:
        return _derive(run, checked, way)
    told = checked.told(news.counts)
    if dropped_rows(told):
        add_to_quarantine(run.spark, checked, run_id=run.run_id)
    return Result(news.counts[CHECKED], way.add(run, checked, news), told)


def _derive(run: LayerRun, checked: Checked, way: Way) -> Result:
    """Create the table and count its rules in one pass over bronze; broken rows, if any, are written afterwards."""
    rules, twice, kept = Observation(), Observation(), Observation()
    rows = way.derive(checked.observed(rules), twice).observe(kept, F.expr("count(*) AS rows"))
    replace_rows(run.spark, rows, checked.contract, properties=way.properties)
    if kept.get:
        counts = rules.get | (twice.get if checked.key_is_row else {})
        written = kept.get["rows"]
    else:  # the engine reported nothing about the write
        counts = look_at([checked])[checked.contract.table].counts
        written = run.spark.table(checked.contract.table).count()
    told = checked.told(counts)
    replace_quarantine(run.spark, checked, run_id=run.run_id, rows=dropped_rows(told))
    return Result(counts[CHECKED], Written(checked.contract.table, written), told)
