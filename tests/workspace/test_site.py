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
        ("/runs/x", 400, "<code>run</code>: found <code>x</code>; expected a number."),
        ("/runs/77", 404, "Run 77 does not exist."),
        ("/runs?job=x", 400, "<code>job</code>: found <code>x</code>; expected a number."),
        ("/runs?before=x", 400, "<code>page_token</code>"),
        ("/jobs/5", 404, "Job 5 does not exist here."),
        ("/jobs/of-bundle/nope", 404, "The bundle has no job <code>nope</code>."),
        ("/pipelines/nope", 404, "Pipeline nope does not exist here."),
        ("/pipelines/of-bundle/nope", 404, "The bundle has no pipeline <code>nope</code>."),
        ("/pipelines/nope/updates/nope", 404, "The specified update nope was not found."),
        ("/tables/main/shop.nope", 404, "has no Delta table <code>shop.nope</code>"),
        ("/tables/nope/a.b", 404, "Catalog &#39;nope&#39; does not exist."),
        ("/outbox?limit=-1", 400, "<code>limit</code>"),
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
        ("/jobs/of-bundle/plain/run", {"parameter.nope": "1"}, "found <code>nope</code>"),
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


@pytest.fixture
def family(site: TestClient, workspace: Workspace) -> TestClient:
    """The site, with the run 3, whose task `load` started the run 4, in which `read` failed; and the run 5."""
    records = Records.of(workspace.project.state("main"))
    parent = start(records, run_name="Nightly")
    child = start(records, job_id=8, job_key="loader", run_name="Loader", parent_run_id=parent, trigger="RUN_JOB_TASK")
    attempt(records, child, "read", "FAILED", error="KeyError: price")
    end(records, child, "FAILED")
    attempt(records, parent, "load", "FAILED", kind="run_job_task", child_run_id=child)
    end(records, parent, "FAILED")
    end(records, start(records, run_name="Fine", job_id=9), "SUCCESS")
    return site


def names_of(page: str) -> list[str]:
    """The runs that the list *page* shows."""
    return re.findall(r'<a class="name" href="/runs/\d+">(\w+) <', page)


def test_runs_that_other_runs_started_are_listed(family: TestClient) -> None:
    """With what started them, which is a link to the other run; their jobs can be chosen."""
    page = family.get("/runs").text

    assert names_of(page) == ["Fine", "Loader", "Nightly", "Orders"]
    assert '<a href="/runs/3">Run job task</a>' in page
    assert ">Loader</option>" in page
    assert names_of(family.get("/runs?job=8").text) == ["Loader"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("keyerror", ["Loader", "Nightly"]), ("READ", ["Loader", "Nightly"]), ("fin", ["Fine"]), ("nowhere", [])],
)
def test_a_run_is_found_by_what_the_list_says_of_it(family: TestClient, text: str, found: list[str]) -> None:
    """Its name, and why it failed, also if that was in a run that it started."""
    assert names_of(family.get(f"/runs?text={text}").text) == found


def test_a_run_leads_to_the_runs_above_it_and_to_its_job(family: TestClient, workspace: Workspace) -> None:
    """So does an attempt."""
    read = Records.of(workspace.project.state("main")).attempts(4)[0].run_id
    run, attempt_of_it = family.get("/runs/4").text, family.get(f"/runs/{read}").text

    assert above(run) == [("/runs", "Runs"), ("/runs/3", "Nightly, run 3")]
    assert above(attempt_of_it) == [("/runs", "Runs"), ("/runs/3", "Nightly, run 3"), ("/runs/4", "Loader, run 4")]
    assert '<dt>job</dt><dd><a href="/jobs/8">Loader</a></dd>' in run


def above(page: str) -> list[tuple[str, str]]:
    """The links of the breadcrumb of *page*."""
    crumbs = page.partition('aria-label="Breadcrumb">')[2].partition("</nav>")[0]
    return re.findall(r'<a href="(.*?)">(.*?)</a>', crumbs)


def test_a_run_that_succeeded_is_not_repaired_but_its_tasks_can_run_again(family: TestClient, workspace) -> None:
    """The form says so."""
    records = Records.of(workspace.project.state("main"))
    attempt(records, 5, "sweep")

    assert "<button>Rerun tasks</button>" in family.get("/runs/5").text
    assert "<button>Repair run</button>" in family.get("/runs/3").text


@pytest.mark.parametrize(("job_id", "is_offered"), [(7, True), (0, False)], ids=["job", "notebook"])
def test_a_failed_run_of_a_job_is_repaired_that_of_a_single_notebook_is_not(
    site: TestClient, workspace: Workspace, job_id: int, is_offered: bool
) -> None:
    """No job says what the task of a notebook's own run is."""
    records = Records.of(workspace.project.state("main"))
    run_id = start(records, job_id=job_id)
    attempt(records, run_id, "load", "FAILED")
    end(records, run_id, "FAILED")

    assert ("<button>Repair run</button>" in site.get(f"/runs/{run_id}").text) == is_offered
