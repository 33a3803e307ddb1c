"""The pages of a workspace under attack: HTML tags as names, wrong addresses, forms of other sites."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from lakelocal.history.records import Records
from lakelocal.workspace.workspace import Workspace
from tests.unit.pipeline_updates import recorded_update
from tests.unit.recorded_runs import attempt, end, start

EVIL = "</script><script>alert(1)</script>'\"&"
BUNDLE = """
bundle: {name: shop}
resources:
  pipelines:
    "p q%": {name: "<script>alert(1)</script>", schema: s, libraries: [{file: {path: "<script>.sql"}}]}
    missing: {name: Missing, schema: s, libraries: [{file: {path: nope.sql}}]}
  jobs:
    "a b%":
      name: "<script>alert(1)</script>"
      parameters: [{name: "p\\"><script>alert(1)</script>", default: "1"}]
      tasks: [{task_key: t, condition_task: {op: EQUAL_TO, left: "1", right: "1"}}]
    plain:
      name: Plain
      tasks: [{task_key: t, condition_task: {op: EQUAL_TO, left: "1", right: "1"}}]
"""


@pytest.fixture
def site(stranger: TestClient, workspace: Workspace) -> Iterator[TestClient]:
    """A browser that has been let in, on a workspace with one failed run whose texts are all HTML tags."""
    (workspace.project.root / "databricks.yml").write_text(BUNDLE)
    (workspace.project.root / "<script>.sql").write_text("CREATE OR REFRESH MATERIALIZED VIEW a AS SELECT 1 AS id")
    workspace.jobs.pipelines.create({"name": EVIL, "schema": "s", "catalog": EVIL, "libraries": [{EVIL: EVIL}]}, EVIL)
    records = Records.of(workspace.project.state("main"))
    run_id = start(records, run_name=EVIL, job_parameters={EVIL: [None, EVIL]})
    iteration = {"for_each_task_key": "t", "index": 0, "input": [EVIL]}
    attempt(records, run_id, EVIL, "FAILED", error=EVIL, error_trace=EVIL, iteration=iteration)
    end(records, run_id, "FAILED")
    recorded_update(records, workspace.jobs.pipelines.pipelines()[0].pipeline_id)
    stranger.get(workspace.gate.new_link())
    stranger.headers["Origin"] = workspace.url
    yield stranger


PATHS = [
    *("/runs", "/runs/1", "/runs/1000000001", "/runs/2", "/jobs", "/jobs/of-bundle/a%20b%25", f"/sql?statement={EVIL}"),
    *("/pipelines", "/pipelines/of-bundle/p%20q%25", "/pipelines/DEPLOYED"),
]


@pytest.mark.parametrize("path", PATHS)
def test_no_text_can_become_a_tag(site: TestClient, path: str, workspace: Workspace) -> None:
    """Wherever it appears; and the policy would allow only the page's own script to run."""
    answer = site.get(path.replace("DEPLOYED", workspace.jobs.pipelines.pipelines()[0].pipeline_id))

    assert answer.status_code == 200, answer.text
    assert answer.text.count("<script") == 1
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/runs/x", 400, "`run`: found `x`; expected a number."),
        ("/runs/77", 404, "Run 77 does not exist."),
        ("/runs?job=x", 400, "`job`: found `x`; expected a number."),
        ("/runs?before=x", 400, "`page_token`"),
        ("/jobs/5", 404, "Job 5 does not exist here."),
        ("/jobs/of-bundle/nope", 404, "The bundle has no job `nope`."),
        ("/pipelines/nope", 404, "Pipeline nope does not exist here."),
        ("/pipelines/of-bundle/nope", 404, "The bundle has no pipeline `nope`."),
        ("/pipelines/nope/updates/nope", 404, "The specified update nope was not found."),
        ("/tables/main/shop.nope", 404, "has no Delta table `shop.nope`"),
        ("/tables/nope/a.b", 404, "Catalog &#39;nope&#39; does not exist."),
        ("/outbox?limit=-1", 400, "`limit`"),
        ("/outbox/main/2026", 400, "no messages whose id begins with"),
        ("/sql/0815", 404, "was not found"),
        ("/changes/runs/77", 404, "Run 77 does not exist."),
    ],
)
def test_a_wrong_address_says_what_was_expected(site: TestClient, path: str, status: int, said: str) -> None:
    """On one line, whatever the page."""
    answer = site.get(path)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/runs/1/repair", {}, "No task is chosen."),
        ("/sql", {"catalog": "main", "statement": "SELECT 1; SELECT 2"}, "Found 2 statements; expected one."),
        ("/sql", {"catalog": "nope", "statement": "SELECT 1"}, "does not exist"),
        ("/jobs/of-bundle/plain/run", {"parameter.nope": "1"}, "found `nope`"),
        ("/pipelines/of-bundle/missing/update", {}, "nope.sql"),
        ("/pipelines/of-bundle/p%20q%25/update", {"what": "chosen", "refresh": " , "}, "No table is named."),
        ("/pipelines/nope/update", {}, "was not found"),
        ("/pipelines/nope/stop", {}, "was not found"),
    ],
)
def test_a_form_that_asks_for_nonsense_says_why(site: TestClient, path: str, form: dict, said: str) -> None:
    """With a link back; nothing is started."""
    answer = site.post(path, data=form)

    assert answer.status_code in (400, 404)
    why = re.search(r'<p class="why bad">(.*?)</p>', answer.text, re.DOTALL)
    assert why and said in why[1]


def test_forms_of_other_pages_change_nothing(site: TestClient, workspace: Workspace) -> None:
    """Nor those of a browser that is not let in."""
    assert site.post("/runs/1/cancel", headers={"Origin": "https://evil.example"}).status_code == 403
    del site.headers["Origin"]
    assert site.post("/runs/1/cancel").status_code == 403
    site.cookies.clear()
    assert site.get("/runs").status_code == 401
