"""Long results in parts: tokens that say where the next part begins, lists cut to pages, arrays of a job cut to size.

A token holds the position of the last entry that a client has seen, its times and numbers or its name, so that entries
that come or go between two pages do no harm.

Source: Jobs API 2.2: at most 100 entries of each array in one answer; older versions have no parts.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from lakelocal.workspace.errors import wrong_value

T = TypeVar("T")
MOST_ENTRIES = 100
_NUMBERS = 2**63


def token_of(*position: int | str) -> str:
    """The token of a *position*."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(token: str, *kinds: type[int] | type[str]) -> tuple[Any, ...] | None:
    """The position that `token_of` made *token* of, whose parts have these *kinds*; None for an empty token.

    Raises:
        ApiError: it is not a token of this server, or one of another kind of list.
    """
    if not token:
        return None
    try:
        position = json.loads(
            base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        )
        if [type(each) for each in position] != list(kinds):
            raise ValueError("another position")
        if any(isinstance(each, int) and abs(each) >= _NUMBERS for each in position):
            raise ValueError("a number that no entry has")
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        found = f"`page_token`: found `{token[:80]}`; expected one from an earlier answer, or none for the first part."
        raise wrong_value(found) from error
    return tuple(position)


def page_of(entries: Sequence[T], key: Callable[[T], str], size: int, largest: int, token: str) -> tuple[list[T], str]:
    """The entries after *token* in the order of *key*, and the token of the next page; "" after the last.

    A page has *size* entries, or *largest* if *size* is 0 or more than that.

    Raises:
        ApiError: *token* is not a token of a page, or *size* is negative.
    """
    if size < 0:
        raise wrong_value(f"The size of a page: found {size}; expected a number from 0.")
    after = position_of(token, str)
    left = sorted((each for each in entries if after is None or key(each) > after[0]), key=key)
    size = min(size or largest, largest)
    return left[:size], token_of(key(left[size - 1])) if len(left) > size else ""


def part_of(content: Mapping[str, Any], names: Iterable[str], page_token: str) -> tuple[dict[str, Any], str]:
    """*content* with one part of each array in *names*, and the token of the next part; empty for the last one."""
    start = (position_of(page_token, int) or (0,))[0]
    if start < 0:
        raise wrong_value("`page_token`: expected one from an earlier answer.")
    end = start + MOST_ENTRIES
    result, is_last = dict(content), True
    for name in names:
        if isinstance(entries := content.get(name), list):
            result[name] = entries[start:end]
            is_last = is_last and len(entries) <= end
    return result, "" if is_last else token_of(end)
