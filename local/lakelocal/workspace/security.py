"""The middleware that lets requests in, and the endpoints that give a browser its cookie; the rules are in `access`."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lakelocal.workspace.access import COOKIE, COOKIE_SECONDS, LOGIN, SAFE_METHODS, Gate, is_of_api
from lakelocal.workspace.endpoints import Asked, endpoint, json_answer
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.workspace import Workspace

NEW_LINK = "/api/local/login-links"
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
     b"frame-ancestors 'none'; form-action 'self'; base-uri 'none'"),
    (b"cache-control", b"no-store"),
]  # fmt: skip
_BEFORE_THE_BODY = (401, 403, 404, 408, 413)  # statuses of answers that depend only on the header or the size


class Security:
    """Middleware that refuses requests that *gate* refuses, and adds the headers that restrict browsers."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in given)]
            await send(message)

        try:
            self.gate.check(request)
        except ApiError as error:
            await refusal(request, error)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)


def refusal(request: Request, error: ApiError) -> Response:
    """*error* as an answer: JSON for programs, a line for people. It does not wait for the rest of the body."""
    answer: Response = PlainTextResponse(f"{error.message}\n", error.status)
    if is_of_api(request.url.path):
        answer = json_answer(error.body, error.status)
    if error.status in _BEFORE_THE_BODY and request.method not in SAFE_METHODS:
        answer.headers["connection"] = "close"
    return answer


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [endpoint("POST", NEW_LINK, NewLink, new_link), Route(LOGIN, login, methods=["GET"])]


class NewLink(Asked):
    """The page that the link should show."""

    path: str = "/"


def new_link(workspace: Workspace, asked: NewLink) -> Mapping[str, Any]:
    """Create a link that lets a browser in; only a client with the token can request it."""
    return {"url": f"{workspace.url}{workspace.gate.new_link(own_path(asked.path))}"}


async def login(request: Request) -> Response:
    """Give the browser its cookie, and redirect it to the page of the link."""
    gate: Gate = request.app.state.workspace.gate
    if not gate.use_link(request.query_params.get("code", "")):
        return PlainTextResponse("This link has been used, or is too old. Make a new one with `runs open`.\n", 403)
    answer = RedirectResponse(own_path(request.query_params.get("next", "/")), 303)
    is_secret = request.url.scheme == "https"
    answer.set_cookie(COOKIE, gate.cookie(), COOKIE_SECONDS, httponly=True, samesite="strict", secure=is_secret)
    return answer


def own_path(path: str) -> str:
    """*path* if it is a path of this server, else the path of the first page."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isascii() and path.isprintable()
    return path if is_own else "/"
