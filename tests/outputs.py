"""What an executed notebook shows to a person, as text."""

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

_HIDDEN = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)
_NEW_LINE = re.compile(r"<(tr|p|table|thead|tbody)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def shown(cells: Iterable[Mapping[str, Any]]) -> str:
    """Everything that *cells* printed and displayed, errors left out; a table has a line for each of its rows.

    Tables are read from their HTML: what is shown instead of it cuts long values.
    """
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(_text(output) for output in outputs if output["output_type"] != "error").strip()


def _text(output: Mapping[str, Any]) -> str:
    if "text" in output:
        return "".join(output["text"])
    data = output["data"]
    if "text/html" not in data:
        return "".join(data.get("text/plain", ""))
    lines = _NEW_LINE.sub("\n", _HIDDEN.sub("", "".join(data["text/html"])))
    return "\n".join(" ".join(unescape(_TAG.sub(" ", line)).split()) for line in lines.splitlines())
