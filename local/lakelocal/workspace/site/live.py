"""Answers that wait until a page has changed: the script of the page requests them as long as a run is active.

A page is made again when its content differs from what the browser has. The check is cheap: for runs, it compares the
times of the files that contain the history and the events of attempts.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lakelocal.workspace.site.answers import Answer, Visit, answered, visit_of

LONGEST = 25.0
LOOK_SECONDS = 0.25
Looks = Callable[[Visit], object]


def live(path: str, answer: Answer, looks: Looks) -> Route:
    """The route that sends the page of *answer* when it changes; the value of *looks* changes whenever it may have."""

    async def respond(request: Request) -> Response:
        visit = await visit_of(request)
        known, end = visit.value("stamp"), time.monotonic() + LONGEST
        while time.monotonic() < end and not await request.is_disconnected():
            stamp = _stamp(await run_in_threadpool(looks, visit))
            if stamp != known:
                made = await run_in_threadpool(answered, answer, visit)
                made.headers["x-stamp"] = stamp
                return made
            await asyncio.sleep(LOOK_SECONDS)
        return Response(status_code=204)

    return Route(path, respond, methods=["GET"])


def _stamp(look: object) -> str:
    return hashlib.sha256(repr(look).encode()).hexdigest()[:16]


def look_of(files: Iterable[Path]) -> object:
    """A value that changes when one of *files* is written."""
    return [_look(file) for file in files]


def _look(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
