"""The JUnit report of recorded runs: valid against its schema, and nothing in a run can break it."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from recorded_runs import EVIL, attempt, end, start, whole_run

from lakelocal.cli.main import main
from lakelocal.export import junit
from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records

# junit-10.xsd of Jenkins' xUnit plugin: attributes (! = required) and children of each element.
SCHEMA = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": (
        "name! tests! failures! errors! group time skipped timestamp hostname id package file log url",
        "testsuite properties testcase system-out system-err",
    ),
    "properties": ("", "property"),
    "property": ("name! value!", ""),
    "testcase": (
        "name! time classname group",
        "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err",
    ),
    "failure": ("type message", ""),
    "skipped": ("type message", ""),
    "flakyFailure": ("type! message", "stackTrace system-out system-err"),
    "rerunFailure": ("type! message", "stackTrace system-out system-err"),
    "stackTrace": ("", ""),
    "system-out": ("", ""),
}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "runs.db")


def check_schema(text: str) -> ET.Element:
    """The root of *text*, valid against the schema."""
    root = ET.fromstring(text)
    for each in root.iter():
        attributes, children = (part.split() for part in SCHEMA[each.tag])
        assert each.attrib.keys() <= {name.rstrip("!") for name in attributes}, each.tag
        assert each.attrib.keys() >= {name[:-1] for name in attributes if name.endswith("!")}, each.tag
        assert {child.tag for child in each} <= set(children), each.tag
    return root


def test_the_report_has_a_suite_a_run_and_a_case_a_task(records):
    """The last attempt decides; the one before it is reported as a flaky failure; what did not run is skipped."""
    root = check_schema(junit(read_run(records, whole_run(records))))

    parent, child = root
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == ["load", "check", "no", "each", "one[0]", "one[1]", "start", "inner", "behind"]
    assert (parent.get("tests"), parent.get("failures"), parent.get("skipped")) == ("7", "1", "1")
    assert (child.get("tests"), child.get("failures"), child.get("skipped")) == ("2", "1", "1")
    assert cases["load"].get("time") == "4.500"
    assert cases["load"].find("flakyFailure").get("message") == EVIL
    assert cases["load"].find("flakyFailure/stackTrace").text == f"trace \ufffd[31m\ufffd {EVIL}"
    assert cases["one[1]"].find("failure").get("message") == EVIL
    assert cases["inner"].find("failure").get("type") == "TIMEDOUT"
    assert cases["behind"].find("skipped").get("type") == "UPSTREAM_FAILED"
    assert {case.get("classname") for case in child.iter("testcase")} == {"sub"}
    assert parent.get("timestamp") == "1970-01-01T00:16:40"


def test_a_task_that_failed_again_has_its_first_failure_as_a_rerun(records):
    """As Surefire writes it: `failure` is the last one."""
    run_id = start(records)
    attempt(records, run_id, "a", "FAILED", error="first")
    attempt(records, run_id, "a", "FAILED", error="second", attempt_number=1)
    end(records, run_id, "FAILED")

    (case,) = check_schema(junit(read_run(records, run_id))).iter("testcase")

    assert case.find("failure").get("message") == "second"
    assert case.find("rerunFailure").get("message") == "first"


def test_a_run_that_failed_without_a_failed_task_is_not_green(records):
    """For example, a run that was refused a slot."""
    run_id = start(records)
    end(records, run_id, "MAXIMUM_CONCURRENT_RUNS_REACHED", message="no slot")

    (case,) = check_schema(junit(read_run(records, run_id))).iter("testcase")

    assert case.find("failure").get("message") == "no slot"


def test_a_run_that_goes_on_has_cases_that_are_skipped(records):
    """They say in which state the report was made."""
    run_id = start(records)
    attempt(records, run_id, "a", None)

    (case,) = check_schema(junit(read_run(records, run_id))).iter("testcase")

    assert case.find("skipped").get("message").startswith("still RUNNING")


def test_the_command_line_writes_both_forms(tmp_path, monkeypatch, capsys):
    """A page by default; only the report with --junit alone; a run that is not there is an error in one line."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: example}\n")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "state" / "main"
    folder.mkdir(parents=True)
    run_id = whole_run(Records(folder / "runs.db"))

    assert main(["runs", "export", str(run_id), "--junit", "r.xml"]) == 0
    assert not (tmp_path / f"run-{run_id}.html").exists()
    assert main(["runs", "export", str(run_id)]) == 0
    check_schema((tmp_path / "r.xml").read_text())
    assert (tmp_path / f"run-{run_id}.html").read_text().startswith("<!doctype html>")
    capsys.readouterr()

    assert main(["runs", "export", "999"]) == 2
    assert main(["runs", "export", str(run_id), "-o", "no/such/folder.html"]) == 2
    assert "cannot be written" in capsys.readouterr().err
