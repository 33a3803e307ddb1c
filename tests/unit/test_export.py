"""The page and the JUnit report of recorded runs: what they say, and that nothing in a run can break them."""

import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.export import junit, page, read_run
from lakelocal.export.notebooks import OUTPUT_LIMIT, Notebooks, bounded
from lakelocal.export.page import overridden
from lakelocal.history.records import Records

EVIL = "<script>alert('x')</script> & \"q\" ]]>"
VOID = {"meta", "br", "col", "hr", "img", "link"}
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


def start(records: Records, **values) -> int:
    own = {"job_id": 7, "job_key": "nightly", "run_name": "Nightly", "target": "dev", "trigger": "ONE_TIME"}
    return start_run(records, **{**own, "start_time": 1_000_000, **values})


def end(records: Records, run_id: int, result: str, *, at: int = 1_060_000, message: str = "") -> None:
    records.update_run(
        run_id, life_cycle_state="TERMINATED", result_state=result, end_time=at, state_message=message
    )  # fmt: skip


def attempt(records: Records, run_id: int, key: str, result: str | None = "SUCCESS", **values) -> int:
    """An attempt that ran from second 1 to second 3 of the run, unless *values* say otherwise."""
    ended = {"life_cycle_state": "TERMINATED", "result_state": result, "end_time": 1_003_000} if result else {}
    own = {
        "attempt_number": 0,
        "kind": "notebook_task",
        "run_if": "ALL_SUCCESS",
        "depends_on": [],
        "start_time": 1_001_000,
    }
    return records.start_attempt(job_run_id=run_id, task_key=key, **{**own, **ended, **values})


class Tags(HTMLParser):
    """Checks that every tag is closed, and collects tags, ids and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.found.add(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_schema(text: str) -> ET.Element:
    """The root of *text*, valid against the schema."""
    root = ET.fromstring(text)
    for each in root.iter():
        attributes, children = (part.split() for part in SCHEMA[each.tag])
        assert each.attrib.keys() <= {name.rstrip("!") for name in attributes}, each.tag
        assert each.attrib.keys() >= {name[:-1] for name in attributes if name.endswith("!")}, each.tag
        assert {child.tag for child in each} <= set(children), each.tag
    return root


def whole_run(records: Records) -> int:
    """A run with a retry, a condition, an iteration, a child run, and hostile names."""
    parent = start(
        records, run_name=EVIL, job_parameters={"day": ["{{job.start_time.iso_date}}", "1970-01-01"], "n": ["1", "2"]}
    )
    attempt(records, parent, "load", "FAILED", error=EVIL, error_trace=f"trace \x1b[31m\x00 {EVIL}")
    attempt(records, parent, "load", attempt_number=1, start_time=1_005_000, end_time=1_009_500)
    attempt(records, parent, "check", kind="condition_task", depends_on=[{"task_key": "load"}])
    attempt(records, parent, "no", "EXCLUDED", depends_on=[{"task_key": "check", "outcome": "false"}])
    attempt(records, parent, "each", kind="for_each_task")
    for index, result in ((1, "FAILED"), (0, "SUCCESS")):
        iteration = {"for_each_task_key": "each", "index": index, "input": EVIL}
        attempt(records, parent, "one", result, iteration=iteration, error=EVIL if result == "FAILED" else None)
    child = start(records, job_id=8, job_key="sub", run_name="Sub", parent_run_id=parent, trigger="RUN_JOB_TASK")
    attempt(records, parent, "start", kind="run_job_task", child_run_id=child)
    attempt(records, child, "inner", "TIMEDOUT", state_message="Timed out after 2 seconds.")
    attempt(records, child, "behind", "UPSTREAM_FAILED", depends_on=[{"task_key": "inner"}], run_if="ALL_DONE")
    end(records, child, "FAILED")
    end(records, parent, "FAILED", message="Task one failed")
    return parent


def test_the_page_is_well_formed_and_reaches_nothing(records):
    """Every tag is closed, ids are unique, links stay in the page, and names cannot become tags."""
    text = page(read_run(records, whole_run(records)))

    tags = Tags(text)
    assert "script" not in tags.found
    assert len(tags.ids) == len(set(tags.ids))
    assert {link for link in tags.links if link.startswith("#")} == set(tags.links)
    assert {link[1:] for link in tags.links} <= set(tags.ids)
    assert "default-src 'none'" in unescape(text)


def test_the_page_tells_of_every_attempt(records):
    """Retries, iterations and the child's tasks; in the table and in the timeline."""
    text = page(read_run(records, whole_run(records)))

    for word in (
        "load, attempt 0: FAILED",
        "load, attempt 1: SUCCESS",
        "one[1], attempt 0: FAILED",
        "inner, attempt 0: TIMEDOUT",
    ):
        assert text.count(f"<title>{word}") == 1, word
    assert ">false</text>" in text
    assert ">ALL_DONE</text>" in text
    assert "ALL_SUCCESS" not in text
    assert text.count(">EXCLUDED<") == 3  # graph, timeline, table
    assert "2 attempts" in text
    assert "Timed out after 2 seconds." in text


def test_a_parameter_is_marked_only_where_its_value_is_not_the_defaults(records):
    """A default that is a reference is resolved for this run before it is compared."""
    assert overridden(read_run(records, whole_run(records))) == {"n"}

    of_trigger = "{{job.trigger.time.iso_date}}"
    day = {"day": [of_trigger, "1970-01-03"]}
    scheduled = start(records, job_parameters=day, trigger="PERIODIC", trigger_time=2 * 86_400_000)
    assert overridden(read_run(records, scheduled)) == set()
    assert overridden(read_run(records, start(records, job_parameters=day))) == {"day"}


def test_an_active_run_says_so_and_shows_what_waits(records):
    """In the page and in the report; tasks that have not begun come from the settings."""
    settings = {"tasks": [{"task_key": "a"}, {"task_key": "b", "depends_on": [{"task_key": "a"}]}, {"task_key": "c"}]}
    run_id = start(records, settings=settings, only_tasks=["a", "b"])
    attempt(records, run_id, "a", None)
    run = read_run(records, run_id)

    text = page(run)
    Tags(text)
    assert "This run had not ended when this page was made" in text
    assert "b: PENDING" in text
    assert "c: PENDING" not in text, "it was not chosen for this partial run"
    (case,) = check_schema(junit(run)).iter("testcase")
    assert case.find("skipped").get("message").startswith("still RUNNING")


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
    assert "No task has begun." in page(read_run(records, run_id))


def notebook(place: Path, *outputs) -> Path:
    nbformat.write(new_notebook(cells=[new_code_cell("1 < 2", outputs=list(outputs))]), place)
    return place


def test_a_notebook_is_shown_without_what_could_act(tmp_path):
    """Its tables are kept; scripts, handlers, foreign images and unclosed tags are not."""
    html = (
        "</div></details><table onclick='x()'><tbody><tr><td>7</td></tr></tbody></table><img src='http://e.org/a.png'>"
    )
    place = notebook(
        tmp_path / "n.ipynb",
        new_output("display_data", data={"text/html": html}),
        new_output("display_data", data={"text/html": "<script>draw()</script>", "text/plain": "a figure"}),
        new_output("stream", text="<b>printed</b>"),
    )

    text = Notebooks().html(place)

    tags = Tags(text)
    assert {"table", "tbody", "td"} <= tags.found
    assert not {"script", "img", "b", "details"} & tags.found
    assert "onclick" not in text
    assert "a figure" in text
    assert "draw()" not in text
    assert "&lt;b&gt;printed" in text


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (new_output("stream", text="x" * (OUTPUT_LIMIT + 5)), "[cut: 5 characters]"),
        (new_output("error", ename="E", evalue="v", traceback=["x" * (OUTPUT_LIMIT + 9)]), "[cut: 9 characters]"),
        (new_output("display_data", data={"text/html": "x" * 200_000}), "[cut: text/html of 200.0 kB]"),
        (new_output("display_data", data={"image/png": "x" * 3_000_000}), "[cut: image/png of 3.0 MB]"),
    ],
)
def test_long_outputs_are_cut_and_say_so(output, shown):
    """Nothing is left out silently."""
    cut = bounded(output)

    assert shown in str(cut)
    assert len(str(cut)) < OUTPUT_LIMIT + 1000


def test_notebooks_that_cannot_be_shown_are_named(tmp_path):
    """Deleted, no notebook, or no room left on the page."""
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    full = Notebooks()
    full.left = 10

    assert "was deleted" in Notebooks().html(tmp_path / "gone.ipynb")
    assert "cannot be read" in Notebooks().html(broken)
    assert "too large for this page" in full.html(notebook(tmp_path / "n.ipynb"))


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
    Tags((tmp_path / f"run-{run_id}.html").read_text())
    capsys.readouterr()

    assert main(["runs", "export", "999"]) == 2
    assert main(["runs", "export", str(run_id), "-o", "no/such/folder.html"]) == 2
    assert "cannot be written" in capsys.readouterr().err
