"""Several targets brought up to date at the same time, with common queries made only once."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from .columns import Columns, resolve_columns
from .delta import columns_of, newest_version, was_there
from .deriving import count_ties, wanted_rows
from .flow import Flow, no_source
from .growing import grow_target, missing_columns
from .merging import Applied, create_target, difference, files_for, held_rows, merge_difference
from .progress import Mark, Progress
from .reading import Batch, Feed, read_batch
from .settings import (
    Target,
    check_kind,
    check_settings,
    in_target_order,
    read_target,
    reads_otherwise,
    remember_reading,
    settings_of,
)

_AT_ONCE = 8  # targets or sources: threads of this process, each waiting for the server
_Key = TypeVar("_Key", bound=Hashable)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ChangeCounts:
    """What one call did.

    *ties* is the number of pairs of key and sequence among this call's events that have events with different content.
    *version* is the target's version that the call committed, None if nothing had to be written.
    """

    events_read: int
    keys_touched: int
    num_upserted_rows: int
    num_deleted_rows: int
    ties: int
    version: int | None


NOTHING = ChangeCounts(0, 0, 0, 0, 0, None)


@dataclass(frozen=True)
class TableComments:
    """The comment of a table, and those of its columns by name."""

    table: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """What several calls did, by target; those in *errors* failed."""

    counts: dict[str, ChangeCounts]
    errors: dict[str, BaseException]


@dataclass(frozen=True)
class _Source:
    """A source in its current state; *was_there*: for each time at which its targets saw it, is it the same?"""

    columns: StructType
    newest: int
    was_there: dict[int, bool]

    def after(self, mark: Mark | None) -> int | None:
        """The version after *mark*, if the target lacks the versions from there on; None if it lacks all of them."""
        if mark is None or mark.source_version is None:
            return None
        return mark.source_version + 1 if mark.source_version <= self.newest and self.was_there[mark.at_ms] else None


@dataclass(frozen=True)
class _Plan:
    """What has to be done for one target: *feed* is what it lacks, *settings* what it has to remember."""

    flow: Flow
    columns: Columns
    held: Target
    settings: dict[str, str]
    feed: Feed
    grows: bool = False
    rereads: bool = False

    @property
    def reading(self) -> Hashable:
        """What decides which events are read, and how: equal for targets that can share a batch."""
        flow, columns = self.flow, self.columns
        fields = tuple((f.name, f.dataType.simpleString()) for f in (*columns.keys, *columns.values))
        conditions = (flow.apply_as_deletes, flow.apply_as_truncates)
        return self.feed, len(columns.keys), fields, columns.sequence, *conditions


@dataclass(frozen=True)
class _Events:
    """A batch of events with its ties, shared by all targets with the same reading."""

    batch: Batch
    ties: int = 0


@dataclass
class _Outcomes(Generic[_Key, _Result]):
    """Results and failures of work that is done at the same time."""

    results: dict[_Key, _Result] = field(default_factory=dict)
    errors: dict[_Key, BaseException] = field(default_factory=dict)


def apply_flows(
    spark: SparkSession,
    flows: Iterable[Flow],
    progress: Progress,
    *,
    full: bool = False,
    comments: Mapping[str, TableComments] | None = None,
) -> Done:
    """Bring the targets of *flows* up to date, as in `apply_together`; a failure does not stop other targets."""
    by_target = {flow.target: flow for flow in flows}
    names = {flow.source for flow in by_target.values()}
    sources = _at_once({name: partial(_look, spark, name, progress, by_target) for name in names})

    def plan_of(flow: Flow) -> _Plan:
        known = (comments or {}).get(flow.target)
        return _plan(spark, flow, _of(sources, flow.source), progress, full=full, comments=known)

    plans = _at_once({target: partial(plan_of, flow) for target, flow in by_target.items()})
    wanting = {target: plan for target, plan in plans.results.items() if not plan.feed.is_empty}
    readings = {plan.reading: plan for plan in reversed(wanting.values())}
    events = _at_once({reading: partial(_read, spark, plan) for reading, plan in readings.items()})

    def written_by(plan: _Plan) -> ChangeCounts:
        return _write(spark, plan, _of(events, plan.reading), progress)

    written = _at_once({target: partial(written_by, plan) for target, plan in wanting.items()})
    errors = plans.errors | written.errors
    found = {target: written.results[target] for target in wanting if target not in errors}
    progress.record(
        mark
        for target, plan in plans.results.items()
        if target not in errors and (mark := _mark(spark, plan, found.get(target)))
    )
    counts = {target: found.get(target, NOTHING) for target in by_target if target not in errors}
    return Done(counts, {target: errors[target] for target in by_target if target in errors})


def _at_once(work: Mapping[_Key, Callable[[], _Result]]) -> _Outcomes[_Key, _Result]:
    """Do all of *work* in threads, which obtain the session themselves; a failure stops nothing else."""
    done = _Outcomes[_Key, _Result]()
    if not work:
        return done
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures = {name: pool.submit(make) for name, make in work.items()}
    for name, future in futures.items():
        if error := future.exception():
            done.errors[name] = error
        else:
            done.results[name] = future.result()
    return done


def _of(outcomes: _Outcomes[_Key, _Result], name: _Key) -> _Result:
    """Return the result of *name*, or raise its failure."""
    if name in outcomes.errors:
        raise outcomes.errors[name]
    return outcomes.results[name]


def _look(spark: SparkSession, source: str, progress: Progress, flows: Mapping[str, Flow]) -> _Source | None:
    """*source* in its current state, None if there is no such table; by analysis alone."""
    columns = columns_of(spark, source)
    if columns is None:
        return None
    marks = [progress.find(flow.target, source) for flow in flows.values() if flow.source == source]
    moments = {mark.at_ms for mark in marks if mark}
    return _Source(columns, newest_version(spark, source), {at: was_there(spark, source, at) for at in moments})


def _plan(
    spark: SparkSession,
    flow: Flow,
    source: _Source | None,
    progress: Progress,
    *,
    full: bool,
    comments: TableComments | None,
) -> _Plan:
    """What has to be done for the target of *flow*; by analysis alone if nothing has changed."""
    if source is None:
        raise no_source(flow)
    columns = resolve_columns(flow, source.columns)
    mark = progress.find(flow.target, flow.source)
    held = read_target(spark, flow.target, mark)
    check_kind(held, "change events")
    settings = settings_of(flow, columns)
    check_settings(held, settings)
    if held.columns is None and comments:
        named = {name.lower(): comment for name, comment in comments.columns.items()}
        held = replace(held, comment=comments.table, comments=named)
    columns = in_target_order(columns, held) if held.is_made else columns
    grows = held.is_made and bool(missing_columns(held, columns))
    rereads = reads_otherwise(held, settings)
    # A column that is new here may be old in the source: then every key is affected.
    whole = not held.is_made or full or grows or rereads
    feed = Feed(flow.source, None if whole else source.after(mark), source.newest)
    return _Plan(flow, columns, held, settings, feed, grows, rereads)


def _read(spark: SparkSession, plan: _Plan) -> _Events:
    batch = read_batch(spark, plan.flow, plan.columns, plan.feed)
    return _Events(batch, count_ties(batch, plan.columns) if batch.events_read else 0)


def _write(spark: SparkSession, plan: _Plan, events: _Events, progress: Progress) -> ChangeCounts:
    """Write what the target of *plan* lacks, in one commit; no commit if it lacks nothing."""
    flow, columns, held, batch = plan.flow, plan.columns, plan.held, events.batch
    done = Applied(0, 0, None)
    if not held.is_made:
        files = files_for(batch.events_read)
        rows = wanted_rows(flow, columns, batch, files=files)
        done = create_target(spark, held, rows, columns, settings=plan.settings, files=files)
    elif batch.events_read or batch.is_all:
        if plan.grows:
            progress.record([Mark(flow.target, flow.source, None)])  # in case this call does not finish
            grow_target(spark, held, columns, plan.settings)
        done = _merge(spark, flow, columns, batch)
        if plan.rereads:
            remember_reading(spark, held, plan.settings)
    return ChangeCounts(batch.events_read, batch.keys_touched, done.upserted, done.deleted, events.ties, done.version)


def _merge(spark: SparkSession, flow: Flow, columns: Columns, batch: Batch) -> Applied:
    has = held_rows(spark, flow.target, columns, history=flow.keeps_history)
    has = has if batch.is_all else batch.only_touched(has, columns)
    rows = difference(wanted_rows(flow, columns, batch), has, columns)
    return merge_difference(spark, flow.target, rows, columns, within=batch.within)


def _mark(spark: SparkSession, plan: _Plan, counts: ChangeCounts | None) -> Mark | None:
    """What to remember of *plan* after it has been done; None if that is already known."""
    held = plan.held
    if counts is None and held.is_as_marked:
        return None
    changed = plan.grows or plan.rereads
    settings = held.settings if held.is_made else plan.settings
    return Mark(
        plan.flow.target,
        plan.flow.source,
        plan.feed.last,
        newest_version(spark, plan.flow.target),
        {} if changed else settings,  # after a change, the target itself is queried once
    )
