"""The pages of a workspace in a real browser: start a run, watch it, find why it failed, repair it; cancel, pause.

The tasks need no Spark. One of them waits for a file, so that a test can watch the run for as long as it needs.
"""

import re
from collections.abc import Iterator

import pytest
from databricks.sdk.service import jobs
from playwright.sync_api import Browser, BrowserContext, Page, expect

from lakelocal.cli.main import main
from lakelocal.workspace.running import RunningServer
from tests.workspace.served import Served

BUNDLE = """
bundle: {name: shop}
targets: {dev: {default: true}}
resources:
  jobs:
    daily:
      name: Daily load
      parameters: [{name: city, default: Recife}]
      tasks:
        - {task_key: load, notebook_task: {notebook_path: load.py}}
        - {task_key: after, depends_on: [{task_key: load}], notebook_task: {notebook_path: after.py}}
"""
LOAD = """# Databricks notebook source
# MAGIC %md # Look for rows
# COMMAND ----------
import pathlib, time
print("looking in", dbutils.widgets.get("city"))
while not (go := pathlib.Path("go")).exists():
    time.sleep(0.05)
# COMMAND ----------
# MAGIC %md # Count them
# COMMAND ----------
rows = int(go.read_text())
"""
LONG = 150_000  # milliseconds: the first kernel of a server takes its time on a busy machine


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A project with the job `daily`, and its server."""
    root = tmp_path_factory.mktemp("shop")
    (root / "databricks.yml").write_text(BUNDLE)
    (root / "load.py").write_text(LOAD)
    (root / "after.py").write_text("# Databricks notebook source\nprint('all is loaded')\n")
    server = Served(root).start()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The first page, as `runs open` lets a browser in; a test fails if a page reports an error."""
    context = browser.new_context()
    context.set_default_timeout(LONG)
    yield from let_in(context, served)


def let_in(context: BrowserContext, served: Served) -> Iterator[Page]:
    server = RunningServer.of(served.places)
    assert server is not None
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.link())
    yield page
    context.close()
    assert wrong == []


def run_now(page: Page) -> None:
    """Start a run and go to its page; a busy machine shows the list of runs first, in which it appears."""
    page.get_by_role("button", name="Run now").click()
    if "/runs?" in page.url:
        page.locator(".runs .name").first.click()


def test_a_run_is_started_watched_understood_and_repaired(page: Page, served: Served) -> None:
    """Without a reload, the page shows the cell, its output, the end, the reason; the cell is three clicks away."""
    go = served.root / "go"
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name="Daily load").click()
    page.get_by_label("city").fill("Olinda")
    run_now(page)

    expect(page.get_by_role("heading", level=1)).to_contain_text("Daily load", timeout=LONG)
    expect(page.locator(".log")).to_contain_text("looking in Olinda", timeout=LONG)
    expect(page.locator(".doing")).to_contain_text("cell 1 of 2: Look for rows")
    expect(page.get_by_role("heading", level=1)).to_contain_text("RUNNING")
    assert page.title().endswith("RUNNING")

    go.write_text("three")
    expect(page.get_by_role("heading", level=1)).to_contain_text("FAILED", timeout=LONG)
    expect(page.locator(".why")).to_contain_text("load: ValueError: invalid literal for int() with base 10: 'three'")

    page.goto(served.url)
    expect(page.locator(".reason").first).to_contain_text("ValueError")  # visible without a click
    page.get_by_role("link", name="Daily load").first.click()
    page.get_by_role("link", name="Show where it failed").click()
    expect(page.locator(".failed-cell")).to_contain_text("rows = int(go.read_text())")
    assert page.locator(".failed-cell").bounding_box()["y"] < page.viewport_size["height"]

    go.write_text("3")
    page.get_by_role("link", name=re.compile("Daily load, run")).click()
    expect(page.get_by_label("load FAILED")).to_be_checked()
    page.get_by_role("button", name="Repair run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SUCCESS", timeout=LONG)
    expect(page.locator("dl.facts").first).to_contain_text(re.compile(r"repairs\s*1"))


def test_the_command_line_opens_the_live_page(
    browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a link that lets a browser in once; the addresses of older pages lead there as well."""
    context = browser.new_context()  # which has no cookie yet
    context.set_default_timeout(LONG)
    page = context.new_page()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)

    assert main(["--project", str(served.root), "runs", "open", "1"]) == 0

    assert opened[0] in capsys.readouterr().out
    page.goto(opened[0])
    expect(page.get_by_role("heading", level=1)).to_contain_text("Daily load")
    page.goto(f"{served.url}/?o=1#job/7/run/1")
    expect(page).to_have_url(f"{served.url}/runs/1")
    page.goto(f"{served.url}/jobs/7/runs/1?o=1")
    expect(page).to_have_url(f"{served.url}/runs/1")
    context.close()


def test_a_run_is_cancelled(page: Page, served: Served) -> None:
    """Folded parts of the page stay folded while the run continues."""
    (served.root / "go").unlink(missing_ok=True)
    page.goto(f"{served.url}/jobs/of-bundle/daily")
    run_now(page)
    expect(page.locator(".log")).to_contain_text("looking in Recife", timeout=LONG)

    page.locator("summary", has_text="Cancel run").click()
    page.get_by_role("button", name="Cancel run").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("CANCELED", timeout=LONG)


def test_what_cannot_start_says_why_on_a_page(page: Page, served: Served) -> None:
    """With the message of the command line, and a link back."""
    bundle = served.root / "databricks.yml"
    bundle.write_text(BUNDLE.replace("load.py", "gone.py"))
    try:
        page.goto(f"{served.url}/jobs")
        expect(page.locator(".lines").first).to_contain_text("gone.py")
    finally:
        bundle.write_text(BUNDLE)


def test_a_deployed_schedule_is_paused_and_goes_on(page: Page, served: Served) -> None:
    """The settings that clients read change accordingly."""
    client = served.client()
    task = jobs.Task("c", condition_task=jobs.ConditionTask(op=jobs.ConditionTaskOp.EQUAL_TO, left="1", right="1"))
    schedule = jobs.CronSchedule("0 0 6 * * ?", "America/Recife")
    job_id = client.jobs.create(name="Deployed", tasks=[task], schedule=schedule).job_id

    page.goto(f"{served.url}/jobs")
    page.get_by_role("link", name="Deployed").click()
    expect(page.locator("dl.facts")).to_contain_text("09:00:00 UTC")  # Recife is three hours behind
    page.get_by_role("button", name="Pause the schedule").click()
    expect(page.get_by_role("button", name="Unpause the schedule")).to_be_visible()
    assert client.jobs.get(job_id).settings.schedule.pause_status == jobs.PauseStatus.PAUSED

    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SUCCESS", timeout=LONG)
    assert [run.state.result_state.value for run in client.jobs.list_runs(job_id=job_id)] == ["SUCCESS"]


def test_runs_are_found_by_their_state_their_job_and_their_text(page: Page, served: Served) -> None:
    """The filter is part of the address, so that it can be bookmarked and sent."""
    page.goto(f"{served.url}/runs")
    page.get_by_label("State").select_option("cancelled")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".runs tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(f"{served.url}/runs")
    page.goto(f"{served.url}/runs?text=olinda")
    expect(page.locator(".runs tbody tr")).to_have_count(1)
    expect(page.locator(".runs")).to_contain_text("city=Olinda")
    page.goto(f"{served.url}/runs?text=nowhere")
    expect(page.locator("main")).to_contain_text("No runs match the filter.")


@pytest.mark.parametrize("path", ["/runs", "/runs/1", "/jobs", "/jobs/of-bundle/daily", "/outbox"])
def test_every_page_fits_a_narrow_window_and_works_without_its_script(
    browser: Browser, served: Served, path: str
) -> None:
    """The window is 400 pixels wide; without the script, a reload shows the progress."""
    context = browser.new_context(viewport={"width": 400, "height": 800}, java_script_enabled=False)
    for page in let_in(context, served):
        page.goto(served.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert page.get_by_role("main").inner_text()
        assert page.get_by_role("heading", level=1).count() == 1
