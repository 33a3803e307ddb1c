"""A correct applier passes in any order; a wrong one is caught, with the fewest events that show it."""

import json

import pytest
from lakehouse_fixtures import Lakehouse

from lakehouse.cdc import apply_changes
from lakehouse.cdc.errors import ChangeArgumentsError
from lakehouse.errors import ParameterError, VerificationError
from lakehouse.verification.feed import VerifiedFeed, feed_of_call
from lakehouse.verification.verify import verify

COLUMNS = "id STRING, city STRING, operation STRING, n BIGINT, _source_file STRING"
EVENTS = [
    *((f"k{k}", f"city {n % 3}", "DELETE" if (k + n) % 5 == 0 else "UPDATE", 10 * n, "a.csv") for k in range(8)
      for n in range(6)),
    ("tied", "x", "UPDATE", 1, "a.csv"),
    ("tied", "y", "UPDATE", 1, "b.csv"),
]  # fmt: skip
ARGUMENTS = {
    "keys": ["id"],
    "sequence_by": "n",
    "apply_as_deletes": "operation = 'DELETE'",
    "except_column_list": ["operation", "n"],
}


@pytest.fixture(scope="module")
def events(lakeflow, spark) -> str:
    """A table of events like those of staging, in a catalog that has been set up."""
    Lakehouse(lakeflow)
    spark.sql("CREATE SCHEMA IF NOT EXISTS verified")
    frame = spark.createDataFrame(EVENTS, COLUMNS)
    frame.writeTo("verified.events").using("delta").createOrReplace()
    return "verified.events"


def left(spark) -> list[str]:
    """The schemas that a verification could leave behind."""
    return [row[0] for row in spark.sql("SHOW SCHEMAS LIKE 'scratch*'").collect()]


@pytest.mark.slow("the feed of a lakehouse in three orders; the shorter feed below takes the same way")
def test_a_right_applier_makes_the_same_tables_in_any_order(spark, events, capsys):
    """Compared with the truth and in two shuffles; nothing is left behind."""
    truth = spark.createDataFrame(
        [("tied", "y", "1", None)], "id STRING, city STRING, __START_AT STRING, __END_AT STRING"
    )
    one = spark.table(events).where("id = 'tied'")
    one.writeTo("verified.one").using("delta").createOrReplace()

    done = verify(spark, [VerifiedFeed("one", "verified.one", ARGUMENTS, truth={"history": truth}),
                          VerifiedFeed("all", events, ARGUMENTS)], rounds=1, batches=3, seed=7)  # fmt: skip

    assert len(done) == 5 and not any(each.differs for each in done)
    assert "3 batches, seed 7" in capsys.readouterr().out
    assert left(spark) == []


class IgnoringLateEvents:
    """The textbook mistake: an event below what its key has seen in an earlier batch is not applied."""

    def __init__(self) -> None:
        self.taken: dict[str, list] = {}

    def __call__(self, spark, *, source: str, target: str, **arguments):
        order = arguments["sequence_by"]

        def key(row) -> tuple:
            return tuple(row[name] for name in arguments["keys"])

        def sequence(row) -> tuple:
            return tuple(row[name] for name in ([order] if isinstance(order, str) else order))

        taken, rows = self.taken.setdefault(target, []), spark.table(source)
        seen = {key(row): max(sequence(other) for other in taken if key(other) == key(row)) for row in taken}
        new = [row for row in rows.collect() if row not in taken]
        taken += [row for row in new if sequence(row) >= seen.get(key(row), sequence(row))]
        spark.createDataFrame(taken, rows.schema).writeTo(f"{target}_taken").using("delta").createOrReplace()
        return apply_changes(spark, source=f"{target}_taken", target=target, **arguments)


@pytest.mark.slow("a dozen replays; how they shrink is tested in tests/unit/test_shrinking.py")
def test_a_wrong_applier_is_caught_with_the_fewest_events(spark, events):
    """Two events of one key, the later one first, and nothing else; the message has the seed."""
    feed, wrong = VerifiedFeed("all", events, ARGUMENTS, kinds=("history",)), IgnoringLateEvents()

    with pytest.raises(VerificationError, match="fewest deliveries") as error:
        verify(spark, [feed], rounds=1, batches=2, seed=3, apply=wrong)

    assert error.value.seed == 3
    (first, early), (second, late) = error.value.deliveries
    assert first < second and early.id == late.id and early.n > late.n
    assert left(spark) == []


def test_a_difference_from_the_truth_says_that_the_events_agree(spark, events):
    """The truth is wrong, or belongs to other events: no sequence of events shows it."""
    truth = spark.createDataFrame([("k0", "nowhere")], "id STRING, city STRING")
    feed = VerifiedFeed("all", events, ARGUMENTS, truth={"current": truth})

    with pytest.raises(VerificationError, match="the events agree") as error:
        verify(spark, [feed], rounds=0, batches=2, seed=1)

    assert ("k0",) in error.value.keys and left(spark) == []


WIDE = "shop INT, id INT, day DATE, n INT, op STRING, x DOUBLE, y STRUCT<a: INT, b: STRING>, z MAP<STRING, INT>"
WIDE_CALL = {
    "source": "verified.wide",
    "keys": ["shop", "id"],
    "sequence_by": ["day", "n"],
    "apply_as_deletes": "op = 'D' -- gone",
    "except_column_list": ["day", "n", "op"],
    "stored_as_scd_type": 2,
    "track_history_column_list": ["x"],
    "ignore_null_updates": True,
}


@pytest.fixture(scope="module")
def wide(spark, events) -> dict:
    """The call of another kind of feed: a key of two numbers, a STRUCT as sequence, a NaN, a struct and a map."""
    numbers = ("1", "NULL", "double('NaN')")
    rows = ", ".join(
        f"({k % 2}, {k}, DATE'2018-01-0{1 + n // 2}', {n % 2}, '{'D' if (k + n) % 4 == 0 else 'U'}', "
        f"{numbers[(k + n) % 3]}, named_struct('a', {n}, 'b', NULL), map('m', {n}))"
        for k in range(4)
        for n in range(4)
    )
    spark.sql(f"CREATE OR REPLACE TABLE verified.wide ({WIDE}) USING delta")
    spark.sql(f"INSERT INTO verified.wide VALUES {rows}")
    return WIDE_CALL


def test_any_feed_is_verified_by_the_arguments_of_its_call(spark, wide):
    """Its target, which the call made, is compared with a single batch."""
    apply_changes(spark, target="verified.wide_history", **wide)
    feed = feed_of_call(spark, json.dumps({**wide, "target": "verified.wide_history"}))

    done = verify(spark, [feed], rounds=1, batches=3, seed=11)

    assert [(each.against, each.kind) for each in done] == [
        ("one batch and the pipeline's table", "history"),
        ("3 batches, seed 11", "history"),
    ]
    assert not any(each.differs for each in done) and left(spark) == []


def test_a_wrong_applier_of_any_feed_is_caught(spark, wide):
    """Two events of one key of two numbers, the later one first."""
    feed = feed_of_call(spark, json.dumps(wide))

    with pytest.raises(VerificationError, match="fewest deliveries") as error:
        verify(spark, [feed], rounds=1, batches=2, seed=5, apply=IgnoringLateEvents())

    (first, early), (second, late) = error.value.deliveries
    assert first < second and (early.shop, early.id) == (late.shop, late.id)
    assert (early.day, early.n) > (late.day, late.n) and left(spark) == []


def test_a_damaged_target_of_any_feed_is_told_with_its_key(spark, wide):
    """The events agree: the table was edited by hand."""
    apply_changes(spark, target="verified.wide_damaged", **wide)
    spark.sql("UPDATE verified.wide_damaged SET x = 7 WHERE id = 3 AND __END_AT IS NULL")
    feed = feed_of_call(spark, json.dumps({**wide, "target": "verified.wide_damaged"}))

    with pytest.raises(VerificationError, match="the events agree") as error:
        verify(spark, [feed], rounds=0, batches=2, seed=1)

    assert error.value.keys == [(1, 3)] and left(spark) == []


def test_a_feed_with_truncates_is_verified_without_shrinking(spark, wide):
    """A truncate affects every key, so the events of one key do not show what went wrong."""
    call = {k: v for k, v in wide.items() if k not in ("stored_as_scd_type", "track_history_column_list")}
    call["apply_as_truncates"] = "op = 'T'"
    feed = feed_of_call(spark, json.dumps(call))

    assert [each.kind for each in verify(spark, [feed], rounds=1, batches=2, seed=2)] == ["current"]
    truth = spark.table("verified.wide").selectExpr("shop", "id", "x", "y").limit(1)
    spoiled = VerifiedFeed("wide", feed.source, {**feed.arguments, "except_column_list": ["day", "n", "op", "z"]},
                           truth={"current": truth}, kinds=("current",))  # fmt: skip
    with pytest.raises(VerificationError, match="were not sought"):
        verify(spark, [spoiled], rounds=0, batches=2, seed=2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("{source", ParameterError, "`feed`: found `{source`"),
        ('["a"]', ParameterError, "expected a JSON object"),
        ('{"source": "a", "keys": ["k"]}', ParameterError, "found no `sequence_by`"),
        ('{"source": "a", "keys": ["k"], "sequence_by": "n", "key": 1}', ParameterError, "found `key`; expected names"),
        ('{"source": "a", "keys": "k", "sequence_by": "n"}', ChangeArgumentsError, "a list of column names"),
    ],
)
def test_what_is_no_call_is_told(spark, call, error, message):
    """Before anything is delivered."""
    with pytest.raises(error, match=message):
        feed_of_call(spark, call)
