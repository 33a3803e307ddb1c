"""Bodies that contain a file: base64 in JSON, or a form, as the SDK's `upload` and curl send it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from lakelocal.workspace.endpoints import json_body
from lakelocal.workspace.errors import ApiError, wrong_value

_JSON_LIMIT = 16 * 1024 * 1024
_FIELD_LIMIT = 64 * 1024  # bytes of a field that is not the content


async def form_or_json(request: Request, name: str) -> tuple[Mapping[str, Any], bytes | None]:
    """The fields of the body, and the content in the field *name* of a form; None for a JSON body.

    Raises:
        ApiError: the body is neither JSON nor a form, or is a form without the content.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        _check_size(request)
        return await json_body(request), None
    try:
        form = await request.form(max_files=1, max_fields=10, max_part_size=_FIELD_LIMIT)
    except HTTPException as error:
        raise ApiError("MALFORMED_REQUEST", f"Found a form that cannot be read ({error.detail}).") from error
    try:
        held = form.get(name)
        if held is None:
            raise wrong_value(f"Missing required field: {name}.")
        content = held.encode() if isinstance(held, str) else await held.read()
        return {key: value for key, value in form.items() if isinstance(value, str) and key != name}, content
    finally:
        await form.close()


def _check_size(request: Request) -> None:
    """Refuse JSON that is too large to be held in memory."""
    size = request.headers.get("content-length", "")
    if not size.isdecimal() or int(size) > _JSON_LIMIT:
        found = f"{size} bytes" if size else "no Content-Length"
        text = f"Found {found}; expected JSON of at most {_JSON_LIMIT // 1024**2} MiB. Send a larger file as a form."
        raise ApiError("MAX_REQUEST_SIZE_EXCEEDED", text)


def from_base64(text: str, name: str) -> bytes:
    """The bytes that *text*, the value of the field *name*, stands for.

    Raises:
        ApiError: it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong_value(f"`{name}`: found text that is not base64 ({error}); expected base64.") from error
