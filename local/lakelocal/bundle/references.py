"""References to values of a bundle: `${var.catalog}`, `${bundle.target}`, `${resources.jobs.load.id}`.

A reference is a path of names and indexes. A name begins with a letter of any script, continues with letters, digits,
`-` and `_`, and ends with a letter or digit; anything else, such as `${0}` or `${a-}`, is plain text. This module does
not know which paths exist: that is up to the code that resolves them.

Source: Databricks CLI 1.13, `libs/dyn/dynvar/ref.go` and `libs/dyn/path_string.go`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from lakelocal.lakeflow.findings import Steps

# `\w` without digits and `_` still includes numbers that are not digits, such as `²`; `_is_reference` rejects them.
_NAME = r"[^\W\d_](?:[-\w]*[^\W_])?"
_REFERENCE = re.compile(rf"\$\{{({_NAME}(?:\.{_NAME}(?:\[[0-9]+\])*)*(?:\[[0-9]+\])*)\}}")
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


def references_in(value: Any) -> Iterator[str]:
    """The paths of all references in *value*, a text or nested values with texts, in their order."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from references_in(each)
    elif isinstance(value, str):
        yield from (found[1] for found in _REFERENCE.finditer(value) if _is_reference(found))


def only_reference(text: str) -> str | None:
    """The path of the reference, if *text* is a single reference and nothing else; otherwise None."""
    found = _REFERENCE.fullmatch(text)
    return found[1] if found and _is_reference(found) else None


def replace_references(text: str, value_of: Callable[[str], str | None]) -> str:
    """*text* with each reference replaced by `value_of(path)`; if that is None, the reference stays."""

    def new(found: re.Match[str]) -> str:
        value = value_of(found[1]) if _is_reference(found) else None
        return found[0] if value is None else value

    return _REFERENCE.sub(new, text)


def steps_of(path: str) -> Steps:
    """`a.b[0].c` as `("a", "b", 0, "c")`."""
    return tuple(name or int(number) for name, number in _STEP.findall(path))


def _is_reference(found: re.Match[str]) -> bool:
    return all(isinstance(step, int) or step[0].isalpha() for step in steps_of(found[1]))
