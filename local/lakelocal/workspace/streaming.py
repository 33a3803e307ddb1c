"""Bodies that are streamed to the disk as they arrive, and files that are sent in parts.

While a client is slow, no thread waits for it.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.tree.durable import Parts, sync_file

_BLOCK = 1024 * 1024  # bytes that are written at once


@contextlib.asynccontextmanager
async def received(request: Request, parts: Parts) -> AsyncIterator[Path]:
    """The body of *request* as a synchronised file of *parts*; it is gone at the end unless it got another name.

    Raises:
        ApiError: the client went away before the end, so that nothing is kept.
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
            "REQUEST_TIMEOUT", "The client went away before the end of the body; nothing is kept."
        ) from error
    await run_in_threadpool(file.write, bytes(held))
    await run_in_threadpool(sync_file, file)
