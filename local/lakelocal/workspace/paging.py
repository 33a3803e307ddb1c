"""Lists in pages: a token names the last entry of a page, so that no entry is lost if others come or go meanwhile."""

import base64
import binascii
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from lakelocal.workspace.errors import wrong_value

T = TypeVar("T")


def page_of(entries: Sequence[T], key: Callable[[T], str], size: int, largest: int, token: str) -> tuple[list[T], str]:
    """The entries after *token* in the order of *key*, and the token of the next page; "" after the last.

    A page has *size* entries, or *largest* if *size* is 0 or more than that.

    Raises:
        ApiError: *token* is not a token of a page, or *size* is negative.
    """
    if size < 0:
        raise wrong_value(f"The size of a page: found {size}; expected a number from 0.")
    after = _named_by(token) if token else None
    left = sorted((each for each in entries if after is None or key(each) > after), key=key)
    size = min(size or largest, largest)
    return left[:size], _token_of(key(left[size - 1])) if len(left) > size else ""


def _token_of(name: str) -> str:
    return base64.urlsafe_b64encode(os.fsencode(name)).decode()


def _named_by(token: str) -> str:
    try:
        return os.fsdecode(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise wrong_value("`page_token`: found an unknown text; expected the one from the last answer.") from error
