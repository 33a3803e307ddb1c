"""How values and names are written in SQL, and edits that leave the rest of a text as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the text from *start* to *end* with *text*."""

    start: int
    end: int
    text: str


def apply(sql: str, edits: Sequence[Edit]) -> str:
    """*sql* with *edits* applied; if two overlap, the one given first wins."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            continue
        pieces += [sql[position : edit.start], edit.text]
        position = edit.end
    return "".join(pieces) + sql[position:]


def literal(text: str) -> str:
    """*text* as a SQL string literal."""
    return f"'{escaped(text)}'"


def escaped(text: str) -> str:
    """*text* as it is written between the quotes of a SQL string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def quoted(name: str) -> str:
    """*name* as a quoted SQL name."""
    return "`" + name.replace("`", "``") + "`"
