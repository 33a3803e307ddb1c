"""Streams bodies to the disk as they arrive, and sends files in parts.

No thread waits for a slow client.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.tree.durable import Parts, sync_file

_BLOCK = 1024 * 1024  # bytes that are written at a time


@contextlib.asynccontextmanager
async def received(request: Request, parts: Parts) -> AsyncIterator[Path]:
    """The body of *request* as a synchronised file of *parts*; it is removed at the end unless it was renamed.

    Raises:
        ApiError: the client disconnected before the end, so nothing is stored.
    """
    part = await run_in_threadpool(parts.new)
    try:
        file: BinaryIO = await run_in_threadpool(part.open, "xb")
        try:
            await _write(request, file)
        finally:
            await run_in_threadpool(file.close)
        yield part
    finally:
        await run_in_threadpool(part.unlink, missing_ok=True)


async def _write(request: Request, file: BinaryIO) -> None:
    held = bytearray()
    try:
        async for chunk in request.stream():
            held += chunk
            if len(held) >= _BLOCK:
                await run_in_threadpool(file.write, bytes(held))
                held.clear()
    except ClientDisconnect as error:
        raise ApiError(
            "REQUEST_TIMEOUT", "The client disconnected before the end of the body; nothing was stored."
        ) from error
    await run_in_threadpool(file.write, bytes(held))
    await run_in_threadpool(sync_file, file)
