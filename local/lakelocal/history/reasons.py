"""Why a run or an attempt did not succeed: one sentence, the same wherever it is shown.

The reason of a run is that of the first of its tasks that failed, after the task's key. The reason of a task that
started another run is that of the other run, and the reason of a for-each task is that of an iteration. So a failure
is described by its cause, however many jobs are in between.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lakelocal.history.reading import RUNNER_GONE, History
from lakelocal.history.rows import RecordedAttempt, RecordedRun
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.task_types.for_each import input_text

LONGEST = 600  # characters; the notebook has the rest


def reason_of_run(run: RecordedRun, attempts: Sequence[RecordedAttempt], history: History) -> str:
    """The reason of *run*, such as `silver > load[2] Recife: ValueError: ...`; empty if it has not failed."""
    return str(_cause_of_run(run, attempts, history))


def reason_of_attempt(attempt: RecordedAttempt, history: History) -> str:
    """The reason of *attempt*: its error, or that of the run that it started; empty if it has not failed."""
    return str(_cause_of_attempt(attempt, history)) if meaning(attempt.state).failed else ""


class _Cause(NamedTuple):
    """An *error*, and the keys of the tasks on the way down to it."""

    path: tuple[str, ...]
    error: str

    def __str__(self) -> str:
        return f"{' > '.join(self.path)}: {self.error}" if self.path else self.error


def _cause_of_run(run: RecordedRun, attempts: Sequence[RecordedAttempt], history: History) -> _Cause:
    if run.end_time is None or meaning(run.state).is_fine:
        return _Cause((), "")
    failed = _first_failed(attempts)
    if failed is None:
        return _Cause((), f"{_with_next_step(shortened(run.state_message))}{_what_was_late(run, attempts)}")
    path, error = _cause_of_attempt(failed, history)
    return _Cause((_name(failed), *path), error)


def _cause_of_attempt(attempt: RecordedAttempt, history: History) -> _Cause:
    if attempt.child_run_id is not None:
        child = history.run(attempt.child_run_id)
        cause = _cause_of_run(child, history.attempts(child.run_id), history)
        if cause.error:
            return cause
    return _Cause((), _with_next_step(shortened(attempt.error or attempt.state_message)))


def _with_next_step(error: str) -> str:
    """*error*; if the runner is gone, with its likely cause and what to do."""
    return f"{error} It was killed, or the machine went down: repair the run." if error == RUNNER_GONE else error


def _what_was_late(run: RecordedRun, attempts: Sequence[RecordedAttempt]) -> str:
    """What a run that timed out as a whole was doing, and what to do about it."""
    running = [_name(each) for each in attempts if meaning(each.state).canceled and meaning(each.state).ran]
    if run.state != "TIMEDOUT" or not running:
        return ""
    return f" Running: {', '.join(running)}. Make that faster, or raise `timeout_seconds` of the job."


def shortened(text: str) -> str:
    """*text* as one line of at most `LONGEST` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _first_failed(attempts: Sequence[RecordedAttempt]) -> RecordedAttempt | None:
    """The task that failed first, in its last attempt; for a for-each task, the iteration."""
    last = {(each.task_key, (each.iteration or {}).get("index")): each for each in attempts}
    failed = [each for each in last.values() if meaning(each.state).broke]
    loops = {each.iteration["for_each_task_key"] for each in failed if each.iteration}
    causes = [each for each in failed if each.iteration or each.task_key not in loops]
    return min(causes, key=lambda each: each.run_id, default=None)


def _name(attempt: RecordedAttempt) -> str:
    """The task's key; for an iteration, the key of the for-each task, the iteration and its input."""
    if attempt.iteration is None:
        return attempt.task_key
    loop, index = attempt.iteration["for_each_task_key"], attempt.iteration["index"]
    return f"{loop} > {attempt.task_key}[{index}] {input_text(attempt.iteration['input'])}"
