"""The Workspace API: imports, exports, lists and deletes objects of the workspace tree.

The CLI imports files of a bundle with `import-file`, about ten at a time; they are streamed to the disk.

Source: Workspace API 2.0; Databricks SDK 0.162, `mixins/workspace.py` (forms); CLI 1.14, `libs/filer`.
"""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from lakelocal.workspace.endpoints import Asked, endpoint, fields_as, json_answer
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.forms import form_or_json, from_base64
from lakelocal.workspace.streaming import received
from lakelocal.workspace.tree.formats import AS_IT_IS, export_object, import_object
from lakelocal.workspace.tree.objects import FILE, NOTEBOOK
from lakelocal.workspace.workspace import Workspace

_API = "/api/2.0/workspace"


class Named(Asked):
    """An object by its path."""

    path: str


class Status(Named):
    """An object, and which fields to return."""

    return_export_info: bool = False


class Listing(Named):
    """A folder; *notebooks_modified_after*, in milliseconds since 1970 UTC, selects notebooks."""

    notebooks_modified_after: int | None = None


class Removal(Named):
    """An object to be deleted."""

    recursive: bool = False


class Export(Named):
    """An object and its format; *direct_download*: the bytes instead of JSON."""

    format: str = ""
    direct_download: bool = False


class Import(Named):
    """An object to be written; *content* is base64 in JSON."""

    content: str = ""
    format: str = ""
    language: str = ""
    overwrite: bool = False


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("GET", f"{_API}/get-status", Status, get_status),
        endpoint("GET", f"{_API}/list", Listing, list_objects),
        endpoint("POST", f"{_API}/mkdirs", Named, make_folder),
        endpoint("POST", f"{_API}/delete", Removal, remove),
        endpoint("GET", f"{_API}/export", Export, export),
        Route(f"{_API}/import", import_any, methods=["POST"]),
        Route("/api/2.0/workspace-files/import-file/{path:path}", import_file, methods=["POST"]),
    ]


def get_status(workspace: Workspace, asked: Status) -> Mapping[str, Any]:
    """Describe an object."""
    return workspace.tree.get(asked.path).info(with_export=asked.return_export_info)


def list_objects(workspace: Workspace, asked: Listing) -> Mapping[str, Any]:
    """List a folder."""
    found = [each.info() for each in workspace.tree.list(asked.path)]
    if (after := asked.notebooks_modified_after) is not None:
        found = [each for each in found if each["object_type"] == NOTEBOOK and each["modified_at"] > after]
    return {"objects": found} if found else {}


def make_folder(workspace: Workspace, asked: Named) -> Mapping[str, Any]:
    """Create a folder, with its parents."""
    workspace.tree.make_folder(asked.path)
    return {}


def remove(workspace: Workspace, asked: Removal) -> Mapping[str, Any]:
    """Delete an object."""
    workspace.tree.remove(asked.path, recursive=asked.recursive)
    return {}


def export(workspace: Workspace, asked: Export) -> Mapping[str, Any] | Response:
    """Return the content of an object; a downloaded file is not held in memory."""
    found = workspace.tree.get(asked.path)
    if asked.direct_download and found.kind == FILE and asked.format in AS_IT_IS:
        return FileResponse(found.place, media_type="application/octet-stream")
    content, kind = export_object(workspace.tree, asked.path, asked.format)
    if asked.direct_download:
        return Response(content, media_type="application/octet-stream")
    return {"content": base64.b64encode(content).decode(), "file_type": kind}


async def import_any(request: Request) -> Response:
    """Write an object whose content is in a JSON body, or in a form, as the SDK's `upload` sends it."""
    fields, content = await form_or_json(request, "content")
    asked = fields_as(Import, fields)
    if content is None:
        content = from_base64(asked.content, "content")
    tree = request.app.state.workspace.tree
    given = (asked.path, content, asked.format, asked.language)
    await run_in_threadpool(import_object, tree, *given, overwrite=asked.overwrite)
    return json_answer({})


async def import_file(request: Request) -> Response:
    """Write the body as a file or a notebook, depending on its content and on the name in the path."""
    tree = request.app.state.workspace.tree
    path = f"/{request.path_params['path'].lstrip('/')}"
    overwrite = request.query_params.get("overwrite", "false").lower() == "true"
    async with received(request, tree.parts) as part:
        try:
            await run_in_threadpool(tree.keep, path, part, overwrite=overwrite)
        except ApiError as error:
            status = 409 if error.code == "RESOURCE_ALREADY_EXISTS" else error.status  # what the CLI expects here
            raise ApiError(error.code, error.message, status) from error
    return json_answer({})
