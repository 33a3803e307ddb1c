"""`apply_changes` against the definition, for random feeds: hundreds of keys per batch, compared after every batch.

The default profile is small; `HYPOTHESIS_PROFILE=long` uses 2,000 keys with up to 28 events, 14 on average, in
10 batches. A failure prints its seed; `CDC_SEED` repeats it.
"""

import json
import os
import time
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from lakehouse.cdc import apply_changes
from lakehouse.cdc.errors import ChangeEventsError
from lakehouse.tables.delta import newest_version
from lakehouse.tables.together import run_together
from tests.cdc import laws, oracle
from tests.cdc.feeds import (
    COLUMNS,
    Size,
    as_row,
    canonical,
    code_of,
    key_of,
    make_batches,
    make_truncates,
    normal,
    pair_of,
)
from tests.cdc.oracle import DELETE, TRUNCATE, UPSERT, Event

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SIZE = Size(keys=2_000, events=28, batches=10) if LONG else Size(keys=200, events=10, batches=2)
SEED = int(os.environ.get("CDC_SEED", "20240229"))
VALUES = ("a", "b", "s", "f")
ONE_KEY = {"keys": ["k"], "sequence_by": "seq", "except_column_list": ["k1", "k2", "seq", "hi", "lo", "op"]}
PAIR = {"keys": ["k1", "K2"], "sequence_by": ["hi", "lo"], "column_list": ["k1", "k2", *VALUES]}
DELETES = {"apply_as_deletes": "op = 'DELETE'"}
CALLS = {
    "scd1": {**ONE_KEY, **DELETES},
    "scd1_nulls": {**ONE_KEY, **DELETES, "ignore_null_updates": True},
    "scd2": {**ONE_KEY, **DELETES, "stored_as_scd_type": 2},
    "scd2_tracked": {**ONE_KEY, **DELETES, "stored_as_scd_type": 2, "track_history_column_list": ["a"]},
    "scd2_nulls": {**ONE_KEY, **DELETES, "stored_as_scd_type": 2, "ignore_null_updates": True},
    "scd2_pair": {**PAIR, **DELETES, "stored_as_scd_type": 2},
    "scd1_truncated": {**ONE_KEY, **DELETES, "apply_as_truncates": "op = 'TRUNCATE'"},
}


class Feed:
    """Two sources, one of them with truncates, and a target for each of `CALLS`, in separate schemas."""

    def __init__(self, spark, name: str) -> None:
        os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")
        self.spark, self.name, self.deliveries = spark, name, 0
        spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        spark.sql(f"CREATE SCHEMA {name}")
        for source in ("events", "truncated"):
            spark.sql(f"CREATE TABLE {name}.{source} ({COLUMNS}) TBLPROPERTIES (delta.enableChangeDataFeed = 'true')")

    def deliver(self, batch: Iterable[Event], truncate: Event | None = None) -> None:
        """Append events to both sources, a truncate to one."""
        self.deliveries += 1
        rows = [as_row(event, self.deliveries) for event in batch]
        events = self.spark.createDataFrame(rows, COLUMNS)
        work = {"events": lambda: events.writeTo(f"{self.name}.events").append()}
        more = rows + ([as_row(truncate, self.deliveries)] if truncate else [])
        both = self.spark.createDataFrame(more, COLUMNS)
        work["truncated"] = lambda: both.writeTo(f"{self.name}.truncated").append()
        run_together(work)

    def apply(self, names: Iterable[str] = CALLS) -> dict:
        """Call `apply_changes` for the targets *names*; the counts by name."""
        return run_together({name: lambda n=name: self._apply(n) for name in names})

    def _apply(self, name: str):
        source = "truncated" if name == "scd1_truncated" else "events"
        return apply_changes(self.spark, source=f"{self.name}.{source}", target=f"{self.name}.{name}", **CALLS[name])

    def versions(self) -> dict[str, int]:
        return run_together({n: lambda n=n: newest_version(self.spark, f"{self.name}.{n}") for n in CALLS})

    def rows(self, names: Iterable[str] = CALLS) -> dict[str, dict]:
        """The contents of the targets, in the form of `laws`."""
        return run_together({name: lambda n=name: self._rows(n) for name in names})

    def _rows(self, name: str) -> dict:
        found: dict = {}
        for row in self.spark.table(f"{self.name}.{name}").toArrow().to_pylist():
            key = (row["k1"], row["k2"]) if "k1" in row else row["k"]
            values = {column: normal(row[column]) for column in VALUES}
            if "__START_AT" in row:
                found.setdefault(key, []).append((row["__START_AT"], row["__END_AT"], values))
            else:
                assert key not in found
                found[key] = values
        return {k: sorted(v, key=lambda one: str_order(one[0])) if isinstance(v, list) else v for k, v in found.items()}


def str_order(start) -> tuple:
    return tuple(start.values()) if isinstance(start, dict) else (start,)


def expected(events: list[Event], truncates: list[Event]) -> dict[str, dict]:
    """The contents of the targets according to the definition."""
    fine = grouped(oracle.history(events))
    pairs = {
        pair_of(key): [(code_of(start), code_of(end), values) for start, end, values in versions]
        for key, versions in fine.items()
    }
    return {
        "scd1": oracle.current(events),
        "scd1_nulls": oracle.current(events, ignore_nulls=True),
        "scd2": fine,
        "scd2_tracked": grouped(oracle.history(events, tracked=["a"])),
        "scd2_nulls": grouped(oracle.history(events, ignore_nulls=True)),
        "scd2_pair": pairs,
        "scd1_truncated": oracle.current([*events, *truncates]),
    }


def grouped(versions: list[oracle.Version]) -> dict:
    found: dict = {}
    for key, values, start, end in versions:
        found.setdefault(key, []).append((start, end, values))
    return found


def check_equal(found: dict, wanted: dict, events: list[Event], where: str) -> None:
    """Fail with the first key that differs, its rows on both sides and its events."""
    for key in sorted(found.keys() | wanted.keys()):
        if found.get(key) != wanted.get(key):
            of_key = sorted(
                e for e in events if key in (e.key, pair_of(e.key)) for e in [(e.sequence, e.kind, str(e.values))]
            )
            lines = "\n  ".join(map(str, of_key))
            pytest.fail(f"{where}, key {key}\nfound    {found.get(key)}\nexpected {wanted.get(key)}\nevents\n  {lines}")


def run_feed(spark, seed: int, size: Size) -> tuple[Feed, list[Event], list[Event]]:
    """Deliver and apply a feed, and compare every target with the definition after every batch."""
    print(f"seed {seed}, {size}")
    feed, events, truncates, before = Feed(spark, f"props_{seed}"), [], [], {}
    for number, (batch, truncate) in enumerate(
        zip(make_batches(seed, size), make_truncates(seed, size), strict=True), start=1
    ):
        began = time.time()
        feed.deliver(batch, truncate)
        counts = feed.apply()
        events += map(canonical, batch)
        truncates += [truncate] if truncate else []
        found, wanted = feed.rows(), expected(events, truncates)
        for name in CALLS:
            check_equal(found[name], wanted[name], events, f"seed {seed}, batch {number}, {name}")
        assert counts["scd2"].events_read == len(batch)
        assert counts["scd2"].keys_touched == len({event.key for event in batch})
        assert counts["scd2"].ties == ties_met(events, batch)
        hold_laws(found, before, events, list(map(canonical, batch)))
        before = found
        print(f"batch {number}: {len(batch):,} events, {len(CALLS)} targets equal, {time.time() - began:.0f} s")
    return feed, events, truncates


def hold_laws(found: dict, before: dict, events: list[Event], batch: list[Event]) -> None:
    for history, columns in (("scd2", set(VALUES)), ("scd2_tracked", {"a"}), ("scd2_nulls", set(VALUES))):
        laws.intervals_are_sound(found[history], events)
        laws.neighbours_differ(found[history], events, columns)
    laws.open_rows_are_current(found["scd2"], found["scd1"])
    laws.open_rows_are_current(found["scd2_nulls"], found["scd1_nulls"])
    laws.the_past_stays(before.get("scd2", {}), found["scd2"], batch)
    laws.coarser_is_a_union(found["scd2"], found["scd2_tracked"])


def ties_met(events: list[Event], batch: list[Event]) -> int:
    at = {(event.key, event.sequence) for event in batch}
    return oracle.ties(event for event in events if (event.key, event.sequence) in at)


@pytest.mark.timeout(7200 if LONG else 600)
def test_every_batch_leaves_what_the_definition_says(spark):
    """I1 to I3, I5 to I13, I16: any order, any batches, repetitions, ties, truncates. Then I4, I14, I15, I17."""
    feed, events, truncates = run_feed(spark, SEED, SIZE)
    replay_changes_nothing(feed, events)
    lost_progress_changes_nothing(feed, events)
    events += delete_above_everything(feed, events)
    wanted = expected(events, truncates)
    derived_again_is_the_same(feed, events, wanted)
    invalid_events_leave_everything(feed, wanted, events)


def replay_changes_nothing(feed: Feed, events: list[Event]) -> None:
    """I14: a batch of only repetitions makes no commit in any target."""
    versions = feed.versions()
    feed.deliver(events)
    counts = feed.apply()

    assert feed.versions() == versions
    assert all(count.version is None and count.events_read for count in counts.values())


def lost_progress_changes_nothing(feed: Feed, events: list[Event]) -> None:
    """I4: a call that was killed between its data and its progress is repeated without a commit."""
    versions = feed.versions()
    names = CALLS if LONG else ("scd1", "scd2", "scd1_truncated")
    listed = ", ".join(f"'{feed.name}.{name}'" for name in names)
    feed.spark.sql(f"DELETE FROM {feed.name}.apply_changes_progress WHERE target IN ({listed})")
    counts = feed.apply(names)

    assert feed.versions() == versions
    assert counts["scd2"].num_upserted_rows == counts["scd2"].num_deleted_rows == 0


def delete_above_everything(feed: Feed, events: list[Event]) -> list[Event]:
    """I13: it closes the open rows of its keys, removes them from the current table, and changes nothing else."""
    before = feed.rows(["scd1", "scd2"])
    last = max(event.sequence for event in events) + 1
    keys = {key_of(number) for number in range(0, SIZE.keys, 7)}
    deletes = [Event(key, last, DELETE, {}) for key in sorted(keys)]
    feed.deliver(deletes)
    feed.apply(CALLS if LONG else ("scd1", "scd2"))
    after = feed.rows(["scd1", "scd2"])

    assert after["scd1"] == {key: values for key, values in before["scd1"].items() if key not in keys}
    assert after["scd2"] == {
        key: [(start, last if end is None and key in keys else end, values) for start, end, values in versions]
        for key, versions in before["scd2"].items()
    }
    return deletes


def derived_again_is_the_same(feed: Feed, events: list[Event], wanted: dict) -> None:
    """I15: dropped and derived in one batch, the targets are as they were before."""
    for name in CALLS if LONG else ("scd2_nulls", "scd1_truncated"):
        feed.spark.sql(f"DROP TABLE {feed.name}.{name}")
        feed._apply(name)
        check_equal(feed._rows(name), wanted[name], events, f"derived again, {name}")


def invalid_events_leave_everything(feed: Feed, wanted: dict, events: list[Event]) -> None:
    """I17: with one event without a sequence, nothing of its batch is applied."""
    versions = feed.versions()
    good = as_row(Event(key_of(0), 10_000, UPSERT, dict.fromkeys(VALUES)), 0)
    bad = (*good[:3], None, None, None, *good[6:])
    feed.spark.createDataFrame([good, bad], COLUMNS).writeTo(f"{feed.name}.events").append()
    for name in ("scd1", "scd2_pair"):
        with pytest.raises(ChangeEventsError, match="1 with a NULL sequence"):
            feed._apply(name)

    assert feed.versions() == versions


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@example(seed=0)
@given(seed=st.integers(0, 2**32))
def test_the_definition_keeps_its_own_laws(seed):
    """I2, I5, I10 to I12 and I16 hold in the oracle itself, so that it can be believed."""
    size = Size(keys=4, events=8, batches=3)
    events = [canonical(event) for batch in make_batches(seed, size) for event in batch]
    fine = grouped(oracle.history(events))

    assert (
        fine
        == grouped(oracle.history(sorted(events, key=lambda e: json.dumps(e.values))))
        == {
            key: versions
            for number in range(size.keys)
            for key, versions in grouped(oracle.history(e for e in events if e.key == key_of(number))).items()
        }
    )
    recoded = grouped(oracle.history(e._replace(sequence=(e.sequence // 3, e.sequence % 3)) for e in events))
    assert {k: [(s[0] * 3 + s[1], e and e[0] * 3 + e[1], v) for s, e, v in r] for k, r in recoded.items()} == fine
    filled = [e for line in oracle._timelines(events).values() for e in oracle._fill(line)]
    assert oracle.history(filled) == oracle.history(filled, ignore_nulls=True)
    assert grouped(oracle.history(filled)) == grouped(oracle.history(events, ignore_nulls=True))
    laws.intervals_are_sound(fine, events)
    laws.neighbours_differ(fine, events, set(VALUES))
    laws.coarser_is_a_union(fine, grouped(oracle.history(events, tracked=["b"])))
    laws.open_rows_are_current(fine, oracle.current(events))
    deletes = [Event(key_of(number), 5, DELETE, {}) for number in range(size.keys)]
    assert oracle.current([*events, Event(None, 5, TRUNCATE, {})]) == oracle.current([*events, *deletes])
