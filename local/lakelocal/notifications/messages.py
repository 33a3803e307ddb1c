"""What is said: an e-mail, or the payload of a webhook, for each destination of an occasion.

The payload is that of Databricks' HTTP webhooks: `event_type`, `workspace_id`, `run`, `job`; for an attempt also
`task`, and the run of the job as `run.parent_run_id`. Ids are numbers, as clients of it read them; the documentation's
examples have placeholders only. The code `jobs.on_streaming_backlog_exceeded` is not in its table of event types.

Databricks does not document the text of its e-mails; this one is our own.

Source: Databricks documentation, "Add notifications on a job", HTTP webhook payloads.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lakelocal.lakeflow import events
from lakelocal.lakeflow.results import Ending
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.rules import EMAIL, Destination, destinations, ending, threshold
from lakelocal.program import PROGRAM

_ADDRESS = re.compile(r'[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\"]+')
WORKSPACE_ID = 0  # what `{{workspace.id}}` gives here


@dataclass(frozen=True)
class Email:
    """One e-mail to all of *to*; *text* and *html* say the same."""

    event_type: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str

    @property
    def addresses(self) -> list[str]:
        """Those of *to* that are addresses."""
        return [each for each in self.to if _ADDRESS.fullmatch(each)]


@dataclass(frozen=True)
class WebhookCall:
    """One call of the notification destination with the id *to*; *payload* is the body."""

    event_type: str
    to: tuple[str, ...]
    subject: str
    payload: dict[str, Any]


Message = Email | WebhookCall


def messages(what: Occasion) -> list[Message]:
    """The messages that *what* causes, by all its switches; none where nobody is to hear of it."""
    return [_message(what, destination) for destination in destinations(what)]


def _message(what: Occasion, destination: Destination) -> Message:
    event_type, subject = f"jobs.{what.event}", _subject(what)
    if destination.channel == EMAIL:
        facts = list(_facts(what))
        return Email(event_type, destination.to, subject, _text(subject, facts), _html(subject, facts))
    return WebhookCall(event_type, destination.to, subject, _payload(what, event_type))


def _payload(what: Occasion, event_type: str) -> dict[str, Any]:
    job = {"job_id": what.job.id, "name": what.job.name}
    run = {"run_id": what.run["run_id"]}
    task = {}
    if what.task:
        run = {"run_id": what.subject["run_id"], "parent_run_id": what.run["run_id"]}
        task = {"task": {"task_key": what.task.key}}
    return {"event_type": event_type, "workspace_id": WORKSPACE_ID, **task, "run": run, "job": job}


def _subject(what: Occasion) -> str:
    task = f", task {what.task.key}" if what.task else ""
    attempt = f", attempt {what.attempt_number}" if what.attempt_number else ""
    name = " ".join(what.job.name.split())
    return f"{_headline(what)}: {name}{task}{attempt} (run {what.run['run_id']})"


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


def _facts(what: Occasion) -> Iterator[tuple[str, str]]:
    """Label and value of each line, in the order of reading."""
    yield "Job", what.job.name
    if what.task:
        yield "Task", what.task.key
        follows = "" if what.last else ", another follows"
        yield "Attempt", f"{what.attempt_number} (run {what.subject['run_id']}{follows})"
    yield "Run", str(what.run["run_id"])
    if target := what.run.get("target"):
        yield "Target", target
    yield "Result", what.result or what.life_cycle
    if message := what.subject.get("state", {}).get("state_message"):
        yield "Message", message
    if (error := what.subject.get("error")) and error != message:
        yield "Error", error
    if (allowed := threshold(what)) is not None:
        yield "Expected", f"at most {_span(allowed)}"
    if ending(what) != Ending.SKIPPED:
        yield "Started", _time(what.subject["start_time"])
    if ending(what) != Ending.SKIPPED and what.event != events.ON_START:
        yield "Duration", f"{_span(what.seconds)}{'' if ending(what) else ' so far'}"
    if notebook := what.subject.get("output_notebook"):
        yield "Notebook", notebook
    yield "Look", f"{PROGRAM} runs get {what.run['run_id']}{f' --target {target}' if target else ''}"


def _text(subject: str, facts: list[tuple[str, str]]) -> str:
    width = max(len(label) for label, _ in facts) + 2
    lines = [f"{label + ':':<{width}}{_indented(value, width)}" for label, value in facts]
    return "\n".join([subject, "", *lines, ""])


def _html(subject: str, facts: list[tuple[str, str]]) -> str:
    cells = '<tr><th align="left" valign="top">{}</th><td><pre>{}</pre></td></tr>'
    rows = "\n".join(cells.format(html.escape(label), html.escape(value)) for label, value in facts)
    return f"<html><body>\n<h3>{html.escape(subject)}</h3>\n<table>\n{rows}\n</table>\n</body></html>\n"


def _indented(value: str, width: int) -> str:
    return f"\n{' ' * width}".join(value.splitlines())


def _time(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: float) -> str:
    """`0:00:04`: hours, minutes, seconds."""
    return str(timedelta(seconds=round(seconds)))
