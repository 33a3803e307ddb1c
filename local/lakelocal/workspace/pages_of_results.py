"""Long results in parts: tokens that mark the beginning of the next part, and the arrays of jobs and runs in parts.

Source: Jobs API 2.2: at most 100 entries of each array in one answer; older versions have no parts.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from lakelocal.workspace.errors import wrong_value

MOST_ENTRIES = 100


def token_of(*position: int) -> str:
    """The token of a *position*."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(token: str, length: int) -> tuple[int, ...] | None:
    """The position that `token_of` made *token* of; None for an empty one.

    Raises:
        ApiError: it is not a token of this server.
    """
    if not token:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        if [type(each) for each in position] != [int] * length or any(abs(each) >= 2**63 for each in position):
            raise ValueError("another position")
    except (ValueError, TypeError, binascii.Error) as error:
        found = f"`page_token`: found `{token[:80]}`; expected one from an earlier answer, or none for the first part."
        raise wrong_value(found) from error
    return tuple(position)


def part_of(content: Mapping[str, Any], names: Iterable[str], page_token: str) -> tuple[dict[str, Any], str]:
    """*content* with one part of each array in *names*, and the token of the next part; empty for the last one."""
    start = (position_of(page_token, 1) or (0,))[0]
    if start < 0:
        raise wrong_value("`page_token`: expected one from an earlier answer.")
    end = start + MOST_ENTRIES
    result, is_last = dict(content), True
    for name in names:
        if isinstance(entries := content.get(name), list):
            result[name] = entries[start:end]
            is_last = is_last and len(entries) <= end
    return result, "" if is_last else token_of(end)
