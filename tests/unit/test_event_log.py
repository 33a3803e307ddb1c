"""The events of an attempt, as another process reads them while it runs."""

from pathlib import Path

import pytest

from lakelocal.jobs import event_log
from lakelocal.jobs.event_log import LINES_SHOWN, Doing, EventLog, read_doing


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "load.events"


def cell(index: int, heading: str = "") -> dict[str, object]:
    return {"event": "cell", "index": index, "total": 4, "heading": heading}


def test_the_current_cell_and_the_last_lines_are_read_while_it_runs(place):
    """The progress of a statement counts until the next cell begins; a half-written line does not count."""
    with EventLog(place) as log:
        assert read_doing(place) is None
        log.add({"event": "kernel", "pid": 1})
        log.add(cell(1, "Load"))
        log.add({"event": "printed", "line": "three files"})
        log.add({"event": "progress", "done": 3, "total": 8})
        assert read_doing(place) == Doing(1, 4, "Load", ("three files",), 3, 8)

        log.add(cell(2, "Merge"))
        with place.open("a") as file:
            file.write('{"event": "ce')
        assert read_doing(place) == Doing(2, 4, "Merge", ("three files",), 0, 0)


def test_only_the_last_lines_are_shown(place):
    """In the order in which they were printed."""
    with EventLog(place) as log:
        for number in range(LINES_SHOWN + 5):
            log.add({"event": "printed", "line": str(number)})

    assert read_doing(place).lines == tuple(str(number) for number in range(5, LINES_SHOWN + 5))


def test_a_flood_of_output_ends_at_the_limit_and_cells_go_on(place, monkeypatch):
    """The file stays small however much a notebook prints."""
    monkeypatch.setattr(event_log, "PRINTED_BYTES", 1000)
    with EventLog(place) as log:
        for _ in range(100):
            log.add({"event": "printed", "line": "x" * 80})
        log.add(cell(3, "Last"))

    assert read_doing(place).heading == "Last"
    assert 500 < place.stat().st_size < 1200


def test_an_attempt_that_runs_no_notebook_tells_nothing(place):
    """There is no file."""
    assert read_doing(place) is None
