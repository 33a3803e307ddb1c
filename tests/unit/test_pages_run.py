"""The page of recorded runs: what it says, and that nothing in a run can act in it."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from recorded_runs import attempt, end, start, whole_run

from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.jobs.admission import enter_again
from lakelocal.jobs.tables import TableChange
from lakelocal.kernel.table import Table
from lakelocal.lakeflow.model import Job
from lakelocal.pages import run_file
from lakelocal.pages.graph import clipped, graph
from lakelocal.pages.links import WithinPage
from lakelocal.pages.notebooks import OUTPUT_LIMIT, Notebooks, bounded, with_basic_colours
from lakelocal.pages.rendering import _script as page_script
from lakelocal.pages.rendering import code, script_policy
from lakelocal.pages.run import overridden
from lakelocal.pages.timeline import timeline
from lakelocal.pages.triggers import trigger_in_words
from lakelocal.quarantine import is_quarantine

VOID = {"meta", "br", "col", "hr", "img", "link", "input"}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "runs.db")


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

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()  # in SVG, a tag may close itself

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sha256_of(text: str) -> str:
    """The digest of the script of the page *text*, as a policy names it."""
    script = text.partition("<script>")[2].partition("</script>")[0]
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_the_page_is_well_formed_and_reaches_nothing(records):
    """Every tag is closed, ids are unique, links stay in the page, and only the page's own script may run."""
    text = run_file(read_run(records, whole_run(records)))

    tags = Tags(text)
    assert text.count("<script>") == 1
    assert f"script-src 'sha256-{sha256_of(text)}'" in unescape(text)
    assert len(tags.ids) == len(set(tags.ids))
    assert {link for link in tags.links if not link.startswith("#")} == {"data:,"}, "the icon, so that none is fetched"
    assert {link[1:] for link in tags.links if link.startswith("#")} <= set(tags.ids)
    assert "default-src 'none'" in unescape(text)


def test_the_page_tells_of_every_attempt(records):
    """Retries, iterations and the child's tasks; in the table and in the timeline."""
    text = run_file(read_run(records, whole_run(records)))

    for word in (
        "load, attempt 1: FAILED",
        "load, attempt 2: SUCCESS",
        "one[1]: FAILED",
        "inner: TIMEDOUT",
    ):
        assert text.count(f'aria-label="{word}') == 1, word
    assert ">false</text>" in text
    assert ">ALL_DONE</text>" in text
    assert "ALL_SUCCESS" not in text
    assert text.count(">EXCLUDED<") == 3  # graph, timeline, list
    assert "2 attempts" in text
    assert "Timed out after 2 seconds." in text


def test_the_reason_is_first_and_leads_to_the_attempt(records):
    """The attempt of the task that failed first, in the child run if it was there; not the for-each task around it."""
    parent = start(records)
    child = start(records, job_key="sub", run_name="Sub", parent_run_id=parent)
    attempt(records, parent, "start", "FAILED", kind="run_job_task", child_run_id=child)
    attempt(records, child, "retried", "FAILED", error="once")
    attempt(records, child, "retried", attempt_number=1)
    attempt(records, child, "each", "FAILED", kind="for_each_task")
    iteration = {"for_each_task_key": "each", "index": 0, "input": "Recife"}
    guilty = attempt(records, child, "one", "FAILED", iteration=iteration, error="no such column")
    end(records, child, "FAILED")
    end(records, parent, "FAILED")

    run = read_run(records, parent)
    text = run_file(run)

    assert run.cause.run_id == guilty
    assert run.message == "start > each > one[0] Recife: no such column"
    before, _, after = text.partition(run.message.replace(">", "&gt;"))
    assert "<h1>" in before and "<h2>" not in before
    assert after.index(f'href="#attempt-{guilty}"') < after.index("<dl")


def test_the_graph_has_the_tasks_of_child_runs(records):
    """Inside of the task that started the run: the box is around its tasks."""
    run = read_run(records, whole_run(records))

    (outer,) = [node for node in graph(run, WithinPage()).nodes if node.inner]

    assert outer.title.startswith("start: SUCCESS")
    assert [node.name for node in outer.inner.nodes] == ["inner", "behind"]
    assert outer.box.width > outer.inner.width and outer.box.height > outer.inner.height
    assert run_file(run).count("<title>inner: TIMEDOUT") == 1


def test_an_iteration_is_shown_with_its_input(records):
    """In the timeline and in the list of tasks."""
    run_id = start(records)
    attempt(records, run_id, "each", kind="for_each_task")
    iteration = {"for_each_task_key": "each", "index": 1, "input": {"city": "Recife"}}
    attempt(records, run_id, "load", iteration=iteration)
    end(records, run_id, "SUCCESS")

    text = run_file(read_run(records, run_id))

    assert text.count(">load[1] city=Recife<") == 2


def test_only_the_last_failure_of_a_task_is_unfolded(records):
    """One that a later attempt made good is history."""
    run_id = start(records)
    attempt(records, run_id, "a", "FAILED")
    attempt(records, run_id, "a", attempt_number=1)
    attempt(records, run_id, "b", "FAILED")
    end(records, run_id, "FAILED")

    text = run_file(read_run(records, run_id))

    assert text.count("data-failed open") == 1
    assert text.index("data-failed open") > text.index(">a <span")


def test_the_attempts_of_a_task_are_counted_from_one_and_the_newest_is_first(records):
    """Each of several has a label; the only one of a task has none. The API counts from 0."""
    run_id = start(records)
    attempt(records, run_id, "a", "FAILED")
    attempt(records, run_id, "a", attempt_number=1)
    attempt(records, run_id, "b")
    end(records, run_id, "SUCCESS")

    text = run_file(read_run(records, run_id))

    notes = re.findall(r'<span class="task">(\w+)(?: <span class="note">(.*?)</span>)?</span>', text)
    assert notes == [("a", "attempt 2"), ("a", "attempt 1"), ("b", "")]


def repaired(records: Records) -> int:
    """A run that failed after 10 s, and whose tasks `load` and `after` a repair runs again since an hour later."""
    settings = {"tasks": [{"task_key": key} for key in ("first", "load", "after")]}
    settings["tasks"][2]["depends_on"] = [{"task_key": "load"}]
    run_id = start(records, settings=settings)
    attempt(records, run_id, "first")
    attempt(records, run_id, "load", "FAILED", error="no such table")
    attempt(records, run_id, "after", "UPSTREAM_FAILED", depends_on=[{"task_key": "load"}])
    end(records, run_id, "FAILED", at=1_010_000)
    enter_again(records, run_id, Job("nightly", 7, "Nightly", settings, ()), ["load", "after"])
    records.update_run(run_id, repair_start=4_610_000)
    return run_id


def test_what_a_repair_will_run_again_is_pending(records):
    """In the graph, in the timeline and in the list; the failed attempts are still there, and what is kept is."""
    run = read_run(records, repaired(records))

    assert {work.task_key: work.result for work in run.works} == {
        "first": "SUCCESS", "load": "PENDING", "after": "PENDING",
    }  # fmt: skip
    assert [node.title for node in graph(run, WithinPage()).nodes] == [
        "first: SUCCESS, 2.0 s", "load: PENDING", "after: PENDING",
    ]  # fmt: skip
    assert [row.state for row in timeline(run, WithinPage()).rows] == ["SUCCESS 2.0 s", "PENDING", "PENDING"]
    labels = re.findall(r'<span class="task">(\w+) <span class="note">(.*?)</span>', run_file(run))
    assert labels == [
        ("load", "attempt 2"), ("load", "attempt 1"), ("after", "attempt 2"), ("after", "attempt 1"),
    ]  # fmt: skip


def test_a_task_is_pending_no_longer_once_the_repair_has_begun_it(records):
    """Then it is in the state of its new attempt."""
    run_id = repaired(records)
    attempt(records, run_id, "load", None, attempt_number=1, repair=1, life_cycle_state="RUNNING")

    run = read_run(records, run_id)

    assert [work.result for work in run.works] == ["SUCCESS", "RUNNING", "PENDING"]


def test_the_time_before_a_repair_is_no_part_of_the_duration(records):
    """10 s, and 20 s an hour later, are 30 s; the axis is cut after a third."""
    run_id = repaired(records)
    begun = {"attempt_number": 1, "repair": 1, "start_time": 4_611_000, "end_time": 4_629_000}
    attempt(records, run_id, "load", **begun)
    end(records, run_id, "SUCCESS", at=4_630_000)

    run = read_run(records, run_id)
    drawn = timeline(run, WithinPage())

    assert run.duration == 30
    assert run.shape["run_duration"] == 30_000
    assert [(round(at, 1), text) for at, text in drawn.cuts] == [(33.3, "A gap of 1 h 00 min is left out")]
    bars = [(round(bar.left, 1), round(bar.width, 1)) for bar in drawn.rows[1].bars]
    assert bars == [(3.3, 6.7), (36.7, 60.0)]


def test_a_task_that_did_not_run_names_those_that_failed(records):
    """However many are in between; not those that were not needed."""
    run_id = start(records)
    guilty = attempt(records, run_id, "load", "FAILED")
    attempt(records, run_id, "other", "FAILED")
    attempt(records, run_id, "between", "UPSTREAM_FAILED", depends_on=[{"task_key": "load"}])
    message = "An upstream task failed."
    attempt(records, run_id, "last", "UPSTREAM_FAILED", depends_on=[{"task_key": "between"}], state_message=message)
    end(records, run_id, "FAILED")

    text = run_file(read_run(records, run_id))

    assert f'An upstream task failed: <a href="#attempt-{guilty}">load</a></p>' in text


def test_what_is_in_backticks_is_code():
    """And a backtick without a counterpart is itself."""
    assert code("`a < b`: found `c`") == "<code>a &lt; b</code>: found <code>c</code>"
    assert code("it`s <b>") == "it`s &lt;b&gt;"


def test_a_text_in_a_box_is_cut_where_the_box_ends():
    """Capitals take more room than small letters."""
    assert clipped("i" * 30, 206) == "i" * 30
    assert clipped("I" * 30, 206) == "I" * 24 + "…"
    assert clipped("UPSTREAM_FAILED, 2 attempts", 206) == "UPSTREAM_FAILED, 2 attempts"


@pytest.mark.parametrize(
    ("codes", "shown"),
    [
        ("38;5;28", "32"), ("38;5;130", "33"), ("1;38;5;129", "1;35"), ("48;5;226", "43"), ("38;5;9", "31"),
        ("38;5;244", "37"), ("0;31", "0;31"),
    ],
)  # fmt: skip
def test_the_256_colours_of_a_terminal_become_the_eight_of_the_page(codes, shown):
    """Green, brown, violet; yellow behind the text; light red; grey."""
    assert with_basic_colours(f"\x1b[{codes}mword\x1b[0m") == f"\x1b[{shown}mword\x1b[0m"


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("ONE_TIME", "Manual"), ("PERIODIC", "Scheduled"), ("FILE_ARRIVAL", "File arrival"), ("TABLE", "Table update"),
        ("CONTINUOUS", "Continuous"), ("RUN_JOB_TASK", "Run job task"), ("RETRY", "Retry"), ("API_CALL", "API call"),
    ],
)  # fmt: skip
def test_triggers_are_named_as_in_databricks(trigger, words):
    """Not as in its API."""
    assert trigger_in_words(trigger) == words


def test_changed_tables_are_listed_and_quarantine_stands_out(records):
    """Tables without a changed row are named below; tables that the run did not write are not."""
    run_id = start(records)
    attempt(records, run_id, "a")
    end(records, run_id, "SUCCESS")
    changes = [
        TableChange("silver.orders", 4, commits=1, inserted=1234, rows=5678),
        TableChange("ops.quarantine_orders", 1, commits=1, inserted=3, rows=3),
        TableChange("ops.made", 0, commits=1, rows=0),
        TableChange("ops.other", 9, commits=0),
    ]

    text = run_file(read_run(records, run_id), changes)

    assert "<td>1,234</td><td>–</td><td>–</td>" in text and "<td>5,678</td><td>4</td>" in text
    assert '<tr class="mixed"><th scope="row">ops.quarantine_orders <span class="note">quarantine</span>' in text
    assert "Written without any row: ops.made<" in text
    assert "ops.other" not in text
    assert "rows now" in text
    assert "rows now" not in run_file(read_run(records, run_id), changes[2:3])  # a table without rows would be empty


@pytest.mark.parametrize(
    ("table", "is_one"),
    [
        ("ops.quarantine_orders", True), ("silver.orders_quarantine", True), ("Quarantined.rows_of_today", True),
        ("dq.rejects", True), ("bronze.orders_bad_records", True), ("main.ops.dead_letter", True),
        ("silver.orders", False), ("ops.rejection_rates", False), ("gold.quarantines_by_day", False),
    ],
)  # fmt: skip
def test_quarantine_is_known_by_its_name(table, is_one):
    """The usual words, as whole words."""
    assert is_quarantine(table) is is_one


def test_a_parameter_is_marked_only_where_its_value_is_not_the_defaults(records):
    """A default that is a reference is resolved for this run before it is compared."""
    assert overridden(read_run(records, whole_run(records))) == {"n"}

    of_trigger = "{{job.trigger.time.iso_date}}"
    day = {"day": [of_trigger, "1970-01-03"]}
    scheduled = start(records, job_parameters=day, trigger="PERIODIC", trigger_time=2 * 86_400_000)
    assert overridden(read_run(records, scheduled)) == set()
    assert overridden(read_run(records, start(records, job_parameters=day))) == {"day"}


def test_an_active_run_says_so_and_shows_what_waits(records):
    """Tasks that have not begun come from the settings."""
    settings = {"tasks": [{"task_key": "a"}, {"task_key": "b", "depends_on": [{"task_key": "a"}]}, {"task_key": "c"}]}
    run_id = start(records, settings=settings, only_tasks=["a", "b"])
    attempt(records, run_id, "a", None)
    run = read_run(records, run_id)

    text = run_file(run)
    Tags(text)
    assert "This run had not ended when this page was made" in text
    assert "b: PENDING" in text
    assert "c: PENDING" not in text, "it was not chosen for this partial run"


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


def test_the_tables_of_display_are_whole_and_work(tmp_path, browser):
    """The page has their script, once, and its policy allows no other."""
    table = Table([("n", "bigint")], [[2], [10], *([each] for each in range(100, 1098))])
    foul = table.to_html().replace("</table>", "<script>document.title = 'x'</script></table>")
    outputs = [new_output("display_data", data={"text/html": html}) for html in (table.to_html(), foul)]
    notebook(tmp_path / "n.ipynb", *outputs)

    html = Notebooks().html(tmp_path / "n.ipynb")

    assert "script" not in Tags(html).found
    assert html.count('<td align="right">') == 2000
    policy = f'<meta http-equiv="Content-Security-Policy" content="{script_policy()}">'
    text = f"<!doctype html>{policy}<title>t</title>{html}<script>{page_script()}</script>"
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_role("searchbox").first.fill("n<100")
    assert page.locator("tbody").first.get_by_role("cell").all_inner_texts() == ["2", "10"]
    with page.expect_download():
        page.get_by_role("button", name="CSV").first.click()
    assert page.title() == "t"
    page.close()


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


def test_the_failed_cell_stands_out_under_the_number_that_messages_name(tmp_path):
    """Cells that papermill adds do not count, and its own words about the failure are left out."""
    added = new_code_cell("day = 1", metadata={"tags": ["injected-parameters"]})
    tagged = {"metadata": {"tags": ["papermill-error-cell-tag"]}}
    banner, mark = (new_markdown_cell("An Exception was encountered at In [3]", **tagged) for _ in range(2))
    trace = ["ZeroDivisionError", "\x1b[36mCell \x1b[39m\x1b[32mIn[3]\x1b[39m, line 1"]
    failed = new_code_cell(
        "1 / 0",
        execution_count=3,
        metadata={"papermill": {"exception": True}},
        outputs=[new_output("error", ename="ZeroDivisionError", evalue="", traceback=trace)],
    )
    cells = [banner, new_code_cell("import os"), added, mark, failed, new_code_cell("'not run'")]
    place = tmp_path / "n.ipynb"
    nbformat.write(new_notebook(cells=cells), place)

    text = Notebooks().html(place, "failed-7")

    Tags(text)
    before, _, after = text.partition('<section class="failed-cell" id="failed-7"')
    inside, _, behind = after.partition("</section>")
    assert "Cell 2 failed" in inside and "ZeroDivision" not in before
    assert re.sub("<.*?>", "", inside).count("Cell 2, line 1") == 1
    assert "In&nbsp;[" not in text and "import" in before and "not run" in behind and "encountered" not in text
