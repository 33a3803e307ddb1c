"""The table of all endpoints in local/WORKSPACE.md, made from the routes of the application."""

import re
from collections.abc import Iterator

from starlette.routing import Route

from lakelocal.workspace.access import is_of_api
from lakelocal.workspace.app import ROUTES
from tests.jobs.daily import ROOT

FILE = ROOT / "local" / "WORKSPACE.md"
BEGIN, END = (
    "<!-- endpoints: made by tests/workspace/write_endpoints.py -->",
    "<!-- end of the endpoints -->",
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
    """*text*, the content of the file, with the current endpoints."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in _rows())
    return f"{before}{BEGIN}\n\n| endpoint | what it does here | tests |\n| --- | --- | --- |\n{rows}\n\n{END}{after}"


def _rows() -> Iterator[tuple[str, str, str]]:
    for route in (route for routes in ROUTES for route in routes() if isinstance(route, Route)):
        is_alias = _VERSION.match(route.path) or route.path.endswith("/")
        module = route.endpoint.__module__.rpartition(".")[2]
        if not is_alias and is_of_api(route.path):
            methods = sorted((route.methods or set()) - ({"HEAD"} if "GET" in (route.methods or ()) else set()))
            doc = (route.endpoint.__doc__ or "").strip().partition("\n")[0]
            assert doc, f"{route.path}: it has no docstring"
            yield f"`{', '.join(methods)} {route.path}`", doc, TESTS[module]
