"""Tables of a layer are made at the same time, and a failure stops no other table."""

import threading
from types import SimpleNamespace

import pytest

from lakehouse.errors import TablesFailedError, samples
from lakehouse.tables.delta import Written
from lakehouse.tables.together import attempt_together, run_together


def fail(message: str):
    def work() -> None:
        raise ValueError(message)

    return work


def test_work_runs_at_the_same_time():
    """Each waits for the other: running them one after the other would break the barrier."""
    barrier = threading.Barrier(2, timeout=20)

    assert run_together({"a": lambda: barrier.wait() >= 0, "b": lambda: barrier.wait() >= 0}) == {"a": True, "b": True}


def test_a_failure_is_told_with_the_others_done():
    """Its table is named, in the order of the work; the cause is the first."""
    done = []
    with pytest.raises(TablesFailedError) as failed:
        run_together({"a": fail("one"), "b": lambda: done.append("b"), "c": fail("two\n\nJVM stacktrace:\nat x")})

    assert done == ["b"]
    assert str(failed.value) == "2 of 3 tables failed, the others were written:\na: one\nc: two"
    assert list(failed.value.errors) == ["a", "c"]


def test_what_was_written_is_printed_as_it_comes(capsys):
    """A person sees progress, table by table."""
    kept = SimpleNamespace(written=Written("silver.t", 1204), counts=[])
    results, errors = attempt_together({"t": lambda: kept, "u": lambda: "nothing"})

    assert (list(results), errors) == (["t", "u"], {})
    assert capsys.readouterr().out == "wrote 1,204 rows to silver.t\n"
    assert str(Written("silver.t", 0)) == "silver.t: nothing new"


def test_a_message_shows_five_names_at_most():
    """The rest is a number."""
    assert samples(["a", "b"]) == "`a`, `b`"
    assert samples(list("abcdefg")) == "`a`, `b`, `c`, `d`, `e` and 2 more"
