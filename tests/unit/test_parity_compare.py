"""The verdicts of `diff` from hand-written input, and what is in its scope."""

from decimal import Decimal

import pytest
from pyspark.sql.types import DataType, IntegerType, LongType, StringType

from lakelocal.parity.compare import Comparison, compare_relations, compare_tasks, shared_columns
from lakelocal.parity.digests import Digest
from lakelocal.parity.outline import Relation, moved_since, relation_at
from lakelocal.parity.pairs import paired, telling_columns
from lakelocal.parity.report import conclusion
from lakelocal.parity.scope import DiffScope
from lakelocal.parity.search import HASHES, Row, within_limit
from lakelocal.parity.tasks import TaskPicture

ALL = DiffScope()
SOME, OTHER = Digest(3, Decimal(6), 1), Digest(3, Decimal(7), 1)


def relation(**columns: DataType) -> Relation:
    return Relation("silver.orders", version=1, columns=columns)


def test_tasks_differ_by_result_attempts_and_what_the_notebook_gave():
    """Each difference shows both sides."""
    a = {"load": TaskPicture("SUCCESS", 1, "10"), "same": TaskPicture("SUCCESS", 1)}
    b = {"load": TaskPicture("FAILED", 3, "12"), "same": TaskPicture("SUCCESS", 1)}

    load, same = compare_tasks(a, b)

    assert load.differences == (
        "result: A SUCCESS, B FAILED",
        "attempts: A 1, B 3",
        "notebook result: A `10`, B `12`",
    )
    assert (load.same, same.same) == (False, True)


def test_a_task_that_one_run_lacks_is_a_difference():
    """For example iterations of a for-each task over other inputs."""
    (verdict,) = compare_tasks({}, {"each[1]": TaskPicture("SUCCESS", 1)})

    assert (verdict.a, verdict.b, verdict.same) == ("absent", "SUCCESS", False)
    assert verdict.differences == ("only B has this task",)


def test_equal_digests_of_equal_columns_are_equal_tables():
    """The order of columns does not matter."""
    a, b = relation(x=LongType(), y=StringType()), relation(y=StringType(), x=LongType())

    verdict = compare_relations(a, b, (SOME, SOME), ALL)

    assert (verdict.same, verdict.differences, verdict.a) == (True, (), "3 rows")


def test_rows_may_be_as_many_and_have_other_values():
    """The count alone would call them equal."""
    verdict = compare_relations(relation(x=LongType()), relation(x=LongType()), (SOME, OTHER), ALL)

    assert (verdict.same, verdict.rows_differ) == (False, True)
    assert verdict.differences == ("same number of rows, different values",)


def test_types_and_missing_columns_are_told_and_their_values_not_compared():
    """The other columns are: a wider table may still have the same orders."""
    a, b = relation(x=LongType(), y=StringType(), z=LongType()), relation(x=IntegerType(), y=StringType(), w=LongType())

    verdict = compare_relations(a, b, (SOME, SOME), ALL)

    assert list(shared_columns(a, b, ALL)) == ["y"]
    assert (verdict.same, verdict.rows_differ) == (False, False)
    assert verdict.differences == (
        "column `x`: A bigint, B int; its values were not compared",
        "column `z`: only A has it (bigint)",
        "column `w`: only B has it (bigint)",
    )


def test_columns_that_differ_by_nature_are_left_out_and_named():
    """Even if only one side has one; `__START_AT` is content."""
    a = relation(id=LongType(), _ingested_at=LongType(), run_id=StringType(), __START_AT=LongType())
    b = relation(id=LongType(), __START_AT=LongType())

    verdict = compare_relations(a, b, (SOME, SOME), ALL)

    assert list(shared_columns(a, b, ALL)) == ["id", "__START_AT"]
    assert (verdict.same, verdict.ignored) == (True, ("_ingested_at", "run_id"))


@pytest.mark.parametrize(
    ("scope", "ignored"),
    [
        (DiffScope(), {"_at", "RUN_ID"}),
        (DiffScope(all_columns=True), set()),
        (DiffScope(ignored=("ID",), all_columns=True), {"id"}),
        (DiffScope(ignored=("ops.log.*id",), all_columns=True), {"id", "RUN_ID"}),
        (DiffScope(ignored=("other.log.id",), all_columns=True), set()),
    ],
)
def test_a_pattern_is_for_a_column_or_for_one_of_a_table(scope, ignored):
    """Case is ignored, as in Spark."""
    assert {name for name in ("id", "_at", "RUN_ID", "__END_AT") if scope.ignores("ops.log", name)} == ignored


def test_tables_are_taken_by_patterns_and_left_out_by_others():
    """What is excluded stays out, even if another pattern includes it."""
    scope = DiffScope(tables=("silver.*", "ops.*"), excluded=("*.progress",))

    assert [name for name in ("silver.a", "gold.a", "ops.progress", "Ops.B") if scope.takes(name)] == [
        "silver.a",
        "Ops.B",
    ]


def test_a_table_that_one_side_lacks_is_a_difference():
    """A view is called a view."""
    verdict = compare_relations(None, Relation("gold.v", is_view=True), None, ALL)

    assert (verdict.kind, verdict.same, verdict.differences) == ("view", False, ("only B has this view",))


def test_what_cannot_be_known_is_no_difference_and_is_told():
    """For a view of an earlier day; the verdict on the rest stands, and says what was left out."""
    old = Relation("gold.v", is_view=True, hidden="no versions")
    verdict = compare_relations(old, Relation("gold.v", is_view=True), None, ALL)
    equal = compare_relations(relation(), relation(), (SOME, SOME), ALL)

    assert (verdict.same, verdict.differences) == (None, ("no versions (A)",))
    assert conclusion(Comparison((equal, verdict))) == "EQUAL: 1 table; not compared: 1 view"


def test_a_table_that_cannot_be_read_is_a_difference():
    """Nobody knows whether it is equal: its files may be deleted."""
    gone = Relation("silver.orders", version=1, problem="its history begins after")

    assert compare_relations(gone, relation(), None, ALL).same is False
    verdict = compare_relations(relation(), relation(), ("a file is gone", SOME), ALL)
    assert (verdict.same, verdict.differences) == (False, ("A cannot be read: a file is gone",))
    assert conclusion(Comparison((verdict,))) == "NOT EQUAL: 1 table (of 1 table)"


@pytest.mark.parametrize(
    ("history", "version"),
    [([(0, 10), (1, 20), (2, 30)], 1), ([(2, 20), (1, 10)], 2), ([(0, 20)], 0)],
)
def test_a_table_is_read_at_its_last_version_of_the_time(history, version):
    """A commit at exactly that time counts; the order of the history does not matter."""
    assert relation_at("s.t", False, history, 20, "") == Relation("s.t", version=version)


def test_a_table_made_later_was_absent():
    """Its history is complete and begins later; if its beginning is cut off, nobody knows."""
    assert relation_at("s.t", False, [(0, 30)], 20, "") is None
    assert "begins after" in relation_at("s.t", False, [(5, 30)], 20, "").problem


def test_a_view_is_known_while_no_table_was_written_since():
    """Its present rows are those of the time then."""
    moved = moved_since({"s.a": [(0, 10)], "s.b": [(0, 10), (1, 21)], "s.c": None}, 20)

    assert moved == "s.b"
    assert "`s.b` was written after" in relation_at("s.v", True, None, 20, moved).hidden
    assert moved_since({"s.a": [(0, 20)]}, 20) == ""
    assert relation_at("s.v", True, None, 20, "") == Relation("s.v", is_view=True)


def test_buckets_are_searched_up_to_a_number_of_rows_and_one_at_least():
    """A huge table must not be moved; one bucket always shows something."""
    half = (HASHES // 2, Decimal(1))
    buckets = {1: half, 2: half, 3: half}

    assert within_limit([1, 2, 3], buckets, {}) == [1, 2]
    assert within_limit([1], {}, {1: (10 * HASHES, Decimal(1))}) == [1]


def test_the_two_states_of_a_row_stand_together():
    """By the most equal values, and by the first ones, where keys are; an unpaired row is shown alone."""
    a = [Row(("1", "x", "p"), 1), Row(("2", "y", "q"), 1), Row(("9", "z", None), 1)]
    b = [Row(("2", "y", "r"), 1), Row(("1", "w", "p"), 1)]

    assert paired(a, b) == [(a[0], b[1]), (a[1], b[0]), (a[2], None)]
    assert paired([Row(("1", "x"), 1)], [Row(("2", "x"), 1), Row(("1", "y"), 1)])[0][1].cells == ("1", "y")


def test_the_columns_that_differ_are_shown_before_others():
    """A wide table does not fit on a screen; the first columns identify the row."""
    pair = (Row(tuple("abcdef"), 1), Row(tuple("abcdeX"), 1))

    assert telling_columns([pair], 3) == [0, 1, 5]
    assert telling_columns([(pair[0], None)], 3) == [0, 1, 2]
