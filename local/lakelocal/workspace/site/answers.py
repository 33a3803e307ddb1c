"""How the workspace answers a request for a page: by a function, in a thread; errors are pages as well."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from lakelocal.errors import LocalError
from lakelocal.pages.rendering import render, script_policy
from lakelocal.program import PROGRAM
from lakelocal.workspace.errors import ApiError, of_local_error, wrong_value
from lakelocal.workspace.workspace import Workspace

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Visit:
    """A request for a page; *values* come from its form or its query."""

    workspace: Workspace
    path: str
    ids: Mapping[str, str]
    values: Values
    referer: str = ""

    def value(self, name: str, default: str = "") -> str:
        """The first value of *name*, without surrounding spaces."""
        return next(iter(self.values.get(name, ())), default).strip()

    def id(self, name: str) -> int:
        """The number *name* in the path.

        Raises:
            ApiError: it is not a number.
        """
        return number_of(self.ids[name], name)

    def with_values(self, **changed: str | int | None) -> str:
        """The address of this page with *changed* values in its query; None removes a value."""
        kept = {name: each[0] for name, each in self.values.items() if name not in changed and each[0]}
        query = urlencode({**kept, **{name: value for name, value in changed.items() if value not in (None, "")}})
        return f"{self.path}{'?' if query else ''}{query}"


Answer = Callable[[Visit], Response]


def number_of(text: str, name: str) -> int:
    """*text* as a number.

    Raises:
        ApiError: it is not a number.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise wrong_value(f"`{name}`: found `{text[:40]}`; expected a number.")
    return int(text)


def page(path: str, answer: Answer, method: str = "GET") -> Route:
    """The route on which *answer* answers *method* at *path*."""

    @functools.wraps(answer)
    async def respond(request: Request) -> Response:
        visit = await visit_of(request)
        return await run_in_threadpool(answered, answer, visit)

    return Route(path, respond, methods=[method])


async def visit_of(request: Request) -> Visit:
    """*request* as a visit."""
    text = request.url.query if request.method == "GET" else (await request.body()).decode(errors="replace")
    return Visit(
        request.app.state.workspace,
        request.url.path,
        request.path_params,
        parse_qs(text, keep_blank_values=True),
        request.headers.get("referer", ""),
    )


def html(visit: Visit, template: str, *, status: int = 200, **values: object) -> Response:
    """The page made from *template* as an answer."""
    root = visit.workspace.project.root
    site = {"name": root.name, "root": str(root), "here": visit.path, "program": PROGRAM}
    policy = f"{script_policy()}; frame-ancestors 'none'"
    text = render(template, site=site, **values)
    return HTMLResponse(text, status, headers={"content-security-policy": policy})


def moved(path: str) -> Response:
    """The answer to a form: a redirect to *path*."""
    return RedirectResponse(path, 303)


def answered(answer: Answer, visit: Visit) -> Response:
    """The answer to *visit*; if it is refused, a page that says why."""
    try:
        return answer(visit)
    except LocalError as error:
        return _refused(visit, of_local_error(error))
    except ApiError as error:
        return _refused(visit, error)


def _refused(visit: Visit, error: ApiError) -> Response:
    title = "Not found" if error.status == 404 else "This cannot be done"
    back = visit.referer if visit.referer.startswith(f"{visit.workspace.url}/") else "/"
    return html(visit, "error.html", status=error.status, title=title, message=error.message, back=back)
