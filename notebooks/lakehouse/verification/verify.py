"""Does a feed produce the same tables however it is delivered?

The staged events are delivered again, some of them twice, shuffled and in several batches, some of which are repeated;
the tables must equal those of a single batch, and those of the ground truth if there is one. Everything is in a
separate schema, which is dropped at the end.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.types import StructType

from lakehouse.cdc import apply_changes
from lakehouse.cdc.columns import comparable, quote, resolve_columns
from lakehouse.cdc.flow import make_flow
from lakehouse.errors import VerificationError
from lakehouse.tables.together import run_together
from lakehouse.verification.comparison import Comparison, compare
from lakehouse.verification.feed import KINDS, VerifiedFeed
from lakehouse.verification.scratch import scratch_schema
from lakehouse.verification.shrinking import Case, Delivery, judge, smallest

_TWICE, _REPLAYED = 0.2, 0.4  # share of the events, share of the batches


@dataclass
class _Run:
    """One verification: where its tables are, and what applies the events."""

    spark: SparkSession
    schema: str
    apply: Callable[..., Any]
    feeds: list[VerifiedFeed]

    def table(self, feed: VerifiedFeed, name: str) -> str:
        return f"{self.schema}.{feed.name}_{name}"

    def apply_all(self, source: str, target: str) -> None:
        """Apply the tables named *source* of all feeds, both types of each, at the same time."""
        work = {
            f"{feed.name}_{kind}": partial(
                self.apply,
                self.spark,
                source=self.table(feed, source),
                target=self.table(feed, f"{target}_{kind}"),
                stored_as_scd_type=KINDS[kind],
                **feed.arguments,
            )
            for feed in self.feeds
            for kind in feed.kinds
        }
        run_together(work)


def verify(
    spark: SparkSession,
    feeds: Iterable[VerifiedFeed],
    *,
    rounds: int,
    batches: int,
    seed: int,
    apply: Callable[..., Any] = apply_changes,
) -> list[Comparison]:
    """Replay *feeds* in other orders and compare the results; prints one line per comparison.

    Args:
        rounds: the number of orders to try; round *i* has the seed *seed* + i.
        batches: the number of batches into which the events are split.
        apply: the function to verify; a test passes a wrong one.

    Raises:
        VerificationError: a table differs; the error has the seed, and the fewest deliveries found that still differ.
    """
    with scratch_schema(spark) as schema:
        run = _Run(spark, schema, apply, list(feeds))
        for feed in run.feeds:
            copy = spark.table(feed.source)
            copy.writeTo(run.table(feed, "events")).using("delta").create()
        run.apply_all("events", "single")
        done = _compare_single(run)
        for number in range(rounds):
            done += _round(run, seed + number, batches)
    return done


def _compare_single(run: _Run) -> list[Comparison]:
    """The tables of a single batch compared with the truth, and with those that the pipeline made."""
    done = []
    for feed in run.feeds:
        for kind in feed.kinds:
            single = run.spark.table(run.table(feed, f"single_{kind}"))
            others = {"the ground truth": feed.truth.get(kind), "the pipeline's table": _made(run, feed, kind)}
            for against, other in others.items():
                if other is not None:
                    of = (f"one batch and {against}", feed.name, kind)
                    compared, keys = compare(single, other, of, keys=feed.keys)
                    done.append(_judged(run, compared, feed, keys, seed=None, deliveries="events", order={0: [0]}))
    return done


def _made(run: _Run, feed: VerifiedFeed, kind: str) -> DataFrame | None:
    return run.spark.table(feed.made[kind]) if kind in feed.made else None


def _round(run: _Run, seed: int, batches: int) -> list[Comparison]:
    order = _order(seed, batches)
    delivered = f"delivered_{seed}"
    for feed in run.feeds:
        _shuffle(run, feed, delivered, seed, batches)
    for step, brought in order.items():
        for feed in run.feeds:
            _deliver(run, feed, delivered, f"arrived_{seed}", brought, anew=step == 0)
        run.apply_all(f"arrived_{seed}", f"shuffled_{seed}")
    done = []
    for feed in run.feeds:
        for kind in feed.kinds:
            found = run.spark.table(run.table(feed, f"shuffled_{seed}_{kind}"))
            single = run.spark.table(run.table(feed, f"single_{kind}"))
            of = (f"{len(order)} batches, seed {seed}", feed.name, kind)
            compared, keys = compare(found, single, of, keys=feed.keys)
            done.append(_judged(run, compared, feed, keys, seed=seed, deliveries=delivered, order=order))
    return done


def _order(seed: int, batches: int) -> dict[int, list[int]]:
    """What each step delivers: its own batch, and in some steps an earlier one again."""
    chance = random.Random(seed)
    return {
        step: [step, *([chance.randrange(step)] if step and chance.random() < _REPLAYED else [])]
        for step in range(batches)
    }


def _shuffle(run: _Run, feed: VerifiedFeed, name: str, seed: int, batches: int) -> None:
    """Assign each event a batch, and some of them a second one, by a hash of the content, so that a seed repeats it."""
    source = run.table(feed, "events")
    fields = [f for f in run.spark.table(source).schema if not f.name.startswith("_")]
    content = ", ".join(comparable(quote(f.name), f.dataType) for f in fields)
    by = f"pmod(xxhash64({{salt}}, {seed}, {content}), {{of}})"
    first = f"SELECT *, CAST({by.format(salt=1, of=batches)} AS INT) AS _batch FROM {source}"
    second = f"SELECT *, CAST({by.format(salt=2, of=batches)} AS INT) AS _batch FROM {source}"
    second += f" WHERE {by.format(salt=3, of=100)} < {round(100 * _TWICE)}"
    run.spark.sql(f"CREATE TABLE {run.table(feed, name)} USING delta AS {first} UNION ALL {second}")


def _deliver(run: _Run, feed: VerifiedFeed, delivered: str, arrived: str, batches: list[int], *, anew: bool) -> None:
    source, target = run.table(feed, delivered), run.table(feed, arrived)
    listed = ", ".join(map(str, batches))
    query = f"SELECT * EXCEPT (_batch) FROM {source} WHERE _batch IN ({listed}) ORDER BY rand({len(listed)})"
    if anew:
        properties = "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
        run.spark.sql(f"CREATE TABLE {target} USING delta {properties} AS {query}")
    else:
        run.spark.sql(f"INSERT INTO {target} {query}")


def _judged(
    run: _Run,
    compared: Comparison,
    feed: VerifiedFeed,
    keys: list[tuple[Any, ...]],
    *,
    seed: int | None,
    deliveries: str,
    order: dict[int, list[int]],
) -> Comparison:
    """Print and return *compared*; if it differs, find the fewest deliveries that do.

    Raises:
        VerificationError: it differs.
    """
    print(compared)
    if not compared.differs:
        return compared
    fewest: list[Delivery] = []
    told = "A truncate concerns every key, so the fewest deliveries were not sought."
    if not feed.truncates:
        case = _case(run, feed, compared.kind)
        fewest = _fewest(run, case, run.table(feed, deliveries), keys, order)
        told = _told(case, fewest)
    named = ", ".join(", ".join(map(str, key)) if len(key) == 1 else str(key) for key in keys)
    raise VerificationError(
        f"{compared}\nexpected no difference. Keys: {named}. {told} See runbooks/O40_scd_issues.",
        seed=seed,
        keys=keys,
        deliveries=[(d.batch, d.row) for d in fewest],
    )


def _told(case: Case, fewest: list[Delivery]) -> str:
    if not fewest:
        return "No delivery of these keys alone makes a wrong table: the events agree, the tables compared do not."
    shown = "\n".join(f"  batch {d.batch}: {_shown(d.row)}" for d in fewest)
    return (
        f"The fewest deliveries found that make a wrong table:\n{shown}\n"
        f"By the definition they make {case.expected(fewest)}."
    )


def _case(run: _Run, feed: VerifiedFeed, kind: str) -> Case:
    schema = run.spark.table(run.table(feed, "events")).schema
    flow = make_flow(source=feed.source, target=feed.name, stored_as_scd_type=KINDS[kind], **feed.arguments)
    return Case(feed.arguments, KINDS[kind], schema, resolve_columns(flow, schema))


def _fewest(
    run: _Run, case: Case, table: str, keys: list[tuple[Any, ...]], order: dict[int, list[int]]
) -> list[Delivery]:
    """The fewest deliveries for the first of *keys* whose events alone make a wrong table; none if there is none."""
    rows = run.spark.table(table)
    rows = rows if "_batch" in rows.columns else rows.selectExpr("*", "0 AS _batch")
    wanted = run.spark.createDataFrame(keys, StructType(list(case.columns.keys)))
    delivered = case.deliveries(rows.join(wanted, case.columns.key_names, "left_semi"))
    by_key: dict[tuple[Any, ...], list[Delivery]] = {}
    for step, brought in order.items():
        for key, delivery in delivered:
            if delivery.batch in brought:
                by_key.setdefault(key, []).append(replace(delivery, batch=step))
    fails = judge(run.spark, case, run.apply)
    candidates = sorted(by_key.values(), key=len)
    if not candidates:
        return []
    wrong = [one for one, bad in zip(candidates, fails(candidates), strict=True) if bad]
    return smallest(wrong[0], fails) if wrong else []


def _shown(row: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.asDict().items() if not name.startswith("_"))
