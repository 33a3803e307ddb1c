"""How to write an endpoint of the API: a model of its request, and a function of the workspace and the request.

    class GetJob(Asked):
        job_id: int

    def get(workspace: Workspace, asked: GetJob) -> Mapping[str, Any]: ...

    endpoint("GET", "/api/2.2/jobs/get", GetJob, get)

The fields of the model come from the path, the query and, except for GET and HEAD, from a JSON body. Fields that the
model lacks are ignored, as the API does. The function runs in a thread, or on the event loop if it is `async`; it
returns the JSON of the answer, or a response.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.workspace import Workspace

JSON = "application/json"


Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A whole number of 64 bits, as all numbers of the API are."""


class Asked(BaseModel):
    """The fields of a client's request; in a query, numbers and booleans are texts."""

    model_config = ConfigDict(extra="ignore")


A = TypeVar("A", bound=Asked)
Answer = Mapping[str, Any] | Response
Handler = Callable[[Workspace, A], Answer] | Callable[[Workspace, A], Awaitable[Answer]]


def endpoint(method: str, path: str, model: type[A], handler: Handler[A], version: str = "") -> Route:
    """The route on which *handler* answers *method* at *path*.

    A model may also have the fields `connection`, for the client's connection, and `version`, for that of the API.
    """

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        own = {"connection": "{}:{}".format(*(request.client or ("", 0))), "version": version}
        asked = fields_as(model, {**request.query_params, **await json_body(request), **request.path_params, **own})
        workspace = request.app.state.workspace
        if inspect.iscoroutinefunction(handler):
            found = await handler(workspace, asked)
        else:
            found = await run_in_threadpool(handler, workspace, asked)
        return found if isinstance(found, Response) else json_answer(found)

    return Route(path, answer, methods=[method])


def versions(
    method: str, path: str, model: type[A], handler: Handler[A], numbers: Iterable[str] = ("2.2", "2.1", "2.0")
) -> list[Route]:
    """The same endpoint below `/api/N` for each version N of *numbers*."""
    return [endpoint(method, f"/api/{number}{path}", model, handler, number) for number in numbers]


def json_answer(content: Mapping[str, Any], status: int = 200) -> Response:
    """*content* as a JSON response."""
    return Response(pydantic_core.to_json(content), status, media_type=JSON)


async def json_body(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body of the request; empty without a body.

    Raises:
        ApiError: the body is not a JSON object, or is nested too deeply.
    """
    if request.method in ("GET", "HEAD") or not (body := await request.body()):
        return {}
    try:
        found = pydantic_core.from_json(body)
    except ValueError as error:
        raise ApiError("MALFORMED_REQUEST", f"Found a body that is not JSON ({error}); expected an object.") from error
    if not isinstance(found, dict):
        raise ApiError("MALFORMED_REQUEST", f"Found a JSON body that is not an object ({body[:20]!r}); expected one.")
    return found


def fields_as(model: type[A], fields: Mapping[str, Any]) -> A:
    """*fields* as an instance of *model*.

    Raises:
        ApiError: a field is missing or has an invalid value.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        if first["type"] == "missing":
            raise wrong_value(f"Missing required field: {where}.") from error
        found = repr(first["input"])[:80]
        raise wrong_value(f"`{where}`: found {found}; {first['msg'][0].lower()}{first['msg'][1:]}.") from error
