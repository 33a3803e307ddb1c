"""The one table of results, compared with values that are written out, and its readers compared with it."""

import io
from pathlib import Path

import pytest
from recorded_runs import start_run
from rich.console import Console

from lakelocal.bundle import Dependency, Job, Task
from lakelocal.export import junit
from lakelocal.history.api import run_shape
from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.jobs.live import Live
from lakelocal.jobs.progress import earlier_progress
from lakelocal.jobs.summary import print_summary
from lakelocal.lakeflow.events import event_of, has_notifications
from lakelocal.lakeflow.results import STATES, colour_of, end_message, meaning, message_of, state_of
from lakelocal.pages import run_file
from lakelocal.project import State

# state: counts as, fine, ran, may be tried again; code, type; told, event; tone, colour; message
TABLE = """
SUCCESS                SUCCESS  yes yes no  SUCCESS SUCCESS                 succeeded on_success good green
SUCCESS_WITH_FAILURES  SUCCESS  yes yes no  SUCCESS_WITH_FAILURES SUCCESS   succeeded on_success mixed yellow
FAILED                 FAILED   no  yes yes RUN_EXECUTION_ERROR CLIENT_ERROR  failed on_failure bad red
TIMEDOUT               FAILED   no  yes yes CANCELED CLIENT_ERROR           failed on_failure bad red
INTERNAL_ERROR         FAILED   no  yes yes INTERNAL_ERROR INTERNAL_ERROR   failed on_failure bad red
CANCELED               CANCELED no  yes no  USER_CANCELED CLIENT_ERROR      canceled on_failure bad red
MAXIMUM_CONCURRENT_RUNS_REACHED FAILED no no no MAX_CONCURRENT_RUNS_EXCEEDED CLIENT_ERROR skipped on_failure bad red
UPSTREAM_FAILED        FAILED   no  no  no  SKIPPED SUCCESS                 skipped on_failure none dim
UPSTREAM_CANCELED      CANCELED no  no  no  SKIPPED SUCCESS                 canceled on_failure none dim
EXCLUDED               EXCLUDED yes no  no  SKIPPED SUCCESS                 - - none dim
DISABLED               DISABLED no  no  no  DISABLED SUCCESS                - - none dim
SKIPPED                SUCCESS  yes no  no  SKIPPED SUCCESS                 skipped - none dim
QUEUED                 -        no  no  no  INTERNAL_ERROR INTERNAL_ERROR   - - none dim
PENDING                -        no  no  no  INTERNAL_ERROR INTERNAL_ERROR   - - none dim
BLOCKED                -        no  no  no  INTERNAL_ERROR INTERNAL_ERROR   - - none dim
RUNNING                -        no  yes no  INTERNAL_ERROR INTERNAL_ERROR   - - active cyan
TERMINATING            -        no  yes no  INTERNAL_ERROR INTERNAL_ERROR   - - active cyan
WAITING                -        no  yes no  INTERNAL_ERROR INTERNAL_ERROR   - - active cyan
WAITING_FOR_RETRY      -        no  yes no  INTERNAL_ERROR INTERNAL_ERROR   - - active cyan
TERMINATED             -        no  yes no  INTERNAL_ERROR INTERNAL_ERROR   - - none dim
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_state_means(row: list[str]) -> None:
    """For other tasks, in the API, for people, and on screen."""
    state = row[0]
    found = meaning(state)
    flags = ("yes" if flag else "no" for flag in (found.is_fine, found.ran, found.broke))
    people = (found.told or "-", event_of(state) or "-", found.tone, colour_of(state))

    assert [state, found.counts_as or "-", *flags, found.code, found.type, *people] == row


def test_the_table_has_every_state_that_is_tested_here() -> None:
    """And no other; TERMINATED alone, without a result, is a bug."""
    assert {*STATES, "TERMINATED"} == {row[0] for row in ROWS}


def test_no_state_means_nothing() -> None:
    """A task that was never recorded neither succeeded nor failed."""
    found = meaning(None)

    assert (found.succeeded, found.failed, found.canceled, found.is_fine) == (False, False, False, False)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("SUCCESS", ""),
        ("FAILED", ""),
        ("TIMEDOUT", "Timed out after 60 seconds."),
        ("CANCELED", "Cancelled."),
        ("UPSTREAM_FAILED", "An upstream task failed."),
        ("UPSTREAM_CANCELED", "An upstream task was cancelled."),
        ("EXCLUDED", "Not run: the condition of its dependencies was not met."),
        ("DISABLED", "Not run: the task or what it needs is disabled."),
    ],
)
def test_the_message_of_an_end(result: str, message: str) -> None:
    """The record of a task has it if there is no error to report."""
    assert message_of(result, timeout_seconds=60) == message


FAILED_TASK = "Task b failed with message: Workload failed, see run output for details."
PASSED_OVER = "Passed over, since their types do not run locally: b."


@pytest.mark.parametrize(
    ("result", "states", "message"),
    [
        ("SUCCESS", {"a": "SUCCESS"}, ""),
        ("FAILED", {"a": "SUCCESS", "b": "FAILED", "c": "UPSTREAM_FAILED"}, FAILED_TASK),
        ("FAILED", {"a": "SUCCESS", "b": "TIMEDOUT"}, FAILED_TASK),
        ("SUCCESS_WITH_FAILURES", {"a": "FAILED", "b": "SUCCESS"}, ""),
        ("SUCCESS", {"a": "SUCCESS", "b": "SKIPPED"}, PASSED_OVER),
        ("TIMEDOUT", {"a": "CANCELED", "b": "SKIPPED"}, "Timed out after 60 seconds."),
        ("CANCELED", {"a": "CANCELED"}, "Cancelled."),
    ],
)
def test_the_message_of_a_run(result: str, states: dict[str, str], message: str) -> None:
    """The task that failed, else what was passed over, else what the result says."""
    assert end_message(result, states, timeout_seconds=60) == message


def test_the_result_of_a_row_is_its_life_cycle_state_where_it_has_no_other() -> None:
    """A row of the history has an empty result, the API omits it."""
    assert state_of({"life_cycle_state": "TERMINATED", "result_state": "FAILED"}) == "FAILED"
    assert state_of({"life_cycle_state": "SKIPPED", "result_state": None}) == "SKIPPED"
    assert state_of({"life_cycle_state": "RUNNING"}) == "RUNNING"


def test_nobody_is_told_of_condition_tasks() -> None:
    """`ConditionTask` of the Jobs API supports neither retries nor notifications."""
    assert has_notifications("notebook_task")
    assert not has_notifications("condition_task")


def recorded(tmp_path: Path, *results: str) -> tuple[State, Records, int]:
    """A run whose attempts `a`, `b`, ... ended like this; one that was passed over has no result, as recorded."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    records = Records.of(state)
    run_id = start_run(records, job_id=1, job_key="j", run_name="Job", target="dev", trigger="ONE_TIME")
    row = {"job_run_id": run_id, "attempt_number": 0, "run_if": "ALL_SUCCESS", "depends_on": []}
    for key, result in zip("abcdefgh", results, strict=False):
        passed = result == "SKIPPED"
        ended = {"life_cycle_state": "SKIPPED" if passed else "TERMINATED", "result_state": None if passed else result}
        records.start_attempt(**row, **ended, task_key=key, kind="notebook_task", start_time=1, end_time=2)
    return state, records, run_id


def test_a_repair_does_not_count_what_was_passed_over(tmp_path: Path) -> None:
    """Both repairs and pages read the row in the same way: as not executed."""
    results = ("SUCCESS", "SKIPPED", "UPSTREAM_FAILED", "EXCLUDED", "FAILED")
    state, records, run_id = recorded(tmp_path, *results)
    tasks = tuple(Task(key, "notebook_task", {}, depends_on=(Dependency("a"),) * (key != "a")) for key in "abcde")

    progress = earlier_progress(
        Job("j", 1, "J", {}, tasks), records.attempts(run_id), again=(), state=state, run_id=run_id
    )

    assert progress.states == dict(zip("abcde", results, strict=True))
    assert progress.ran == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 1}


@pytest.mark.parametrize(
    ("result", "tone", "ansi"),
    [
        ("SUCCESS", "good", 32),
        ("SUCCESS_WITH_FAILURES", "mixed", 33),
        ("FAILED", "bad", 31),
        ("CANCELED", "bad", 31),
        ("MAXIMUM_CONCURRENT_RUNS_REACHED", "bad", 31),
        ("UPSTREAM_FAILED", "none", 2),
    ],
)
def test_every_view_shows_a_result_in_one_tone(tmp_path: Path, result: str, tone: str, ansi: int) -> None:
    """A cancelled run has the same colour on the page, after the run, in the table of its tasks and in a diff."""
    state, records, run_id = recorded(tmp_path, result)
    records.update_run(run_id, life_cycle_state="TERMINATED", result_state=result, start_time=1, end_time=2)
    out = io.StringIO()
    console = Console(file=out, width=160, force_terminal=True, color_system="standard")
    print_summary(run_shape(records, run_id), records, state, console)
    live = Live(Console(file=io.StringIO(), force_terminal=False))
    live.run_started((), 1, "Job", ["a"])
    live.task_ended(("a",), result, 1, "")
    with console.capture() as captured:
        console.print(live.table())
    live.close()

    assert f'<span class="badge {tone}">{result}</span>' in run_file(read_run(records, run_id))
    tasks, _, end = out.getvalue().rpartition("run 1:")
    for shown in (tasks, end, captured.get()):
        assert f"\x1b[{ansi}m{result}" in shown


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("SUCCESS", None),
        ("FAILED", "failure"),
        ("TIMEDOUT", "failure"),
        ("CANCELED", "failure"),
        ("UPSTREAM_FAILED", "skipped"),
        ("UPSTREAM_CANCELED", "skipped"),
        ("EXCLUDED", "skipped"),
        ("DISABLED", "skipped"),
        ("SKIPPED", "skipped"),
    ],
)
def test_a_test_report_calls_skipped_what_did_not_run(tmp_path: Path, result: str, outcome: str | None) -> None:
    """A task that was passed over counts as a success for other tasks, but not as a passed test."""
    _, records, run_id = recorded(tmp_path, result)
    records.update_run(run_id, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=2)

    report = junit(read_run(records, run_id))

    assert [name for name in ("failure", "skipped") if f"<{name} " in report] == ([outcome] if outcome else [])


def test_a_run_that_found_no_slot_is_a_failure_in_a_test_report(tmp_path: Path) -> None:
    """Nothing of it ran, but it must not look green."""
    _, records, run_id = recorded(tmp_path)
    limit = {"life_cycle_state": "SKIPPED", "result_state": "MAXIMUM_CONCURRENT_RUNS_REACHED"}
    records.update_run(run_id, **limit, start_time=1, end_time=1)

    assert '<failure type="MAXIMUM_CONCURRENT_RUNS_REACHED"' in junit(read_run(records, run_id))
