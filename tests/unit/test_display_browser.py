"""The tables of `display` in a real browser: sorted, filtered, downloaded, drawn, and plain where no script runs."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page, expect

from lakelocal.kernel.table import Table

COLUMNS = [("day", "date"), ("state", "string"), ("total", "decimal(12,2)"), ("note", "string")]
ROWS: list[list[object]] = [
    [date(2018, 1, 3), "SP", Decimal("9.50"), "two\nlines"],
    [date(2018, 1, 1), "RJ", Decimal("100.00"), 'say "a, b"'],
    [date(2018, 1, 2), "SP", None, ""],
    [date(2018, 1, 2), None, Decimal("-20.25"), None],
]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A notebook with two outputs, saved as HTML by nbconvert."""
    html = [
        Table(COLUMNS, ROWS, more=True, total=12345).to_html(),
        Table([("n", "bigint")], [[2], [10], [9]]).to_html(),
    ]
    cells = [
        new_code_cell("display(df)", outputs=[new_output("display_data", data={"text/html": each})]) for each in html
    ]
    place = tmp_path / "saved.html"
    place.write_text(
        HTMLExporter().from_notebook_node(nbformat.from_dict(new_notebook(cells=cells)))[0], encoding="utf-8"
    )
    return place


@pytest.fixture
def opened(browser: Browser, saved: Path) -> Iterator[Page]:
    """The saved notebook, without a network; errors of its scripts fail the test."""
    context = browser.new_context(accept_downloads=True, offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(saved.as_uri())
    yield page
    context.close()
    assert errors == []


def column(page: Page, at: int, table: int = 0) -> list[str]:
    return page.locator(".lakelocal-table").nth(table).locator(f"tbody tr td:nth-child({at})").all_inner_texts()


def test_a_click_on_a_head_sorts(opened: Page) -> None:
    """Numbers as numbers, upwards, downwards, and then as they were; NULL is last in both."""
    head = opened.get_by_role("columnheader", name="total")

    head.click()
    assert column(opened, 3) == ["-20.25", "9.50", "100.00", "NULL"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.press("Enter")
    assert column(opened, 3) == ["100.00", "9.50", "-20.25", "NULL"]
    head.click()
    assert column(opened, 3) == ["9.50", "100.00", "NULL", "-20.25"]
    opened.get_by_role("columnheader", name="day").click()
    assert column(opened, 1) == ["2018-01-01", "2018-01-02", "2018-01-02", "2018-01-03"]
    assert column(opened, 1, table=1) == ["2", "10", "9"], "the other output stays as it is"


@pytest.mark.parametrize(
    ("text", "totals"),
    [
        ("sp", ["9.50", "NULL"]),
        ("state=sp 2018-01-03", ["9.50"]),
        ("total>=9.5", ["9.50", "100.00"]),
        ("total<0", ["-20.25"]),
        ("state=NULL", ["-20.25"]),
        ("state!=NULL total=NULL", ["NULL"]),
        ("day>2018-01-01 day<2018-01-03", ["NULL", "-20.25"]),
        ('"a, b"', ["100.00"]),
        ("nothing=here", []),
        ("total>abc", []),
        ("", ["9.50", "100.00", "NULL", "-20.25"]),
    ],
)
def test_words_filter_the_rows(opened: Page, text: str, totals: list[str]) -> None:
    """Anywhere, or in one column by a comparison; the note says how many are left."""
    note = opened.locator(".lakelocal-table p").first
    said = "the first 4 of 12,345 rows"

    opened.get_by_role("searchbox").first.fill(text)

    assert column(opened, 3) == totals
    expect(note).to_have_text(said if len(totals) == 4 else f"{len(totals)} shown by the filter, of {said}")


def test_the_rows_that_are_shown_are_downloaded(opened: Page, tmp_path: Path) -> None:
    """As CSV, in their order; NULL is empty, and the empty text is quoted."""
    opened.get_by_role("columnheader", name="day").click()
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="CSV").first.click()
    waiting.value.save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_bytes().decode()

    assert list(csv.reader(text.splitlines(keepends=True))) == [
        ["day", "state", "total", "note"],
        ["2018-01-01", "RJ", "100.00", 'say "a, b"'],
        ["2018-01-02", "SP", "", ""],
        ["2018-01-02", "", "-20.25", ""],
        ["2018-01-03", "SP", "9.50", "two\nlines"],
    ]
    assert '2018-01-02,SP,,""\r\n2018-01-02,,-20.25,\r\n' in text


def test_a_chart_draws_the_columns_that_are_chosen(opened: Page) -> None:
    """Bars by state; rows without a value are counted; the filter holds for the chart too."""
    table = opened.locator(".lakelocal-table").first
    table.get_by_role("button", name="Chart").click()
    expect(table.locator("svg circle")).to_have_count(3)

    table.get_by_label("chart", exact=True).select_option("bar")
    table.get_by_label("x", exact=True).select_option("state")
    table.get_by_label("y", exact=True).select_option("number of rows")
    titles = table.locator("svg rect title").evaluate_all("all => all.map(each => each.textContent)")
    assert titles == ["SP: 2", "RJ: 1"]
    assert "1 rows without a value" in table.locator(".picture").inner_text()

    opened.get_by_role("searchbox").first.fill("state=RJ")
    expect(table.locator("svg rect")).to_have_count(1)
    table.get_by_label("chart", exact=True).select_option("histogram")
    expect(table.locator(".picture")).to_have_text("A histogram needs numbers or times as x.")


def test_keys_pressed_in_a_table_are_no_commands_of_jupyterlab(opened: Page) -> None:
    """Its commands skip an element with this attribute, not those below it: D D on a button would delete the cell."""
    controls = opened.locator(".lakelocal-table").first.locator("input, select, button, th")
    marked = controls.evaluate_all("all => all.map(each => each.hasAttribute('data-lm-suppress-shortcuts'))")

    assert len(marked) == 1 + 2 + 5 + 4 and all(marked)


EVERY_CHART = """() => {
  const wrong = [];
  for (const root of document.querySelectorAll(".lakelocal-table")) {
    root.querySelectorAll("button")[1].click();
    const [kind, x, y, , by] = root.querySelectorAll("select");
    const choices = [kind, x, y, by], all = choices.map(choice => [...choice.options]);
    for (const k of all[0]) for (const column of all[1]) for (const value of all[2]) for (const color of all[3]) {
      const chosen = [k, column, value, color];
      choices.forEach((choice, at) => { choice.value = chosen[at].value; });
      const names = chosen.map(option => option.text).join(" / ");
      try { kind.onchange(); } catch (error) { wrong.push(`${names}: ${error}`); }
      for (const mark of root.querySelectorAll("svg *")) for (const each of mark.attributes) {
        if (/NaN|Infinity|undefined/.test(each.value)) wrong.push(`${names}: ${each.name}`);
      }
    }
  }
  return wrong;
}"""


def test_every_chart_of_odd_values_can_be_drawn(browser: Browser, tmp_path: Path) -> None:
    """No value at all, one value, the same value, values beyond all scales, 300 words."""
    first = datetime(2018, 1, 1, tzinfo=UTC)
    odd: list[object] = [1.5, -3.0, float("nan"), float("inf"), None, 1e300]
    tables = [
        Table(
            [("n", "bigint"), ("odd", "double"), ("day", "date"), ("at", "timestamp"), ("", "string"), ("n", "int")],
            [
                [at, each, date(1, 1, 1 + at), first + timedelta(microseconds=at), "<&", 7]
                for at, each in enumerate(odd)
            ],
        ),
        Table([("x", "int"), ("y", "double")], [[5, 0.0], [5, 0.0]]),
        Table([("x", "int"), ("y", "double")], [[1, 1e17], [2, 1e17 + 16]]),
        Table([("nothing", "int"), ("at", "timestamp")], [[None, None], [None, None]]),
        Table([("word", "string"), ("y", "int")], [[f"word {at}", -at] for at in range(300)]),
        Table([("word", "string")], [["a"], ["b"]]),
    ]
    page = browser.new_page()
    (tmp_path / "odd.html").write_text(
        f'<meta charset="utf-8">{"".join(each.to_html() for each in tables)}', encoding="utf-8"
    )
    page.goto((tmp_path / "odd.html").as_uri())

    assert page.evaluate(EVERY_CHART) == []
    page.close()


def test_a_long_table_stays_in_the_page(browser: Browser, tmp_path: Path) -> None:
    """It scrolls in itself, its head in sight, also in a narrow window."""
    table = Table([(f"column_{at}", "string") for at in range(20)], [["some text"] * 20 for _ in range(500)])
    (tmp_path / "long.html").write_text(f'<!doctype html><meta charset="utf-8">{table.to_html()}', encoding="utf-8")
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto((tmp_path / "long.html").as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    page.locator(".rows").evaluate("rows => rows.scrollTo(0, 5000)")
    expect(page.get_by_role("columnheader", name="column_0").first).to_be_in_viewport()
    page.close()


def test_without_scripts_it_is_a_table(browser: Browser, saved: Path) -> None:
    """As on GitHub, or in a notebook that JupyterLab does not trust."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(saved.as_uri())

    assert page.get_by_role("button").count() == 0
    assert page.locator(".lakelocal-table tbody tr").count() == 7
    expect(page.locator(".lakelocal-table p").first).to_have_text("the first 4 of 12,345 rows")
    context.close()
