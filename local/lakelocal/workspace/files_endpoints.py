"""The Files API: sends, receives, lists and removes files of volumes, without holding them in memory.

Source: Files API 2.0; Databricks SDK 0.162, `mixins/files.py`. Two calls are not offered on purpose, and clients use
those below instead: `action=initiate-upload` and `create-download-url` are for storage that clients access directly.
"""

from email.utils import parsedate_to_datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from lakelocal.workspace.endpoints import json_answer
from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.streaming import received
from lakelocal.workspace.volume_files import VolumeFiles

_FILES, _DIRECTORIES = "/api/2.0/fs/files/{path:path}", "/api/2.0/fs/directories/{path:path}"


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        Route(_FILES, read, methods=["GET", "HEAD"]),
        Route(_FILES, write, methods=["PUT"]),
        Route(_FILES, remove, methods=["DELETE"]),
        Route(_DIRECTORIES, look, methods=["HEAD"]),
        Route(_DIRECTORIES, list_directory, methods=["GET"]),
        Route(_DIRECTORIES, make_directory, methods=["PUT"]),
        Route(_DIRECTORIES, remove_directory, methods=["DELETE"]),
    ]


async def read(request: Request) -> Response:
    """Return the content of a file, or a range of it; for HEAD, only its length and its time of modification."""
    place = await run_in_threadpool(_volumes(request).file, _path(request))
    status = await run_in_threadpool(place.stat)
    if (limit := request.headers.get("if-unmodified-since")) and _is_later(status.st_mtime, limit):
        raise ApiError("FAILED_PRECONDITION", f"The file ({_path(request)}) has changed since {limit}.", 412)
    return FileResponse(place, media_type="application/octet-stream", stat_result=status)


async def write(request: Request) -> Response:
    """Store the body of the request as a file."""
    volumes = _volumes(request)
    overwrite = _switch(request, "overwrite")
    target = await run_in_threadpool(volumes.at, _path(request))
    async with received(request, target.parts) as part:
        await run_in_threadpool(volumes.keep, target, part, overwrite=overwrite)
    return Response(status_code=204)


async def remove(request: Request) -> Response:
    """Delete a file."""
    await run_in_threadpool(_volumes(request).remove_file, _path(request))
    return Response(status_code=204)


async def look(request: Request) -> Response:
    """Say whether a directory exists."""
    is_there = await run_in_threadpool(_volumes(request).is_folder, _path(request))
    return Response(status_code=200 if is_there else 404)


async def list_directory(request: Request) -> Response:
    """List the entries of a directory, page by page."""
    size, token = request.query_params.get("page_size", "0"), request.query_params.get("page_token", "")
    if not size.isdecimal():
        raise wrong_value(f"`page_size`: found {size[:20]!r}; expected a whole number.")
    contents, following = await run_in_threadpool(_volumes(request).page, _path(request), int(size[:6]), token)
    return json_answer({"contents": contents} | ({"next_page_token": following} if following else {}))


async def make_directory(request: Request) -> Response:
    """Create a directory, with its parents."""
    await run_in_threadpool(_volumes(request).make_folder, _path(request))
    return Response(status_code=204)


async def remove_directory(request: Request) -> Response:
    """Delete an empty directory."""
    await run_in_threadpool(_volumes(request).remove_folder, _path(request))
    return Response(status_code=204)


def _volumes(request: Request) -> VolumeFiles:
    return VolumeFiles(request.app.state.workspace.catalogs)


def _path(request: Request) -> str:
    return f"/{request.path_params['path'].lstrip('/')}"


def _switch(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise wrong_value(f"`{name}`: found {value[:20]!r}; expected true or false.")
    return value == "true"


def _is_later(seconds: float, limit: str) -> bool:
    """Is the time *seconds* later than *limit*, an HTTP date, which has whole seconds?"""
    try:
        return int(seconds) > parsedate_to_datetime(limit).timestamp()
    except ValueError:
        return False
