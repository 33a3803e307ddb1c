"""HTML and SVG from Python values: whatever is not `Markup` is escaped, so no name or message can become a tag.

Not templates: a page here is nested values, including pictures, which functions build and tests inspect.
"""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "col", "hr", "img", "link", "meta"})
Content = str | int | float | None | Iterable["Content"]


class Markup(str):
    """A string that is already HTML."""


def element(name: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """`<name attributes>content</name>`.

    *content* may be nested iterables; None is nothing. In the name of an attribute, a trailing `_` is dropped
    (`class_`), and any other `_` becomes a hyphen; None and False omit the attribute, True writes it without a value.
    """
    written = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(content)}</{name}>")


def joined(content: Content) -> Markup:
    """*content* as the text between two tags."""
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, (str, int, float)):
        return Markup(escape(str(content), quote=False))
    return Markup("".join(joined(part) for part in content))


def _attribute(name: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(f"{value:.6g}" if isinstance(value, float) else str(value))}"'
