"""One statement and its tokens, with the questions that the translation of statements asks."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from lakelocal.dialect.names import Names, shorten
from lakelocal.dialect.server import Server
from lakelocal.sql.tokens import STRING, Token
from lakelocal.sql.writing import Edit, apply, literal, quoted

_log = logging.getLogger(__package__)


@dataclass(frozen=True)
class Statement:
    """One statement and its tokens, with the questions that the handlers ask."""

    sql: str
    tokens: tuple[Token, ...]
    session: str
    names: Names
    server: Server

    @property
    def where(self) -> str:
        return f"The statement {shorten(self.sql)}"

    @cached_property
    def words(self) -> list[str]:
        return [token.word for token in self.tokens]

    def starts(self, phrase: str) -> bool:
        wanted = phrase.split()
        return self.words[: len(wanted)] == wanted

    def has(self, phrase: str) -> bool:
        """Does *phrase* stand in the statement, outside of parentheses?"""
        wanted, words, depth = phrase.split(), self.words, 0
        for index, word in enumerate(words):
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0 and words[index : index + len(wanted)] == wanted:
                return True
        return False

    def skip(self, at: int, phrase: str) -> tuple[int, bool]:
        """(the place behind *phrase*, True) if it stands at *at*, else (*at*, False)."""
        wanted = phrase.split()
        found = self.words[at : at + len(wanted)] == wanted
        return (at + len(wanted) if found else at), found

    def name(self, at: int) -> list[str]:
        """The parts of the name (a quoted string counts) that starts at token *at*."""
        parts: list[str] = []
        while at < len(self.tokens) and (self.tokens[at].is_name or (not parts and self.tokens[at].kind == STRING)):
            parts.append(self.tokens[at].text)
            if at + 1 >= len(self.tokens) or self.tokens[at + 1].text != ".":
                break
            at += 2
        return parts

    def pattern(self) -> Callable[[str], bool]:
        """The test of `LIKE 'a*|b'`, or of a pattern without LIKE, at the end of a SHOW."""
        patterns = [one.strip().lower() for one in self.like().split("|")]
        return lambda name: any(fnmatchcase(name.lower(), one) for one in patterns)

    def like(self) -> str:
        """The pattern that `pattern` tests; `*` where there is none."""
        return self.tokens[-1].text if self.tokens[-1].kind == STRING else "*"

    def without_placement(self) -> str:
        """The statement without `MANAGED LOCATION '...'` and `CLUSTER BY AUTO`, which place data in the cloud."""
        if "MANAGED" not in self.words and "AUTO" not in self.words:
            return self.sql
        edits = []
        for index, token in enumerate(self.tokens):
            words = self.words[index : index + 3]
            if (words[:2] == ["MANAGED", "LOCATION"] and self.words[0] == "CREATE") or (
                words == ["CLUSTER", "BY", "AUTO"] and self.words[0] in ("CREATE", "ALTER", "REPLACE")
            ):
                edits.append(Edit(token.start, self.tokens[index + 2].end, ""))
        if not edits:
            return self.sql
        _log.warning("%s: MANAGED LOCATION and CLUSTER BY AUTO are left out on this machine.", self.where)
        return apply(self.sql, edits)


def rows_of(columns: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    """SQL that gives *rows* of strings, in their order."""
    names = ", ".join(quoted(column) for column in columns)
    if not rows:
        nulls = ", ".join(f"CAST(NULL AS STRING) AS {quoted(column)}" for column in columns)
        return f"SELECT {nulls} WHERE false"
    values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
    return f"SELECT * FROM VALUES {values} AS t({names})"
