"""A run as JUnit XML, which CI systems show as a test report: one testsuite per run, one testcase per task.

The last attempt of a task decides. Failed attempts before it are `flakyFailure` if the task then succeeded and
`rerunFailure` if it did not, as Maven Surefire writes reruns.

Source: the schema junit-10.xsd of Jenkins' xUnit plugin, which includes what Surefire writes.
"""

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lakelocal.history.recorded import Attempt, Run, Work

RUN_ITSELF = "(run)"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(run: Run) -> str:
    """The XML document for *run* and the runs below it; durations are in seconds, timestamps in UTC."""
    root = Element("testsuites", name=_text(run.name))
    for each in {each.run_id: each for each in run.with_descendants()}.values():
        root.append(_suite(each))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(run.duration))
    indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(run: Run) -> Element:
    cases = [_case(run, work) for work in run.works]
    if not run.is_active and not run.succeeded and not any(case.find("failure") is not None for case in cases):
        cases.append(_run_itself(run))
    suite = Element(
        "testsuite",
        name=_text(run.name),
        id=str(run.run_id),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors="0",
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=_seconds(run.duration),
        timestamp=datetime.fromtimestamp(run.shape["start_time"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=_text(socket.gethostname()),
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(run):
        SubElement(properties, "property", name=_text(name), value=_text(value))
    suite.extend(cases)
    return suite


def _properties(run: Run) -> Iterator[tuple[str, str]]:
    for name in ("run_id", "job_key", "target", "trigger"):
        yield name, str(run.shape[name])
    yield "state", run.result
    for parameter in run.shape["job_parameters"]:
        yield f"parameter.{parameter['name']}", parameter["value"]


def _case(run: Run, work: Work) -> Element:
    last, *earlier = reversed(work.attempts)
    case = Element(
        "testcase",
        name=_text(work.label),
        classname=_text(run.shape["job_key"]),
        time=_seconds(run.seconds(last.shape)),
    )
    if last.is_active:
        SubElement(case, "skipped", message=f"still {last.result} when this report was made")
    elif not last.ran:
        SubElement(case, "skipped", type=last.result, message=_text(last.message))
    elif not last.succeeded:
        SubElement(case, "failure", type=last.result, message=_text(last.message)).text = _text(
            last.trace or last.message
        )
    _add_earlier(case, [each for each in reversed(earlier) if each.ran and not each.succeeded], last)
    if last.notebook:
        SubElement(case, "system-out").text = _text(f"executed notebook: {last.notebook}")
    return case


def _add_earlier(case: Element, failed: list[Attempt], last: Attempt) -> None:
    name = "flakyFailure" if last.succeeded else "rerunFailure"
    for attempt in failed:
        entry = SubElement(case, name, type=attempt.result, message=_text(attempt.message))
        SubElement(entry, "stackTrace").text = _text(attempt.trace or attempt.message)


def _run_itself(run: Run) -> Element:
    """A testcase for a run that failed without a failed task, such as by its own timeout: it must not look green."""
    case = Element("testcase", name=RUN_ITSELF, classname=_text(run.shape["job_key"]), time="0.000")
    message = _text(run.message or f"The run ended with {run.result}.")
    SubElement(case, "failure", type=run.result, message=message).text = message
    return case


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    """*text* without the characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("\ufffd", text)
