"""The page of `runs export` in a real browser: why a run failed; narrow windows, the keyboard, and no script."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page

from lakelocal.history.recorded import read_run
from lakelocal.history.records import Records
from lakelocal.pages import run_file
from tests.unit.recorded_runs import attempt, end, start

MESSAGE = "AnalysisException: silver.order_lines_of_the_day: column order_dat not found, did you mean order_date?"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run whose child run failed in the second cell of a notebook, beside 29 tasks that did not."""
    folder = tmp_path_factory.mktemp("page")
    failed = new_code_cell(
        "spark.table('orders').select('order_dat')",
        metadata={"papermill": {"exception": True}},
        outputs=[new_output("error", ename="AnalysisException", evalue="column", traceback=[MESSAGE])],
    )
    nbformat.write(new_notebook(cells=[new_code_cell("1"), failed]), folder / "silver.ipynb")
    records = Records(folder / "runs.db")
    parent = start(records, run_name="Daily", job_parameters={"run_date": ["{{job.start_time.iso_date}}", "x" * 200]})
    child = start(records, run_name="Pipeline", job_key="pipeline", parent_run_id=parent)
    for number in range(29):
        attempt(records, parent, f"task_with_a_rather_long_name_number_{number}")
    attempt(records, parent, "pipeline", "FAILED", kind="run_job_task", child_run_id=child)
    attempt(records, child, "silver", "FAILED", error=MESSAGE, output_notebook=str(folder / "silver.ipynb"))
    end(records, child, "FAILED")
    end(records, parent, "FAILED")
    page = folder / "run.html"
    page.write_text(run_file(read_run(records, parent)), encoding="utf-8")
    return page


@pytest.fixture
def page(browser: Browser, place: Path) -> Iterator[Page]:
    """The page at 1280 pixels; a test fails if the browser reports an error, such as a script that may not run."""
    yield from opened(browser, place, width=1280)


def opened(browser: Browser, place: Path, *, width: int, script: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(place.as_uri())
    yield page
    context.close()
    assert wrong == []


def test_one_click_leads_from_the_reason_to_the_cell(page: Page) -> None:
    """The reason is visible at once; its link shows the cell that failed, in the notebook of the child run."""
    assert page.get_by_text(f"pipeline > silver: {MESSAGE}").bounding_box()["y"] < 200

    page.get_by_role("link", name="Show where it failed").first.click()

    page.get_by_text("Cell 2 failed").wait_for()
    box = page.locator(".failed-cell").bounding_box()
    assert 0 <= box["y"] < 900


def test_a_bar_of_the_timeline_leads_to_the_cell_too(page: Page) -> None:
    """Collapsed boxes expand on the way."""
    page.get_by_role("button", name="Collapse all").click()
    assert not page.locator(".failed-cell").is_visible()

    page.get_by_role("link", name="silver: FAILED, from").click()

    page.locator(".failed-cell").wait_for()


def test_tasks_are_found_by_a_word_and_by_failure(page: Page) -> None:
    """The page says how many were found, to screen readers too."""
    boxes = page.locator("details.attempt:visible")
    assert boxes.count() == 31

    page.get_by_label("Find").fill("number_14")
    assert boxes.count() == 1
    page.get_by_label("Find").fill("")
    page.get_by_label("Only failed").check()
    assert boxes.count() == 2
    assert page.get_by_role("status").inner_text() == "2 of 31"


def test_a_large_graph_has_a_frame_that_begins_at_what_failed(page: Page) -> None:
    """So the tasks below the graph are never several screens away."""
    frame = page.get_by_role("group", name="Task graph").first

    assert frame.bounding_box()["height"] <= 0.76 * 900
    failed = frame.locator(".node.bad").first.bounding_box()
    assert frame.bounding_box()["y"] <= failed["y"] < frame.bounding_box()["y"] + frame.bounding_box()["height"]


def test_a_narrow_window_shows_everything_without_scrolling_aside(browser: Browser, place: Path) -> None:
    """At 400 pixels, only drawings and wide tables scroll, each separately, and the keyboard reaches them."""
    for page in opened(browser, place, width=400):
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert page.get_by_role("group", name="Task graph").first.get_attribute("tabindex") == "0"


def test_it_works_by_keyboard_and_without_its_script(browser: Browser, place: Path) -> None:
    """The first key skips to the content; boxes fold and unfold; whatever needs the script is hidden."""
    for page in opened(browser, place, width=1280, script=False):
        page.keyboard.press("Tab")
        assert page.get_by_role("link", name="Skip to the content").bounding_box()["x"] >= 0
        assert not page.get_by_label("Find").is_visible()
        assert page.locator(".failed-cell").is_visible()
        page.locator("details.attempt > summary").first.press("Enter")
        assert page.locator("details.attempt").first.get_attribute("open") is not None
