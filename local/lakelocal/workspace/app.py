"""The application: all endpoints and pages, behind the checks that each request has to pass."""

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.errors import LocalError
from lakelocal.workspace import (
    dbfs,
    files_endpoints,
    identity,
    jobs,
    lookups,
    permissions,
    pipelines,
    runs,
    secrets,
    security,
    sql_endpoints,
    tree_endpoints,
    unity_catalog,
)
from lakelocal.workspace.errors import ApiError, of_local_error
from lakelocal.workspace.limits import Limits
from lakelocal.workspace.scheduler import DeployedSchedules
from lakelocal.workspace.security import Security, refusal
from lakelocal.workspace.site import routes as site
from lakelocal.workspace.workspace import Workspace

ROUTES: list[Callable[[], list[BaseRoute]]] = [
    identity.routes,
    security.routes,
    tree_endpoints.routes,
    files_endpoints.routes,
    jobs.routes,
    runs.routes,
    pipelines.routes,
    unity_catalog.routes,
    permissions.routes,
    lookups.routes,
    sql_endpoints.routes,
    dbfs.routes,
    secrets.routes,
    site.routes,
]
"""The modules that serve paths; a module with endpoints or pages needs a line here."""


def create_app(workspace: Workspace) -> Starlette:
    """The application that serves *workspace*."""
    app = Starlette(
        lifespan=_lifespan,
        routes=[route for routes in ROUTES for route in routes()],
        middleware=[Middleware(Security, gate=workspace.gate), Middleware(Limits)],
        exception_handlers={
            ApiError: lambda request, error: refusal(request, error),
            LocalError: lambda request, error: refusal(request, of_local_error(error)),
            HTTPException: _no_route,
            Exception: _bug,
        },
    )
    app.state.workspace = workspace
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Start runs that an earlier server acknowledged but did not start; run the schedules while the server runs."""
    workspace: Workspace = app.state.workspace
    await run_in_threadpool(workspace.starts.recover)
    schedules = DeployedSchedules(workspace.jobs, workspace.numbers, workspace.starts, workspace.places)
    with schedules.running():
        yield
        workspace.waiting.end()
        await run_in_threadpool(workspace.statements.close)


def _no_route(request: Request, error: Exception) -> Response:
    """The API's answer for a path that does not exist or does not support the method."""
    text = f"No API found for '{request.method} {request.url.path[:200]}'"
    return refusal(request, ApiError("ENDPOINT_NOT_FOUND", text))


def _bug(request: Request, error: Exception) -> Response:
    text = f"{type(error).__name__}: {str(error)[:500]}. A bug of the server: its log has the rest."
    return refusal(request, ApiError("INTERNAL_ERROR", text))
