"""The tables of endpoints and of the clients' calls in local/WORKSPACE.md."""

import re
from collections.abc import Iterable, Iterator, Sequence

from starlette.routing import Route

from lakelocal.workspace.access import is_of_api
from lakelocal.workspace.app import ROUTES
from tests.jobs.daily import ROOT
from tests.workspace.client_calls import CALLS

FILE = ROOT / "local" / "WORKSPACE.md"
BEGIN, END = (
    "<!-- endpoints: made by tests/workspace/write_endpoints.py -->",
    "<!-- end of the endpoints -->",
)
CALLS_BEGIN, CALLS_END = (
    "<!-- calls of the clients: made by tests/workspace/write_endpoints.py -->",
    "<!-- end of the calls -->",
)
# The tests of the endpoints of each module.
TESTS = {
    "identity": "test_access.py",
    "security": "test_access.py",
    "tree_endpoints": "test_tree.py, test_sdk_files.py",
    "files_endpoints": "test_sdk_files.py",
    "jobs": "test_jobs_by_sdk.py",
    "runs": "test_jobs_by_sdk.py",
    "pipelines": "test_pipelines_by_sdk.py",
    "unity_catalog": "tests/spark/test_workspace_sql.py",
    "sql_endpoints": "tests/spark/test_workspace_sql.py",
    "permissions": "test_sdk_files.py",
    "lookups": "test_sdk_files.py",
    "dbfs": "test_sdk_files.py",
    "secrets": "test_sdk_files.py",
}
_VERSION = re.compile(r"^/api/2\.[01](?=/jobs/)")


def document(text: str) -> str:
    """*text*, the content of the file, with the current endpoints and calls."""
    calls = ((each.client, each.why or ", ".join(_shown(each.tests))) for each in CALLS)
    text = _with_table(text, CALLS_BEGIN, CALLS_END, ("call", "tests"), calls)
    return _with_table(text, BEGIN, END, ("endpoint", "what it does here", "tests"), _rows())


def _with_table(text: str, begin: str, end: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def _shown(tests: Sequence[str]) -> Iterator[str]:
    """The tests, each with its file where that is not the one before."""
    last = ""
    for test in tests:
        file, _, name = test.partition("::")
        yield f"`{name}`" if file == last else f"{file} `{name}`"
        last = file


def _rows() -> Iterator[tuple[str, str, str]]:
    for route in (route for routes in ROUTES for route in routes() if isinstance(route, Route)):
        is_alias = _VERSION.match(route.path) or route.path.endswith("/")
        module = route.endpoint.__module__.rpartition(".")[2]
        if not is_alias and is_of_api(route.path):
            methods = sorted((route.methods or set()) - ({"HEAD"} if "GET" in (route.methods or ()) else set()))
            doc = (route.endpoint.__doc__ or "").strip().partition("\n")[0]
            assert doc, f"{route.path}: it has no docstring"
            yield f"`{', '.join(methods)} {route.path}`", doc, TESTS[module]
