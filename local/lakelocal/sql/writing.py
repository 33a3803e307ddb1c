"""How values and names are written in SQL, and changes of a text that leave everything else as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text from *start* to *end* by *text*."""

    start: int
    end: int
    text: str


def apply(sql: str, edits: Sequence[Edit]) -> str:
    """*sql* with *edits* made; where two overlap the first one given wins."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            continue
        pieces += [sql[position : edit.start], edit.text]
        position = edit.end
    return "".join(pieces) + sql[position:]


def literal(text: str) -> str:
    """*text* as a SQL string."""
    return f"'{escaped(text)}'"


def escaped(text: str) -> str:
    """*text* as it stands between the quotes of a SQL string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def quoted(name: str) -> str:
    """*name* as a quoted SQL name."""
    return "`" + name.replace("`", "``") + "`"
