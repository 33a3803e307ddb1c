"""The name that was probably meant, for messages about a name that does not exist."""

import difflib
from collections.abc import Iterable

_SIMILAR = 0.65  # at 0.6, the default, `shares` is taken for `targets`


def near_name(given: object, names: Iterable[str]) -> str | None:
    """The one of *names* that is most similar to *given*; None if none is similar."""
    return next(iter(difflib.get_close_matches(str(given), list(names), n=1, cutoff=_SIMILAR)), None)


def next_step(given: object, names: Iterable[str], otherwise: str = "Name one of them.") -> str:
    """The last sentence of a message about the unknown name *given*: the similar name, or else *otherwise*."""
    near = near_name(given, names)
    return f"Did you mean `{near}`?" if near else otherwise
