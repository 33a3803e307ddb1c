"""The largest size of a request, and the longest time between its parts; the answer to any other is one line.

Files for the workspace or a volume are streamed to the disk; their limits are those of Databricks.
Source: Databricks documentation, "Files API" (5 GiB) and "Workspace files limitations" (500 MB).
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.security import refusal

MIB = 1024**2
LARGEST_BODY = 16 * MIB
LARGEST_FILES = {
    "/api/2.0/fs/files/": 5 * 1024 * MIB,
    "/api/2.0/workspace-files/import-file/": 500 * MIB,
    "/api/2.0/workspace/import": 700 * MIB,  # the same in base64
}
PAUSE_SECONDS = 30.0
"""The longest pause between two parts of a body."""


class Limits:
    """Middleware that ends requests whose body is too large or stops arriving."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = next((size for start, size in LARGEST_FILES.items() if scope["path"].startswith(start)), LARGEST_BODY)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await refusal(request, _too_large(limit))(scope, receive, send)
            return
        await self.app(scope, _Body(receive, limit, PAUSE_SECONDS), send)


class _Body:
    """Wraps *receive*: counts the bytes of the body as they arrive."""

    def __init__(self, receive: Receive, limit: int, pause: float) -> None:
        self.receive = receive
        self.limit = limit
        self.pause = pause
        self.size = 0
        self.is_whole = False

    async def __call__(self) -> MutableMapping[str, Any]:
        if self.is_whole:
            return await self.receive()
        try:
            message = await asyncio.wait_for(self.receive(), self.pause)
        except TimeoutError as error:
            text = f"Received nothing of the body for {self.pause:g} s; expected the rest of it. Send it again."
            raise ApiError("REQUEST_TIMEOUT", text) from error
        self.size += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self.size > self.limit:
            raise _too_large(self.limit)
        return message


def _too_large(limit: int) -> ApiError:
    return ApiError(
        "MAX_REQUEST_SIZE_EXCEEDED", f"Found a body of more than {limit // MIB} MiB, the limit for this path."
    )
