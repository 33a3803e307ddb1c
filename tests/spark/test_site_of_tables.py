"""The pages of tables, quarantine and SQL, with real tables: what a browser gets, without a browser."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lakelocal.project import Project, State
from lakelocal.workspace.app import create_app
from lakelocal.workspace.workspace import Workspace

URL = "http://localhost:8080"


@pytest.fixture(scope="module")
def site(state: State, spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A browser that has been let in, and three relations in the schema `shop`."""
    root: Path = tmp_path_factory.mktemp("project")
    (root / "databricks.yml").write_text("bundle: {name: shop}\n")
    spark.sql("DROP SCHEMA IF EXISTS shop CASCADE")
    spark.sql("CREATE SCHEMA shop")
    spark.sql("CREATE TABLE shop.orders (id INT COMMENT 'The order', note STRING) COMMENT 'What was bought'")
    spark.sql("INSERT INTO shop.orders VALUES (1, '<b>bold</b>'), (2, NULL)")
    spark.sql("CREATE TABLE shop.quarantine_orders (id STRING, rule STRING, reason STRING)")
    spark.sql(
        "INSERT INTO shop.quarantine_orders VALUES ('x', 'id_parses', 'found `x`'), ('y', 'id_parses', 'found `y`')"
    )
    workspace = Workspace.of(Project(root, state.folder.parent), URL)
    with TestClient(create_app(workspace), base_url=URL, headers={"Origin": URL}) as client:
        client.get(workspace.gate.new_link())
        yield client
    spark.sql("DROP SCHEMA shop CASCADE")


def cells(text: str) -> list[str]:
    """The texts of the cells of all tables of a page."""
    found = re.findall(r"<td[^>]*>(.*?)</td>", text, re.DOTALL)
    return [html.unescape(re.sub("<[^>]*>", "", each)).strip() for each in found]


def executed(site: TestClient, statement: str) -> str:
    """The page of *statement* when it has ended; the server holds the answer until then."""
    answer = site.post("/sql", data={"catalog": "olist_dev", "statement": statement})
    path, stamp, text = answer.url.path, "", answer.text
    while 'data-live="/changes' in text:
        answer = site.get(f"/changes{path}?stamp={stamp}")
        stamp, text = answer.headers.get("x-stamp", stamp), answer.text or text
    return text


def test_tables_are_listed_and_refused_rows_stand_out(site: TestClient) -> None:
    """With a link to each table."""
    text = site.get("/tables").text

    assert '<a href="/tables/olist_dev/shop.orders">orders</a>' in text
    refused = text.partition("Quarantine: refused rows")[2].partition("</section>")[0]
    assert '<a href="/tables/olist_dev/shop.quarantine_orders">shop.quarantine_orders</a> 2 rows' in refused


def test_a_table_shows_its_columns_its_history_and_its_rows(site: TestClient) -> None:
    """NULL differs from a text, and what a row contains cannot become a tag."""
    text = site.get("/tables/olist_dev/shop.orders").text
    assert "<p>What was bought</p>" in text
    assert cells(text)[:2] == ["int", "The order"]
    assert "WRITE" in cells(text) and "no known run" in text

    rows = site.get("/tables/olist_dev/shop.orders/rows").text
    assert sorted(cells(rows)) == ["1", "2", "<b>bold</b>", "NULL"]
    assert "<b>bold" not in rows and "<i>NULL</i>" in rows


def test_refused_rows_are_counted_by_their_reason(site: TestClient) -> None:
    """By the first column that says why, with an example of the others."""
    page = site.get("/tables/olist_dev/shop.quarantine_orders").text
    assert 'data-later="/tables/olist_dev/shop.quarantine_orders/reasons"' in page

    assert cells(site.get("/tables/olist_dev/shop.quarantine_orders/reasons").text) == ["id_parses", "2", "found `x`"]
    assert site.get("/tables/olist_dev/shop.orders/reasons").status_code == 404


def test_a_statement_has_rows_and_a_chart(site: TestClient) -> None:
    """The page that waits for it is given out as soon as it has ended."""
    text = executed(site, "SELECT note, id FROM shop.orders ORDER BY id;")

    assert cells(text) == ["<b>bold</b>", "1", "NULL", "2"]
    drawn = text.partition("Chart of note")[2].partition("</svg>")[0]
    assert drawn.count("<rect") == 2, "a bar for each row"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT nothing FROM shop.orders", "nothing"),
        ("SELECT 1; SELECT 2", "Found 2 statements; expected one."),
        ("-- only a comment", "Found no statements; expected one."),
    ],
)
def test_a_statement_that_cannot_be_executed_says_why(site: TestClient, statement: str, said: str) -> None:
    """On one line, without a plan or a trace."""
    text = executed(site, statement)

    why = re.search(r'<p class="why bad">(.*?)</p>', text, re.S)
    assert why and said in why[1] and "\n" not in why[1].strip()


@pytest.mark.parametrize("path", ["/tables/nowhere/shop.orders", "/tables/olist_dev/shop.nothing", "/sql/0815"])
def test_what_is_not_there_is_said_on_a_page(site: TestClient, path: str) -> None:
    """With the way back."""
    answer = site.get(path)

    assert answer.status_code == 404
    assert '<p class="why bad">' in answer.text and "<nav" in answer.text
