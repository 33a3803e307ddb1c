"""The view that prints a line for each event."""

import pytest

from lakelocal.attempt.engine import lines_for_people
from lakelocal.jobs.views import Lines, duration
from lakelocal.lakeflow.task_types.for_each import input_text


def test_each_event_is_one_line() -> None:
    """With the time of day and the task's path; a heading is shown once for all its cells."""
    lines: list[str] = []
    view = Lines(lines.append)

    view.preparing("checking")
    view.run_started((), 7, "Daily", ["a", "b"])
    view.task_started(("a",), 0)
    view.cell(("a",), "Load", 1, 3)
    view.cell(("a",), "Load", 2, 3)
    view.printed(("a",), "wrote 5 rows")
    view.task_ended(("a",), "FAILED", 1.5, "E: why")
    view.retrying(("a",), 1, 60)
    view.task_started(("a", "inner"), 1)
    view.note("stopping")
    view.run_started((), 8, "Daily", ["a"], 95)
    view.iterations_started(("a",), ["b[0]", "b[1]"], ["x", "y"], 2)

    assert [line[10:] for line in lines] == [
        "checking ...",
        "run 7 of Daily started: a, b",
        "a: started",
        "a: Load",
        "a:   wrote 5 rows",
        "a: FAILED after 1.5 s: E: why",
        "a: attempt 2 begins in 1 min 00 s",
        "a > inner: started (attempt 2)",
        "stopping",
        "run 8 of Daily started (usually 1 min 35 s): a",
        "a: 2 iterations, 2 at a time",
    ]
    assert all(line[2] == line[5] == ":" for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (65, "1 min 05 s"), (3725, "1 h 02 min")],
)
def test_durations_read_easily(seconds: float, text: str) -> None:
    """As precise as a reader needs."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("Recife", "Recife"), ({"city": "Recife", "n": 2}, "city=Recife, n=2"), (7, "7"), ([1, "é"], '[1, "é"]')],
)
def test_the_input_of_an_iteration_reads_easily(value: object, text: str) -> None:
    """As a person would name it."""
    assert input_text(value) == text
    assert len(input_text("x" * 99)) == 40


def test_what_a_cell_prints_is_shown_from_the_beginning_of_its_lines() -> None:
    """However much it prints at once, and without what is for machines: colours, records of a logger."""
    long = "Traceback " + "x" * 5000
    record = '{"ts": "2024-05-01", "level": "ERROR", "msg": "GRPC Error received"}'

    assert lines_for_people(f"\x1b[31mred\x1b[0m\n{record}\n{long}\n\n  last  \n") == ["red", long[:200], "last"]
    assert lines_for_people("\n".join(map(str, range(100))))[0] == "80"
