"""An occasion in words: its headline, and its facts line by line.

Databricks does not document the text of its e-mails; this text is our own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lakelocal.history.api import repair_command
from lakelocal.lakeflow import events
from lakelocal.lakeflow.results import Ending, attempt_name
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.rules import ending, threshold
from lakelocal.program import PROGRAM

LONGEST_REASON = 120  # characters of a subject


def subject(what: Occasion) -> str:
    """One line that says what happened, and to what."""
    task = f", task {what.task.key}" if what.task else ""
    attempt = f", {attempt_name(what.attempt_number)}" if what.attempt_number else ""
    name = " ".join(what.job.name.split())
    why = str(what.subject.get("reason", "")) if what.event == events.ON_FAILURE else ""
    cut = f": {why[: LONGEST_REASON - 1]}…" if len(why) > LONGEST_REASON else f": {why}" if why else ""
    return f"{_headline(what)}: {name}{task}{attempt} (run {what.run['run_id']}){cut}"


def _headline(what: Occasion) -> str:
    match what.event:
        case events.ON_START:
            return "Started"
        case events.ON_SUCCESS:
            return "Succeeded with failures" if what.result == "SUCCESS_WITH_FAILURES" else "Succeeded"
        case events.ON_FAILURE:
            return "Timed out" if what.result == "TIMEDOUT" else str(ending(what)).capitalize()
        case events.ON_DURATION:
            return f"Longer than {_span(threshold(what) or 0)}"
    return "Streaming backlog exceeded"


def facts(what: Occasion) -> Iterator[tuple[str, str]]:
    """The label and value of each line, in reading order."""
    if why := what.subject.get("reason"):
        yield "Reason", why
    yield "Job", what.job.name
    if what.task:
        yield "Task", what.task.key
        follows = "" if what.last else ", another follows"
        yield "Attempt", f"{what.attempt_number + 1} (run {what.subject['run_id']}{follows})"
    yield "Run", str(what.run["run_id"])
    if target := what.run.get("target"):
        yield "Target", target
    yield "Result", what.result or what.life_cycle
    message = what.subject.get("state", {}).get("state_message")
    if message and not why:  # in the Jobs API's words, it only says that there is a reason
        yield "Message", message
    if (error := what.subject.get("error")) and error not in (message, why):
        yield "Error", error
    if (allowed := threshold(what)) is not None:
        yield "Expected", f"at most {_span(allowed)}"
    if ending(what) != Ending.SKIPPED:
        yield "Started", _time(what.subject["start_time"])
    if ending(what) != Ending.SKIPPED and what.event != events.ON_START:
        yield "Duration", f"{_span(what.seconds)}{'' if ending(what) else ' so far'}"
    if notebook := what.subject.get("output_notebook"):
        yield "Notebook", notebook
    if what.folder:
        yield "Folder", what.folder
    which = f"{what.run['run_id']}{f' --target {target}' if target else ''}"
    yield "Look", f"{PROGRAM} runs open {which}"
    if not what.task and (repair := repair_command(what.run)):
        yield "Repair", repair


def _time(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: float) -> str:
    """`0:00:04`: hours, minutes, seconds."""
    return str(timedelta(seconds=round(seconds)))
