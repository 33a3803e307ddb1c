"""The log of a run: what its tasks have printed, together and in the order of time, also while they print more."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import attempt, end, start

from lakelocal.errors import UsageError
from lakelocal.history.records import Records
from lakelocal.jobs.event_log import events_file
from lakelocal.jobs.run_log import RunLog
from lakelocal.project import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path / "state").make()


def printed(state: State, run: int, key: str, *events: tuple[int, str], **task: Any) -> None:
    """Let the runner have written *events* of an attempt: a time, and a line or, behind `#`, the heading of a cell."""
    place = events_file(state, run, {"task_key": key, "attempt_number": 0, **task})
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a") as file:
        for at, text in events:
            cell = {"event": "cell", "index": 1, "total": 2, "heading": text.removeprefix("# ")}
            event = cell if text.startswith("# ") else {"event": "printed", "line": text}
            file.write(json.dumps({"at": at, **event}) + "\n")


def test_lines_of_all_tasks_are_in_the_order_of_time(state: State) -> None:
    """Those of a retry and of a run below stand under their names; the end of a task is told with its reason."""
    records = Records.of(state)
    run = start(records)
    child = start(records, parent_run_id=run)
    attempt(records, run, "load", "FAILED", end_time=2_000, error="ValueError: no rows")
    attempt(records, run, "load", None, attempt_number=1)
    attempt(records, run, "below", None, kind="run_job_task", child_run_id=child)
    attempt(records, child, "deep", None)
    printed(state, run, "load", (1_000, "# Files"), (1_500, "3 files"))
    printed(state, run, "load", (3_000, "4 files"), attempt_number=1)
    printed(state, child, "deep", (1_200, "from below"))

    found = RunLog(state, records, run).new_lines()
    lines = [f"{line.at} {line.task}: {line.text}" for line in found]

    assert lines == [
        "1000 load: code cell 1 of 2: Files",
        "1200 below > deep: from below",
        "1500 load: 3 files",
        "2000 load: FAILED: ValueError: no rows",
        "3000 load (attempt 2): 4 files",
    ]
    assert str(found[0]) == f"{time.strftime('%H:%M:%S', time.localtime(1))}  load: code cell 1 of 2: Files"
    assert [line.text for line in RunLog(state, records, run, "deep").new_lines()] == ["from below"]
    assert [line.text for line in RunLog(state, records, run, "below").new_lines()] == ["from below"]


def test_a_run_is_followed_to_its_end(state: State) -> None:
    """Each line is given once, and the task that is followed may begin later."""
    records = Records.of(state)
    tasks = [{"task_key": "load"}, {"task_key": "report"}]
    run = start(records, settings={"tasks": tasks})
    log = RunLog(state, records, run, "report")
    assert (log.new_lines(), log.has_ended()) == ([], False)

    number = attempt(records, run, "report", None)
    printed(state, run, "report", (1_000, "one"))
    assert [line.text for line in log.new_lines()] == ["one"]
    printed(state, run, "report", (2_000, "two"))
    ended = {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "end_time": 3_000}
    records.update_attempt(number, **ended, error="E: why")
    end(records, run, "FAILED")

    assert log.has_ended()
    assert [line.text for line in log.new_lines()] == ["two", "FAILED: E: why"]
    assert log.new_lines() == []


def test_a_loop_is_chosen_by_its_key_and_an_iteration_by_its_title(state: State) -> None:
    """A task that the run does not have is refused, with a similar name."""
    records = Records.of(state)
    run = start(records)
    attempt(records, run, "each", None, kind="for_each_task")
    for index, city in enumerate(("Natal", "Recife")):
        iteration = {"for_each_task_key": "each", "index": index, "input": city}
        attempt(records, run, "city", None, iteration=iteration)
        printed(state, run, "city", (index, city), iteration=iteration)

    assert [line.text for line in RunLog(state, records, run, "each").new_lines()] == ["Natal", "Recife"]
    assert [line.text for line in RunLog(state, records, run, "city[1] Recife").new_lines()] == ["Recife"]
    with pytest.raises(UsageError, match=r"found no task `eech`; its tasks are `each`, .*Did you mean `each`\?"):
        RunLog(state, records, run, "eech")
