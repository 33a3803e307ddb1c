"""The DBFS API: files of `dbfs:/` in parts of at most 1 MiB, as clients older than the Files API send them.

The files are those of the default catalog's state: every state has a DBFS of its own here. For files in volumes,
there is the Files API.

Source: DBFS API 2.0; CLI 1.14, `libs/filer/dbfs_client.go`, and SDK 0.162, `mixins/files.py`.
"""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lakelocal.workspace.endpoints import Asked, endpoint, fields_as, json_answer
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.forms import form_or_json, from_base64
from lakelocal.workspace.open_files import DbfsPlace, keep, make_dbfs_folders
from lakelocal.workspace.tree.durable import sync_folder
from lakelocal.workspace.tree.paths import inside, names_of
from lakelocal.workspace.volume_files import parts_of
from lakelocal.workspace.workspace import Workspace

_API = "/api/2.0/dbfs"
_BLOCK = 1024 * 1024


class At(Asked):
    """A file or a folder."""

    path: str


class Read(At):
    """A part of a file."""

    offset: int = 0
    length: int = 512 * 1024


class New(At):
    """A file to be written."""

    overwrite: bool = False


class Put(New):
    """A file with its content, base64 in JSON."""

    contents: str = ""


class Removal(At):
    """A file or a folder to be deleted."""

    recursive: bool = False


class Move(Asked):
    """A file or a folder to be renamed."""

    source_path: str
    destination_path: str


class Handle(Asked):
    """A file that is being written."""

    handle: int


class Block(Handle):
    """The next part of a file that is being written, in base64."""

    data: str


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("GET", f"{_API}/get-status", At, get_status),
        endpoint("GET", f"{_API}/list", At, list_folder),
        endpoint("GET", f"{_API}/read", Read, read),
        endpoint("POST", f"{_API}/mkdirs", At, make_folder),
        endpoint("POST", f"{_API}/create", New, create),
        endpoint("POST", f"{_API}/add-block", Block, add_block),
        endpoint("POST", f"{_API}/close", Handle, close),
        endpoint("POST", f"{_API}/delete", Removal, remove),
        endpoint("POST", f"{_API}/move", Move, move),
        Route(f"{_API}/put", put, methods=["POST"]),
    ]


def get_status(workspace: Workspace, asked: At) -> Mapping[str, Any]:
    """Describe a file or a folder."""
    return _told(_existing(workspace, asked.path))


def list_folder(workspace: Workspace, asked: At) -> Mapping[str, Any]:
    """List a folder; for a file, list only that file."""
    found = _existing(workspace, asked.path)
    if found.local.is_file():
        return {"files": [_told(found)]}
    names = sorted(entry.name for entry in found.local.iterdir())
    root = found.shown.rstrip("/")
    inner = [DbfsPlace(f"{root}/{name}", found.state, found.local / name) for name in names]
    listed = [_told(each) for each in inner if each.local.exists() and not each.local.is_symlink()]
    return {"files": listed} if listed else {}


def read(workspace: Workspace, asked: Read) -> Mapping[str, Any]:
    """Read a part of a file."""
    found = _existing(workspace, asked.path)
    if not found.local.is_file():
        raise wrong_value(f"`{found.shown}` is a directory: cannot open directory for reading.")
    if asked.offset < 0 or asked.length < 0:
        raise wrong_value(f"`offset` {asked.offset}, `length` {asked.length}: expected numbers from 0.")
    if asked.length > _BLOCK:
        raise ApiError("MAX_READ_SIZE_EXCEEDED", f"`length`: found {asked.length}; at most {_BLOCK} bytes.", 400)
    with found.local.open("rb") as file:
        file.seek(asked.offset)
        content = file.read(asked.length)
    return {"bytes_read": len(content), "data": base64.b64encode(content).decode()}


def make_folder(workspace: Workspace, asked: At) -> Mapping[str, Any]:
    """Create a folder, with its parents."""
    make_dbfs_folders(_at(workspace, asked.path))
    return {}


def create(workspace: Workspace, asked: New) -> Mapping[str, Any]:
    """Begin to write a file."""
    target = _at(workspace, asked.path)
    _check_free(target, overwrite=asked.overwrite)
    return {"handle": workspace.open_files.add(target, overwrite=asked.overwrite)}


def add_block(workspace: Workspace, asked: Block) -> Mapping[str, Any]:
    """Write the next part of a file."""
    workspace.open_files.write(asked.handle, _block(asked.data, "data"))
    return {}


def close(workspace: Workspace, asked: Handle) -> Mapping[str, Any]:
    """Finish a file, which then exists under its name."""
    workspace.open_files.close(asked.handle)
    return {}


async def put(request: Request) -> Response:
    """Write a small file in one request, from JSON or from a form."""
    fields, content = await form_or_json(request, "contents")
    asked = fields_as(Put, fields)
    if content is None:
        content = _block(asked.contents, "contents")
    await run_in_threadpool(_put, request.app.state.workspace, asked, content)
    return json_answer({})


def _put(workspace: Workspace, asked: Put, content: bytes) -> None:
    if len(content) > _BLOCK:
        raise ApiError("MAX_BLOCK_SIZE_EXCEEDED", f"`contents`: found {len(content)} bytes; at most {_BLOCK}.", 400)
    target = _at(workspace, asked.path)
    _check_free(target, overwrite=asked.overwrite)
    with parts_of(target.state).holding(content) as part:
        keep(target, part, overwrite=asked.overwrite)


def remove(workspace: Workspace, asked: Removal) -> Mapping[str, Any]:
    """Delete a file or a folder; it is no error if it does not exist, as on Databricks."""
    found = _at(workspace, asked.path)
    if found.local == found.state.dbfs:
        raise wrong_value("The root of DBFS can't be deleted.")
    if not found.local.exists():
        return {}
    if found.local.is_dir() and not asked.recursive and any(found.local.iterdir()):
        raise ApiError("IO_ERROR", "Directory is not empty. Use recursive delete or remove contents first.", 400)
    parts_of(found.state).remove(found.local)
    return {}


def move(workspace: Workspace, asked: Move) -> Mapping[str, Any]:
    """Rename a file or a folder."""
    source, target = _existing(workspace, asked.source_path), _at(workspace, asked.destination_path)
    if target.local.is_dir():
        target = DbfsPlace(f"{target.shown}/{source.local.name}", target.state, target.local / source.local.name)
    _check_free(target, overwrite=False)
    if source.local == source.state.dbfs or target.local.is_relative_to(source.local):
        raise wrong_value(f"`{source.shown}` can't be moved into itself.")
    make_dbfs_folders(DbfsPlace(target.shown, target.state, target.local.parent))
    source.local.rename(target.local)
    for folder in (source.local.parent, target.local.parent):
        sync_folder(folder)
    return {}


def _at(workspace: Workspace, path: str) -> DbfsPlace:
    """The place of *path*, with or without `dbfs:`."""
    plain = path[len("dbfs:") :] if path.lower().startswith("dbfs:") else path
    names = names_of(plain)
    if names[:1] == ("Volumes",):
        raise wrong_value(f"`{path[:200]}` is in a volume. Use the Files API, /api/2.0/fs.")
    state = workspace.catalogs.default()
    state.dbfs.mkdir(parents=True, exist_ok=True)
    return DbfsPlace("/" + "/".join(names), state, inside(state.dbfs, names, path))


def _existing(workspace: Workspace, path: str) -> DbfsPlace:
    found = _at(workspace, path)
    if not found.local.exists():
        raise not_there(f"No file or directory exists on path {found.shown}.")
    return found


def _check_free(target: DbfsPlace, *, overwrite: bool) -> None:
    if target.local.is_dir() or (target.local.exists() and not overwrite):
        raise ApiError(
            "RESOURCE_ALREADY_EXISTS", f"A file or directory already exists at the input path {target.shown}."
        )


def _told(found: DbfsPlace) -> Mapping[str, Any]:
    status, is_dir = found.local.stat(), found.local.is_dir()
    size = 0 if is_dir else status.st_size
    modified = status.st_mtime_ns // 1_000_000
    return {"path": found.shown, "is_dir": is_dir, "file_size": size, "modification_time": modified}


def _block(text: str, name: str) -> bytes:
    content = from_base64(text, name)
    if len(content) > _BLOCK:
        raise ApiError("MAX_BLOCK_SIZE_EXCEEDED", f"`{name}`: found {len(content)} bytes; at most {_BLOCK}.", 400)
    return content
