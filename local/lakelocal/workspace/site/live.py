"""Answers that wait until a page has changed: the script of the page asks for them as long as something goes on.

A page is made again when what it shows looks otherwise than the browser has seen it. To ask for that is cheap: of runs,
it is the times of the files in which the history and the events of attempts are.
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
    """The route on which the page of *answer* is given out when it changes; *looks* differs as soon as it may have."""

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
    """What differs if one of *files* has been written."""
    return [_look(file) for file in files]


def _look(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
