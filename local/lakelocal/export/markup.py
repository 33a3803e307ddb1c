"""HTML and SVG from Python values: whatever is not `Markup` is escaped, so that no name or message can become a tag.

By hand and not by templates: a page here is nested values, pictures among them, that functions make and tests look at.
"""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "col", "hr", "img", "link", "meta"})
Content = str | int | float | None | Iterable["Content"]


class Markup(str):
    """Text that is HTML already."""


def element(name: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """`<name attributes>content</name>`.

    *content* may be nested iterables; None is nothing. Of an attribute's name a trailing `_` is dropped (`class_`), any
    other is a hyphen; None and False leave the attribute out, True writes it bare.
    """
    written = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(content)}</{name}>")


def joined(content: Content) -> Markup:
    """*content* as it stands between two tags."""
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
