"""A right applier passes in any order; a wrong one is caught, with the fewest events that show it."""

import pytest
from lakehouse_fixtures import Lakehouse

from lakehouse.cdc import apply_changes
from lakehouse.errors import VerificationError
from lakehouse.verification import VerifiedFeed, verify

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
def events(spark, state) -> str:
    """A table of events as staging makes it, in a catalog that was set up."""
    Lakehouse(spark, state)
    spark.sql("CREATE SCHEMA IF NOT EXISTS verified")
    frame = spark.createDataFrame(EVENTS, COLUMNS)
    frame.writeTo("verified.events").using("delta").createOrReplace()
    return "verified.events"


def left(spark) -> list[tuple]:
    """What a verification could leave: schemas, and the progress of tables that are gone."""
    schemas = [row[0] for row in spark.sql("SHOW SCHEMAS LIKE 'scratch*'").collect()]
    return [*schemas, *spark.sql("SELECT target FROM ops.progress WHERE target LIKE 'scratch%'").collect()]


def test_a_right_applier_makes_the_same_tables_in_any_order(spark, events, capsys):
    """Beside the truth and in two shuffles; nothing is left."""
    truth = spark.createDataFrame(
        [("tied", "y", "1", None)], "id STRING, city STRING, __START_AT STRING, __END_AT STRING"
    )
    one = spark.table(events).where("id = 'tied'")
    one.writeTo("verified.one").using("delta").createOrReplace()

    done = verify(spark, [VerifiedFeed("one", "verified.one", "id", ARGUMENTS, truth={"history": truth}),
                          VerifiedFeed("all", events, "id", ARGUMENTS)], rounds=1, batches=3, seed=7)  # fmt: skip

    assert len(done) == 5 and not any(each.differs for each in done)
    assert "3 batches, seed 7" in capsys.readouterr().out
    assert left(spark) == []


class IgnoringLateEvents:
    """The textbook's mistake: an event below what its key has seen in an earlier batch is not applied."""

    def __init__(self) -> None:
        self.taken: dict[str, list] = {}

    def __call__(self, spark, *, source: str, target: str, **arguments):
        taken = self.taken.setdefault(target, [])
        seen = {row.id: max(other.n for other in taken if other.id == row.id) for row in taken}
        new = [row for row in spark.table(source).collect() if row not in taken]
        taken += [row for row in new if row.n >= seen.get(row.id, row.n)]
        spark.createDataFrame(taken, COLUMNS).writeTo(f"{target}_taken").using("delta").createOrReplace()
        return apply_changes(spark, source=f"{target}_taken", target=target, **arguments)


def test_a_wrong_applier_is_caught_with_the_fewest_events(spark, events):
    """Two events of one key, the later one first, and nothing else; the message has the seed."""
    feed, wrong = VerifiedFeed("all", events, "id", ARGUMENTS), IgnoringLateEvents()

    with pytest.raises(VerificationError, match="fewest deliveries") as error:
        verify(spark, [feed], rounds=1, batches=2, seed=3, apply=wrong)

    assert error.value.seed == 3
    (first, early), (second, late) = error.value.deliveries
    assert first < second and early.id == late.id and early.n > late.n
    assert left(spark) == []


def test_a_difference_from_the_truth_says_that_the_events_agree(spark, events):
    """The truth is wrong, or of other events: no sequence of events shows it."""
    truth = spark.createDataFrame([("k0", "nowhere")], "id STRING, city STRING")
    feed = VerifiedFeed("all", events, "id", ARGUMENTS, truth={"current": truth})

    with pytest.raises(VerificationError, match="the events agree") as error:
        verify(spark, [feed], rounds=0, batches=2, seed=1)

    assert "k0" in error.value.keys and left(spark) == []
