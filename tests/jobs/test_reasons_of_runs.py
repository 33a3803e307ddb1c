"""Jobs that fail in many ways: each tells one reason, with the next step, and everywhere the same."""

import html
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from lakelocal.export import junit
from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.notifications.outbox import Outbox
from lakelocal.pages import run_file
from tests.jobs.conftest import Build, condition, task

pytestmark = pytest.mark.usefixtures("one_pool")

CELL = ' (cell 2 "Orders")'
HEAD = "# Orders"
WAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    "type": ("1 + 'rows'", {}, "TypeError: unsupported operand type(s) for +: 'int' and 'str', in `1 + 'rows'`" + CELL),
    "message": ("raise ValueError('found 0 rows; expected 1.')", {}, "ValueError: found 0 rows; expected 1." + CELL),
    "assertion": ("late = 2\nassert late == 0", {}, "AssertionError, in `assert late == 0` where late = 2" + CELL),
    "package": (
        "import no_such_package",
        {},
        "found no module `no_such_package`; install its package: `%pip install` in the first cell, or the environment "
        "of the task." + CELL,
    ),
    "file": (
        "open('/Volumes/main/raw/files/order.csv')",
        {},
        "found no file `/Volumes/main/raw/files/order.csv`; did you mean `/Volumes/main/raw/files/orders.csv`?" + CELL,
    ),
    "parameter": (
        "dbutils.widgets.get('day')",
        {},
        "No input widget named day is defined; defined: none. Names are case-sensitive. Pass the parameter, or create "
        'the widget with dbutils.widgets.text("day", "").' + CELL,
    ),
    "exit": (
        "raise SystemExit(3)",
        {},
        "the code exited with the exit code 3; expected 0, or dbutils.notebook.exit." + CELL,
    ),
    "killed": (
        "import os\nos.kill(os.getpid(), 9)",
        {},
        "the kernel was killed, most likely because the memory of the machine was used up; process fewer rows at a "
        "time, or by Spark instead of pandas, or free memory." + CELL,
    ),
    "notebook": (
        "dbutils.notebook.run('./filee', 60)",
        {},
        "`./filee`: found no notebook of this name in `{folder}`; expected an .ipynb, .py or .sql file. Did you mean "
        "`file`?" + CELL,
    ),
    "timeout": (
        "import time\ntime.sleep(60)",
        {"timeout_seconds": 10},
        'timed out after 10 seconds, in cell 2 "Orders"; make it faster, or raise `timeout_seconds` of the task.',
    ),
}


def told(text: str) -> str:
    """*text* of HTML as a person reads it, with backticks around what is shown as code."""
    quoted = re.sub("</?code>", "`", text)
    return " ".join(html.unescape(re.sub("<[^>]+>", "", quoted)).split())


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_has_one_reason_everywhere(build: Build, way: str) -> None:
    """In the run, its task, the report for CI, the page, the e-mail, and at the top of the executed notebook."""
    code, settings, expected = WAYS[way]
    mail = {"email_notifications": {"on_failure": ["ana@example.com"]}}
    job = {"name": "Daily", "tasks": [task("load", notebook=way, **settings)], **mail}
    case = build({"job": job}, {"file": [HEAD, "1"], way: [HEAD, code]})
    files = case.state.volumes / "raw" / "files"
    files.mkdir(parents=True)
    (files / "orders.csv").touch()
    reason = expected.replace("{folder}", str(case.project.root))

    run = case.run()

    (attempt,) = run["tasks"]
    assert (attempt["reason"], run["reason"]) == (reason, f"load: {reason}")
    recorded = read_run(Records.of(case.state), run["run_id"])
    assert f"load: {reason}" in told(run_file(recorded))
    (failure,) = ET.fromstring(junit(recorded)).iter("failure")
    assert failure.get("message") == reason
    (message,) = Outbox(case.state.outbox).entries()
    assert message.subject.startswith(f"Failed: Daily (run {run['run_id']}): load: {reason[:60]}")
    assert f"load: {reason}" in message.body.splitlines()[2]
    top = json.loads(Path(attempt["output_notebook"]).read_text())["cells"][0]
    assert told("".join(top["source"])).startswith(f"{attempt['state']['result_state']}: {reason}")


def test_the_reason_of_a_notebook_that_another_ran_is_the_reason_there(build: Build) -> None:
    """With its values and its cell. A notebook may have the name of a module that everything imports."""
    job = {"name": "Daily", "tasks": [task("load")]}
    case = build({"job": job}, {"load": [HEAD, "dbutils.notebook.run('./json', 60)"]})
    case.file("json.py").write_text("# Databricks notebook source\nrows = {'Natal': 1}\nrows['Recife']\n")

    reason = case.run()["reason"]

    assert reason.startswith(
        "load: `./json` failed: KeyError: 'Recife', in `rows['Recife']` where rows = {'Natal': 1} (cell 1, line 2 of "
        "json.py); see `"
    )
    assert reason.endswith(f"/json.ipynb`.{CELL}")


def test_the_reason_is_that_of_the_cause(build: Build) -> None:
    """Of a child run, of an iteration with its input, and of a condition, with the path of tasks that leads there."""
    loop = {
        "task_key": "each",
        "for_each_task": {"inputs": '["Natal", "Recife"]', "concurrency": 2, "task": task("city")},
    }
    loop["for_each_task"]["task"]["notebook_task"]["base_parameters"] = {"city": "{{input}}"}  # type: ignore[index]
    jobs = {
        "job": {"name": "Top", "tasks": [{"task_key": "low", "run_job_task": {"job_id": "${resources.jobs.low.id}"}}]},
        "low": {"name": "Low", "tasks": [loop]},
        "numbers": {"name": "Numbers", "tasks": [condition("enough", "many", "GREATER_THAN", "10")]},
    }
    code = "city = dbutils.widgets.get('city')\nif city == 'Recife':\n    raise ValueError(f'{city}: found no orders')"
    case = build(jobs, {"city": [HEAD, code]})

    assert case.run()["reason"] == f"low > each > city[1] Recife: ValueError: Recife: found no orders{CELL}"
    assert case.run("numbers")["reason"] == (
        "enough: condition_task: left: found `many`, expected a number: GREATER_THAN compares numbers. Correct the "
        "operand."
    )
